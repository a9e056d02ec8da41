"""How alike copies of a recording are, and how alike what is none: where `versions` draws its lines.

python bench/copies.py [--tracks 59] [--pieces 30] [--model NAME] [--json PATH]

Every recording is heard again as other files of it would be: coded anew, cut off at the beginning,
quieter. Beside that stand all pairs of different recordings, which may come from one soundtrack. For
the sense of composition, pieces are rendered as a piano plays them and with everything changed at
once (see evaluation/versions.py), and pairs of different pieces stand beside them. Cosines are those
of whole tracks (mean of the segments), as a library stores them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from record import DATA, finish, music, parser
from soundalike.audio.waveform import load_audio
from soundalike.embedder import Embedder, sense_of
from soundalike.evaluation.degradations import amplified, coded, resampled, trimmed
from soundalike.evaluation.pieces import Piece, choose, read_pieces
from soundalike.evaluation.renderings import Renderings, prepare, sound
from soundalike.evaluation.versions import ORIGINAL, Version
from soundalike.library.aggregation import ONE, Senses, track_vector
from soundalike.library.versions import ARRANGED, RECORDED, TITLED, same_duration

SOUNDFONT = Path("/usr/share/sounds/sf2/TimGM6mb.sf2")
ARRANGEMENT = "all at once"
# Recordings are changed as they are, and brought to the rate of the encoder afterwards.
RATE = 48_000
CODECS = {"MP3 128 kbit/s": ("libmp3lame", 128_000), "Opus 64 kbit/s": ("libopus", 64_000)}
SHORT_CUT, LONG_CUT, QUIETER = 0.5, 2.0, -6.0


def copies(waveform: np.ndarray) -> dict[str, np.ndarray]:
    """A recording at `RATE` as other files may have it: name -> float32 [T]."""
    made = {name: coded(*codec, waveform, RATE) for name, codec in CODECS.items()}
    made[f"{SHORT_CUT:g} s cut off"] = trimmed(SHORT_CUT, waveform, RATE)
    made[f"{LONG_CUT:g} s cut off"] = trimmed(LONG_CUT, waveform, RATE)
    made[f"{QUIETER:g} dB"] = amplified(QUIETER, waveform)
    return made


def cosine(one: np.ndarray, other: np.ndarray, senses: Senses = ONE) -> float:
    """Of whole tracks [S, D], as a library compares them."""
    ours, theirs = (track_vector(each, "mean", senses) for each in (one, other))
    return round(float(ours @ theirs), 4)


def recordings(paths: Sequence[Path], embedder: Embedder) -> dict[str, Any]:
    """Cosines of each copy with its original, and of all pairs of different recordings."""
    same: dict[str, list[float]] = {}
    originals, seconds = [], []

    def heard(waveform: np.ndarray) -> np.ndarray:
        return embedder.embed_waveform(resampled(waveform, RATE, embedder.sample_rate))

    for path in paths:
        waveform = load_audio(path, sample_rate=RATE)
        original = heard(waveform)
        for name, copy in copies(waveform).items():
            same.setdefault(name, []).append(cosine(original, heard(copy), embedder.senses))
        originals.append(original)
        seconds.append(len(waveform) / RATE)
        print(f"{len(originals)}/{len(paths)} {path.name}", flush=True)
    pairs = list(combinations(range(len(originals)), 2))
    composed = [sense_of(each, "composition", embedder.senses) for each in originals]
    return {
        "same": same,
        "different": [cosine(originals[a], originals[b], embedder.senses) for a, b in pairs],
        "composed": [cosine(composed[a], composed[b]) for a, b in pairs],
        "same_duration": [same_duration(seconds[a], seconds[b]) for a, b in pairs],
    }


def compositions(pieces: Sequence[Piece], embedder: Embedder) -> dict[str, Any]:
    """Cosines by the sense of composition, of arrangements and of different pieces."""
    with tempfile.TemporaryDirectory() as folder:
        renderings = Renderings(Path(folder), (SOUNDFONT, SOUNDFONT))
        kinds = (ORIGINAL, ARRANGEMENT)
        asked = [[Version(piece, kind, 0) for kind in kinds] for piece in pieces]
        failed = prepare([version for pair in asked for version in pair], renderings)
        print(f"{len(failed)} renderings failed", *failed, sep="\n", flush=True)
        heard, pianos = [], []
        for pair in asked:
            if all(renderings.path(version).exists() for version in pair):
                sounds = (sound(each, renderings).make(embedder.sample_rate) for each in pair)
                vectors = [embedder.embed_waveform(each) for each in sounds]
                pianos.append(vectors[0])
                heard.append([sense_of(each, "composition", embedder.senses) for each in vectors])
    N = len(heard)
    return {
        "pianos": [cosine(*both, embedder.senses) for both in combinations(pianos, 2)],
        "same": [cosine(*pair) for pair in heard],
        "different": [
            cosine(heard[a][0], heard[b][1]) for a in range(N) for b in range(N) if a != b
        ],
    }


def as_markdown(figures: dict[str, Any]) -> str:
    """A table of copies, one of what is none, one of arrangements."""
    own, works = figures["recordings"], figures["compositions"]
    different, lasting = np.array(own["different"]), np.array(own["same_duration"])
    lines = [
        f"{figures['tracks']} recordings, {len(different)} pairs of different ones, "
        f"{len(works['same'])} pieces; encoder {figures['model']}. Share of pairs whose cosine reaches "
        "the lines that `library/versions.py` draws.",
        "",
        f"| pairs | lowest | median | highest | at least {RECORDED} | at least {TITLED} |",
        "|---|---|---|---|---|---|",
    ]
    rows = {f"a recording and its copy: {name}": each for name, each in own["same"].items()}
    rows["different recordings"] = different
    rows["different recordings that last as long"] = different[lasting]
    rows["different pieces, by one piano"] = works["pianos"]
    lines += [_row(name, values, (RECORDED, TITLED)) for name, values in rows.items()]
    lines += [
        "",
        f"| pairs, by the sense of composition | lowest | median | highest | at least {ARRANGED} |",
        "|---|---|---|---|---|",
        _row("a piece and its arrangement", works["same"], (ARRANGED,)),
        _row("different pieces, one of them arranged", works["different"], (ARRANGED,)),
        _row("different recordings", own["composed"], (ARRANGED,)),
    ]
    return "\n".join(lines)


def _row(name: str, values: Any, limits: Sequence[float]) -> str:
    cosines = np.asarray(values)
    spread = [f"{each:.3f}" for each in np.quantile(cosines, (0, 0.5, 1))]
    shares = [f"{100 * (cosines >= limit).mean():.1f}%" for limit in limits]
    return f"| {name} | {' | '.join([*spread, *shares])} |"


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--music", type=Path, help="folder to take recordings from")
    options.add_argument("--tracks", type=int, default=59, help="how many recordings")
    options.add_argument("--pieces", type=int, default=30, help="how many pieces are rendered")
    options.add_argument("--model", help="shipped name or folder; the default if none")
    chosen = options.parse_args()
    embedder = Embedder(chosen.model, threads=1)
    paths = music(chosen.music, chosen.tracks)
    pieces, _ = choose(read_pieces(DATA / "midi/pieces.csv"), "validation", limit=chosen.pieces)
    works = compositions(pieces, embedder)
    print(_row("pianos", works["pianos"], (RECORDED,)), flush=True)
    own = recordings(paths, embedder)
    figures = {
        "tracks": len(paths),
        "model": embedder.identity,
        "recordings": own,
        "compositions": works,
    }
    finish(__file__, as_markdown(figures), figures, chosen)


if __name__ == "__main__":
    main()
