"""Finding tracks by words: scanning all texts in memory, beside LanceDB's full-text index.

python bench/words.py [--tracks 100000] [--queries 30] [--json PATH]

Tracks are made up: titles, artists and albums of words whose frequencies fall as those of a language
(Zipf), in folders of artist and album. Asked are an artist with a word of a title, that word with a
letter missing at its end, and nothing the library has. Seconds are of the processor, for one thread
of ours and all of LanceDB's; each side is first asked once for what only the first question costs.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from record import finish, parser, spread
from soundalike.library.find import find
from soundalike.library.snapshot import Snapshot

WORDS, ARTISTS = 30_000, 0.05
COLUMNS = ("title", "artist", "album", "path")


def tracks(count: int) -> pa.Table:
    """Made-up facts, sorted by path."""
    rng = np.random.default_rng(0)
    letters, lengths = (
        rng.choice(list("etaoinshrdlucmfwypvbgkq"), (WORDS, 9)),
        rng.integers(3, 10, WORDS),
    )
    words = ["".join(row[:length]) for row, length in zip(letters, lengths, strict=True)]
    share = 1 / np.arange(10, WORDS + 10)
    drawn = iter(rng.choice(words, count * 8, p=share / share.sum()).tolist())
    artists = [f"{next(drawn)} {next(drawn)}".title() for _ in range(max(1, int(count * ARTISTS)))]
    rows = []
    for number in range(count):
        artist = artists[number * len(artists) // count]
        album = f"{artist.split()[0]} {number // 12}"
        title = f"{next(drawn)} {next(drawn)} {next(drawn)}".title()
        rows.append(
            (f"/music/{artist}/{album}/{number % 12:02} {title}.flac", title, artist, album)
        )
    rows.sort()
    columns = dict(zip(("path", "title", "artist", "album"), zip(*rows, strict=True), strict=True))
    return pa.table(
        {"id": [f"{i:016x}" for i in range(count)], **{k: list(v) for k, v in columns.items()}}
    )


def questions(facts: pa.Table, count: int) -> dict[str, list[str]]:
    """Whole words, a word cut short, and words that are not there."""
    rows = np.random.default_rng(1).integers(facts.num_rows, size=count).tolist()
    words = [(facts["artist"][i].as_py(), facts["title"][i].as_py().split()[0]) for i in rows]
    return {
        "artist and a word": [f"{artist} {word}" for artist, word in words],
        "the word cut short": [f"{artist} {word[:-1]}" for artist, word in words],
        "nothing there is": [f"zq{i}xw zq{i}wx" for i in rows],
    }


def timed(ask: Callable[[str], int], asked: list[str]) -> tuple[list[float], float]:
    """Processor seconds of each question, and the share of them that found something."""
    seconds, found = [], 0
    for text in asked:
        began = time.process_time()
        found += ask(text) > 0
        seconds.append(time.process_time() - began)
    return seconds, found / len(asked)


def indexed(facts: pa.Table, folder: Path) -> tuple[Callable[[str], int], dict[str, float]]:
    """LanceDB's index of all texts of a track in one column, and what it costs."""
    began = time.process_time()
    import lancedb

    imported = time.process_time() - began
    texts = [" ".join(row[name] for name in COLUMNS) for row in facts.to_pylist()]
    table = lancedb.connect(str(folder)).create_table(
        "t", facts.append_column("text", pa.array(texts))
    )
    before = size(folder)
    began = time.process_time()
    table.create_fts_index("text", replace=True, with_position=False)
    built = time.process_time() - began

    def ask(text: str) -> int:
        from lancedb.query import MatchQuery

        query = MatchQuery(text, "text", operator="AND")
        return (
            table.search(query, query_type="fts")
            .select(["id", "_score"])
            .limit(20)
            .to_arrow()
            .num_rows
        )

    costs = {"import_s": imported, "build_s": built, "bytes": float(size(folder) - before)}
    return ask, costs


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def as_markdown(figures: dict[str, Any]) -> str:
    """One row per kind of question."""
    lance, memory = figures["lance"], figures["memory"]
    lines = [
        f"{figures['tracks']} tracks. LanceDB's index takes {lance['build_s']:.1f} processor-s to build "
        f"(again after every change), {lance['bytes'] / 1e6:.1f} MB, and "
        f"{lance['import_s']:.2f} s to import. "
        f"The texts in memory take {memory['first_s']:.2f} s to lay out when first asked. Processor-ms per "
        "question, median (smallest to largest).",
        "",
        "| question | in memory | found | LanceDB | found |",
        "|---|---|---|---|---|",
    ]
    for name in memory["questions"]:
        cells = []
        for side in (memory, lance):
            asked = side["questions"][name]
            cells += [
                spread([1000 * each for each in asked["s"]], ".1f"),
                f"{100 * asked['found']:.0f}%",
            ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--tracks", type=int, default=100_000)
    options.add_argument("--queries", type=int, default=30, help="of each kind")
    chosen = options.parse_args()
    facts = tracks(chosen.tracks)
    asked = questions(facts, chosen.queries)
    snapshot = Snapshot(facts, np.empty((facts.num_rows, 0), np.float32), None)
    began = time.process_time()
    find("zqxw", snapshot)
    figures: dict[str, Any] = {
        "tracks": chosen.tracks,
        "memory": {"first_s": time.process_time() - began, "questions": {}},
    }
    with tempfile.TemporaryDirectory() as folder:
        ask, costs = indexed(facts, Path(folder))
        ask("zqxw")
        figures["lance"] = {**costs, "questions": {}}
        for name, texts in asked.items():
            for side, how in (("memory", lambda text: len(find(text, snapshot))), ("lance", ask)):
                seconds, found = timed(how, texts)
                figures[side]["questions"][name] = {"s": seconds, "found": found}
    finish(__file__, as_markdown(figures), figures, chosen)


if __name__ == "__main__":
    main()
