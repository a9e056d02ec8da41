"""The map in docs/library.md: recordings copied with their tags, indexed, clustered, drawn.

python bench/map_picture.py [--out docs/pictures/map.png] [--dark] [--work FOLDER]

The recordings of $SOUNDALIKE_DATA/music come without tags. They are copied, packet by packet and not
encoded again, with artist, title and soundtrack (as the album) from tracks.csv; what is drawn is then a
library like any other. Besides the picture it prints how many of a track's nearest five tracks on the
map share its album, beside the same count in the full vectors and by chance. With --work a second run
finds copies and library where the first left them.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np

from record import DATA, ROOT
from soundalike.library.library import Library
from soundalike.library.picture import draw

SPLITS = ("validation", "train")
SHORTEST, LONGEST = 10, 14
NEAREST = 5


def rows_of(splits: Sequence[str]) -> list[dict[str, str]]:
    """Rows of tracks.csv, in its order."""
    table = DATA / "music/tracks.csv"
    if not table.is_file():
        raise SystemExit(f"{table} is missing; set SOUNDALIKE_DATA")
    with table.open(newline="", encoding="utf-8") as rows:
        return [row for row in csv.DictReader(rows) if row["split"] in splits]


def chosen() -> list[dict[str, str]]:
    """Rows of tracks.csv: the soundtracks that are long enough, and not more of one than of others."""
    albums = defaultdict(list)
    for row in rows_of(SPLITS):
        albums[row["soundtrack"]].append(row)
    return [row for own in albums.values() if len(own) >= SHORTEST for row in own[:LONGEST]]


def tag(source: Path, target: Path, tags: dict[str, str]) -> None:
    """Copy a recording with other tags."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        stream = new.add_stream_from_template(old.streams.audio[0])
        new.metadata.update(tags)
        stream.metadata.update(tags)  # where Ogg keeps them
        at = None
        for packet in old.demux(audio=0):
            if packet.dts is not None:
                # Times of some pages are a few samples off, which a writer refuses; count instead.
                at = packet.pts if at is None else at
                packet.pts = packet.dts = at
                at += packet.duration
                packet.stream = stream
                new.mux(packet)


def copied(rows: list[dict[str, str]], folder: Path) -> Path:
    """A folder of tagged copies, laid out Album/track."""
    for row in rows:
        target = folder / row["path"]
        if not target.exists():
            tags = {name: row[name] for name in ("artist", "title") if row[name]}
            tag(DATA / "music" / row["path"], target, {**tags, "album": row["soundtrack"]})
    return folder


def shared(labels: list[str], near: np.ndarray) -> float:
    """The share of neighbors [N, k] that have the label of the track they are neighbors of."""
    names = np.array(labels)
    return float((names[near] == names[:, None]).mean())


def nearest(distances: np.ndarray) -> np.ndarray:
    """The nearest rows of each row, not itself: [N, NEAREST]."""
    np.fill_diagonal(distances, np.inf)
    return np.argsort(distances, axis=1)[:, :NEAREST]


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--out", type=Path, default=ROOT / "docs/pictures/map.png")
    options.add_argument("--dark", action="store_true")
    options.add_argument("--work", type=Path, help="keep copies and library here")
    chosen_options = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = chosen_options.work or Path(name)
        library = Library(work / "library")
        library.index([copied(chosen(), work / "music")], prune=True)
        seen = library.map()
        draw(seen, chosen_options.out, dark=chosen_options.dark)
        tracks, vectors = library.vectors()
    albums = [track.album for track in tracks]
    away = np.linalg.norm(seen.places[:, None] - seen.places[None], axis=2)
    found = {
        "on the map": shared(albums, nearest(away)),
        "in the vectors": shared(albums, nearest(1 - vectors @ vectors.T)),
        "by chance": shared(albums, nearest(np.random.default_rng(0).random(away.shape))),
    }
    print(
        f"{len(tracks)} tracks of {len(set(albums))} albums; of the nearest {NEAREST}, from the same:"
    )
    for where, share in found.items():
        print(f"  {share:.2f} {where}")
    for cluster in seen.clusters:
        print(f"{len(cluster.tracks):4} {cluster.name}")


if __name__ == "__main__":
    main()
