"""Serving a library: the page, the JSON API, OpenSubsonic."""

from __future__ import annotations

from pathlib import Path

import click

from soundalike.cli.options import library_option, model_option, open_library


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True)
@library_option
@model_option
def serve(host: str, port: int, library: Path | None, model: str | None) -> None:
    """Serve the library to browsers, players and programs."""
    from soundalike.server.running import run
    from soundalike.server.settings import Settings

    opened = open_library(library, model)
    click.echo(f"soundalike: http://{host}:{port}/", err=True)
    run(opened.path, Settings(host=host, port=port, model=model))
