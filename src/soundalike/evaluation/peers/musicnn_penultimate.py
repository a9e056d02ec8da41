"""musicnn (MSD_musicnn), one layer before its tags: float32 [1, 200], the mean over time.

The same network as in musicnn.py beside it, which says more. That layer says what the tags need;
the pools of `musicnn` keep more of how it sounds.

Install: pip install tensorflow-cpu==2.15.1 "numpy<2" "librosa<0.11"; pip install --no-deps musicnn
"""

import runpy
import sys
from pathlib import Path

ENVIRONMENT = "musicnn"
PACKAGE = "musicnn"


def main(sounds: str, out: str) -> None:
    """Describe every .wav of a folder into an .npz, by the names of the files."""
    musicnn = runpy.run_path(str(Path(__file__).with_name("musicnn.py")))
    musicnn["main"](sounds, out, "penultimate")


if __name__ == "__main__":
    main(*sys.argv[1:])
