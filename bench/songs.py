"""Songs that no training heard: is a song found when others play it?

python bench/songs.py --trained INDEX.json ... [--songs 100] [--seed 0] [--model NAME] [--json PATH]

Art songs of pieces.csv (OpenScore Lieder) that the index of recipes/render_scores.py does not hold. Each is
rendered twice, up to 95 s of it: as a piano plays it, and by the instruments of a style that is drawn, 2 to 5
semitones higher or lower, up to a fifth faster or slower, with another soundfont; neither soundfont is one
that training used. All have a voice and a piano, one century and one form in common, and everything that is
asked among has other instruments: harder than the pieces of `soundalike evaluate`, where only the query has.
Both ways are asked, the piano among the arrangements and an arrangement among the pianos.
"""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from record import DATA, finish, parser
from soundalike.embedder import Embedder, sense_of
from soundalike.errors import AudioError
from soundalike.evaluation.baselines.chroma import best_rotation, chroma_bigrams
from soundalike.evaluation.metrics import METRICS, bootstrap
from soundalike.evaluation.pieces import Piece, read_pieces
from soundalike.evaluation.renderings import SOUNDFONTS
from soundalike.library.aggregation import similarity_matrix, track_vector
from soundalike.scores.orchestration import STYLES, Plan, draw_programs
from soundalike.scores.rendering import SAMPLE_RATE, arrange, passage_end, play, read_score

LONGEST = 95.0
PIANO = 0


def render(name: str, score_path: Path, seed: int, cache: Path) -> tuple[np.ndarray, np.ndarray]:
    """A song as a piano plays it and as others do, int16 [T] each; kept in `cache`."""
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    files = [cache / f"{seed}-{digest.hex()}-{k}.npy" for k in (0, 1)]
    if not all(file.exists() for file in files):
        rng = np.random.default_rng([seed, int.from_bytes(digest, "big")])
        score = read_score(score_path)
        voices = score.voices()
        styles = [style for style in STYLES if style not in ("as written", "keyboards")]
        style = str(rng.choice(styles))
        piano = Plan(
            style="piano",
            programs=dict.fromkeys(voices, PIANO),
            silent=frozenset(),
            balance=dict.fromkeys(voices, 0.0),
            transposition=0,
            speed=1.0,
            jitter=(0.005, 5.0),
            soundfont=0,
            sends=(40, 0),
            room=0.3,
            seed=int(rng.integers(2**32)),
        )
        others = replace(
            piano,
            style=style,
            programs=draw_programs(voices, rng, STYLES[style]),
            transposition=int(rng.integers(2, 6) * rng.choice((-1, 1))),
            speed=float(np.exp(rng.uniform(-1, 1) * np.log(1.2))),
            soundfont=1,
            room=float(rng.uniform(0.1, 0.9)),
            seed=int(rng.integers(2**32)),
        )
        end = passage_end(score, [piano, others], longest=LONGEST)
        cache.mkdir(parents=True, exist_ok=True)
        for file, plan in zip(files, (piano, others), strict=True):
            sound = play(arrange(score, plan, end=end), SOUNDFONTS[plan.soundfont], room=plan.room)
            partial = file.with_suffix(".partial.npy")
            np.save(partial, sound)
            partial.replace(file)
    return np.load(files[0]), np.load(files[1])


