"""`python -m soundalike` and the `soundalike` command."""

from __future__ import annotations

from soundalike.cli.main import main

if __name__ == "__main__":
    main()
