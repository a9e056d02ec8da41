"""bliss-audio, Polochon-street's library behind "blissify": 23 numbers a track, float32 [1, 23].

Tempo, zero crossings, spectral centroid, roll-off and flatness, loudness and a summary of chroma, each
already brought to about -1..1. It runs under its own Python and imports nothing of this package. The
wheel of 0.2.0 holds AVX-512 instructions and dies of SIGILL on a processor without them; 0.1.11 does
not, and gives 20 numbers. `make peers` makes its environment; by hand:

Install: pip install bliss-audio numpy (bliss-audio==0.1.11 on a processor without AVX-512)
"""

import sys
from pathlib import Path

PACKAGE = "bliss-audio"


def main(sounds: str, out: str) -> None:
    """Describe every .wav of a folder into an .npz, by the names of the files."""
    import bliss_audio
    import numpy as np

    paths = sorted(Path(sounds).glob("*.wav"))
    answers = {}
    for done, path in enumerate(paths, start=1):
        song = bliss_audio.Song(str(path))
        answers[path.stem] = np.asarray([song.analysis], dtype=np.float32)
        print(f"done {done}/{len(paths)}", flush=True)
    np.savez(out, **answers)  # type: ignore[arg-type]


if __name__ == "__main__":
    main(*sys.argv[1:])