def songs(indices: list[Path], count: int, seed: int, pieces: Path) -> list[Piece]:
    """`count` songs, and some to spare, that are in no index, in an order drawn by `seed`."""
    known = {
        group["piece"] for index in indices for group in json.loads(index.read_text())["groups"]
    }
    scores = (piece for piece in read_pieces(pieces, use="training") if piece.name not in known)
    left = [piece for piece in scores if piece.score.suffix == ".mxl"]
    order = np.random.default_rng(seed).permutation(len(left))
    return [left[i] for i in order[: count + count // 5]]


def measure(similarity: np.ndarray) -> dict[str, Any]:
    """Top-1 and MRR of both ways, [N, N], with intervals drawn by song."""
    right = np.eye(len(similarity), dtype=bool)
    both = np.tile(np.arange(len(similarity)), 2)
    found = {}
    for name in ("top-1", "MRR"):
        values = [METRICS[name](table, right) for table in (similarity, similarity.T)]
        interval = bootstrap(np.concatenate(values), groups=both)
        found[name] = [interval.mean, interval.low, interval.high]
        found[f"{name} by piano"], found[f"{name} by others"] = (float(v.mean()) for v in values)
    return found


def systems(
    pianos: list[np.ndarray], others: list[np.ndarray], embedder: Embedder
) -> dict[str, Any]:
    """Every way to compare waveforms float32 [T] of the one and the other: name -> figures."""
    notes = [np.concatenate([chroma_bigrams(w) for w in each]) for each in (pianos, others)]
    heard = [[embedder.embed_waveform(w) for w in each] for each in (pianos, others)]
    found = {"chroma-bigrams": measure(best_rotation(*notes))}
    for sense in embedder.senses:
        own = [[sense_of(v, sense, embedder.senses) for v in each] for each in heard]
        found[sense] = measure(similarity_matrix(*own, "mean"))
    means = [track_vector(np.stack(each), "mean", embedder.senses) for each in heard]
    found["both, cosine of the joined vectors"] = measure(means[0] @ means[1].T)
    found["both"] = measure(similarity_matrix(*heard, "mean", embedder.senses))
    return found


def as_markdown(figures: dict[str, Any]) -> str:
    """One row for every way to compare."""
    lines = [
        f"{figures['songs']} songs, asked both ways; encoder {figures['model']}.",
        "",
        "| compared by | top-1 | MRR | piano asked, MRR | others asked, MRR |",
        "|---|---|---|---|---|",
    ]
    for name, each in figures["systems"].items():
        cells = ["{:.3f} ({:.3f}-{:.3f})".format(*each[metric]) for metric in ("top-1", "MRR")]
        cells += [f"{each[f'MRR by {who}']:.3f}" for who in ("piano", "others")]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    options = parser(__doc__)
    options.add_argument(
        "--trained",
        type=Path,
        action="append",
        required=True,
        help="index.json of songs that training, or who chose, has heard; repeatable",
    )
    options.add_argument("--songs", type=int, default=100, help="how many songs")
    options.add_argument("--seed", type=int, default=0, help="of the choice and the arrangements")
    options.add_argument("--model", help="shipped name or folder; the default if none")
    options.add_argument("--cache", type=Path, default=Path(".cache/evaluation/songs"))
    options.add_argument("--jobs", type=int, default=1, help="songs rendered side by side")
    chosen = options.parse_args()
    embedder = Embedder(chosen.model, threads=1)
    pianos, others = [], []
    with ProcessPoolExecutor(chosen.jobs) as pool:
        drawn = songs(chosen.trained, chosen.songs, chosen.seed, DATA / "midi/pieces.csv")
        work = [pool.submit(render, p.name, p.score, chosen.seed, chosen.cache) for p in drawn]
        for piece, task in zip(drawn, work, strict=True):
            try:
                each = [sound.astype(np.float32) / 32767 for sound in task.result()]
            except (AudioError, ValueError) as error:
                print(f"left out: {piece.name}: {error}", flush=True)
                continue
            if len(pianos) < chosen.songs and min(map(len, each)) >= 20 * SAMPLE_RATE:
                pianos.append(each[0])
                others.append(each[1])
                print(f"{len(pianos)}/{chosen.songs} {piece.name}", flush=True)
    if len(pianos) < chosen.songs:
        raise SystemExit(f"only {len(pianos)} songs of {chosen.songs} could be used")
    figures = {
        "songs": len(pianos),
        "model": embedder.identity,
        "systems": systems(pianos, others, embedder),
    }
    finish(__file__, as_markdown(figures), figures, chosen)


if __name__ == "__main__":
    main()
