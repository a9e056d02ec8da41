"""The records of quality -> docs/results.md and its pictures.

    docs/results/*.json          (soundalike evaluate ... --out)        a section with tables each
    docs/results/claims/*.json   (soundalike claim NAME --out)          a section each; what follows a
                                 hyphen in the name tells records of one claim apart
    docs/results/pictures/*.png  drawn from these; the page says from which, by digest

A record whose split is "test" comes after the others and has no pictures: it is looked at once, as a
table. Which picture is made from what stands in `_drawings`; the drawing itself is in
soundalike.evaluation.pictures and in the claims.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from soundalike.evaluation import pictures, report
from soundalike.evaluation.metrics import Interval

Record = dict[str, Any]
Result = dict[str, Any]

HEAD = """\
# How good it is

Music that no encoder here was trained on. Versions were chosen by the validation split. The test split was
asked when a table of it was published, once for each default that was, and nothing was chosen by it.

How to read the tables:

- A system is asked about a sound and ranks others by how alike they are. A score is a mean over such
  queries: **top-1** is the share whose first answer is right, **MRR** the mean of 1 / the rank of the
  first right answer, **mAP** the mean average precision, **P@k** the share of right answers among the
  first k, **nDCG@10** the same with the first places counting more. 1 is perfect. **MR1** is the mean
  rank of the first right answer: lower is better.
- In brackets is the 95 % interval, by bootstrap (2,000 draws, seed 0). Queries about one album or artist are
  drawn together, and so are changed copies of one track: of few albums an interval is wide.
- A row of the tables with "minus" is a difference to the first system, over the same queries. Where its
  interval leaves out 0 the two differ; of twenty intervals of no difference one does so by chance.
- In the pictures a dot is the mean and a line its interval; the first system is in colour.

Protocols are in [evaluation.md](evaluation.md); the seed of a training run stands in its recipe.
"""

ABOUT = {
    "same_track": "The second half of every track is asked about, among the first halves of all; "
    "right is its own.",
    "degraded": "A track that was changed as its kind says is asked about, among all tracks as they "
    "were; right is the track it was made from.",
    "arrangement": "Another version of a piece, rendered from its score or a performance, is asked "
    "about, among the pieces as a piano plays them; right is its own piece.",
    "arrangement_versions": "The same queries among all pieces and all their other versions; right is "
    "whatever is of the same piece.",
    "same_album": "Second halves among the first halves of all other tracks; right are those of the "
    "same album or soundtrack.",
    "same_album_other_artists": "The same, without the tracks of the query's artist: albums of several.",
    "same_artist": "Second halves among the first halves of all other tracks; right are those by the "
    "same artist.",
    "same_artist_other_albums": "The same, without the tracks of the query's album.",
    "same_genre": "Second halves among the first halves of all other tracks; right are those of the "
    "same genre.",
    "same_genre_other_artists": "The same, without the tracks of the query's artist.",
    "hubness": "N_10 is in how many lists of the ten nearest a track is. Skewness 0: all tracks alike; "
    "above 1: a few are everywhere. Anti-hubs are tracks in no list, hubs those in more than 20.",
}
MAIN = ("mAP", "MRR", "top-1")
"""The score of a task that is drawn: the first of these it has; of degraded sounds, top-1."""


@dataclass(frozen=True)
class Picture:
    """A picture of the page.

    Attributes:
        path: of the PNG.
        digest: of the figures it is drawn from.
        draw: draws them to a path.
    """

    path: Path
    digest: str
    draw: Callable[[Path], None]

    def mark(self) -> str:
        """What the page keeps, to know later whether the picture is of these figures."""
        return f"<!-- {self.path.name} drawn from {self.digest} -->"


def quality_page(folder: Path, generated: str) -> tuple[str, list[Picture]]:
    """Make the page of the records in a folder, and say what to draw in its folder `pictures`.

    Args:
        folder: docs/results.
        generated: a first line for the page.

    Raises:
        SystemExit: a record of a claim nobody knows.
    """
    parts, drawings = [f"{generated}\n", HEAD], []
    records = {path.stem: json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")}
    for name in sorted(records, key=lambda name: (records[name]["split"] == "test", name)):
        record = records[name]
        drawn = {} if record["split"] == "test" else _drawings(name, record, folder)
        parts += _record_sections(record, drawn)
        drawings += drawn.values()
    for path in sorted((folder / "claims").glob("*.json")):
        text, drawing = _claim_section(path, folder)
        parts.append(text)
        drawings.append(drawing)
    return "\n".join(parts), drawings


def source(made: Record) -> str:
    """Where a record comes from."""
    return (
        f"Commit {made['commit']}, {made['machine']}, Python {made['python']}, {made['date'][:10]}."
    )


def _record_sections(record: Record, drawn: dict[str, Picture]) -> Iterator[str]:
    evaluations = record["evaluations"]
    aggregations = {each["aggregation"] for each in evaluations} - {""}
    split = str(record["split"]).capitalize()
    tracks = f"{evaluations[0]['tracks']} tracks"
    yield f"## {split}: {tracks} of {record['tracks']}\n"
    yield f"{source(record['provenance'])} Segments compared by {', '.join(sorted(aggregations))}.\n"
    yield from _measured_apart(record)
    yield report.as_markdown(record) + "\n"
    yield from _shown("scores", drawn, "main score of every task")
    for title, body in _sections(report.tables(record)):
        task = title.replace(" ", "_")
        yield f"### {split}: {title}\n"
        if task in ABOUT:
            yield ABOUT[task] + "\n"
        yield from _shown(task, drawn, title)
        yield body
    for task, why in record.get("skipped", {}).items():
        yield f"Not asked: {task.replace('_', ' ')}, because {why}.\n"


def _measured_apart(record: Record) -> Iterator[str]:
    """Which systems another run measured than the one the record names."""
    apart: dict[str, list[str]] = {}
    for each in record["evaluations"]:
        made = each.get("provenance", record["provenance"])
        if made != record["provenance"]:
            apart.setdefault(source(made), []).append(_name(each))
    if apart:
        told = [f"{', '.join(names)}: {where}" for where, names in apart.items()]
        yield "Measured in another run:\n\n" + "\n".join(f"- {line}" for line in told) + "\n"


def _sections(tables: str) -> Iterable[tuple[str, str]]:
    """The sections of a Markdown text that begins each with "## title"."""
    for section in re.split(r"^## ", tables, flags=re.MULTILINE)[1:]:
        title, _, body = section.partition("\n")
        yield title.strip(), body.strip("\n") + "\n"


def _shown(name: str, drawn: dict[str, Picture], what: str) -> Iterator[str]:
    if picture := drawn.get(name):
        place = f"{picture.path.parent.parent.name}/pictures/{picture.path.name}"
        yield f"![{what}]({place})\n{picture.mark()}\n"


def _drawings(name: str, record: Record, folder: Path) -> dict[str, Picture]:
    """The pictures of a record by the section they stand in."""
    evaluations = record["evaluations"]
    tasks = list(dict.fromkeys(r["task"] for each in evaluations for r in each["results"]))
    found: dict[str, tuple[Any, Callable[[Any, Path], None]]] = {}
    panels = {
        f"{task.replace('_', ' ')}: {main}": of_systems
        for task in tasks
        if task != "hubness" and (main := _main(task, evaluations))
        for of_systems in [_panel(evaluations, task, main)]
    }
    if panels:
        found["scores"] = (panels, pictures.forest)
    if "degraded" in tasks:
        cells = {
            kind: {system: interval.mean for system, interval in row.items()}
            for kind, row in _by_kind(evaluations, "degraded", "top-1").items()
        }
        columns = [_name(each) for each in evaluations]
        found["degraded"] = (cells, _heat_map(columns))
    if "arrangement" in tasks and (main := _main("arrangement", evaluations)):
        kinds = _by_kind(evaluations, "arrangement", main)
        titled = {f"{kind}: {main}": row for kind, row in kinds.items()}
        found["arrangement"] = (titled, pictures.forest)
    if "hubness" in tasks:
        skewness = _panel(evaluations, "hubness", "skewness of N_10")
        means = {system: interval.mean for system, interval in skewness.items()}
        found["hubness"] = (means, _bars)
    return {
        section: _picture(folder, f"{name}-{section}", figures, draw)
        for section, (figures, draw) in found.items()
        if figures
    }


def _picture(folder: Path, name: str, figures: Any, draw: Callable[[Any, Path], None]) -> Picture:
    told = json.dumps(figures, sort_keys=True, default=_fields)
    digest = hashlib.sha256(told.encode()).hexdigest()[:12]
    path = folder / "pictures" / f"{name}.png"
    return Picture(path, digest, lambda path: draw(figures, path))


def _fields(interval: Interval) -> list[float]:
    return [interval.mean, interval.low, interval.high]


def _heat_map(columns: list[str]) -> Callable[[Any, Path], None]:
    return lambda cells, path: pictures.heat_map(cells, path, label="top-1", columns=columns)


def _bars(values: Any, path: Path) -> None:
    pictures.bars(values, path, label="skewness of N_10")


def _main(task: str, evaluations: list[Record]) -> str:
    """The score of a task that is drawn; "" if it has none of them."""
    there = {
        score
        for each in evaluations
        for result in each["results"]
        if result["task"] == task
        for score in result["scores"]
    }
    wanted = ("top-1", *MAIN) if task == "degraded" else MAIN
    return next((score for score in wanted if score in there), "")


def _panel(
    evaluations: list[Record], task: str, score: str, kind: str = "all"
) -> dict[str, Interval]:
    """System -> its score of a task: that of a kind, or of all."""
    panel = {}
    for evaluation in evaluations:
        results = [each for each in evaluation["results"] if each["task"] == task]
        kinds = {each.get("kind", ""): each for each in results}
        result = kinds.get(kind) or (kinds.get("") if kind == "all" else None)
        if result and score in result["scores"]:
            numbers = result["scores"][score].items()
            interval = {name: math.nan if value is None else value for name, value in numbers}
            panel[_name(evaluation)] = Interval(**interval)
    return panel


def _by_kind(evaluations: list[Record], task: str, score: str) -> dict[str, dict[str, Interval]]:
    """Kind -> system -> its score, kinds in their order."""
    kinds = dict.fromkeys(
        each.get("kind", "")
        for evaluation in evaluations
        for each in evaluation["results"]
        if each["task"] == task
    )
    rows = {
        kind: _panel(evaluations, task, score, kind) for kind in kinds if kind not in ("", "all")
    }
    return {kind: row for kind, row in rows.items() if row}


def _name(evaluation: Record) -> str:
    """A short name: of the weights, with the aggregation where that is not the usual one."""
    name = str(evaluation["identity"]).partition("@")[0]
    aggregation = evaluation["aggregation"]
    return name if aggregation in ("", "mean") else f"{name} ({aggregation})"


def _claim_section(path: Path, folder: Path) -> tuple[str, Picture]:
    claim, _, case = path.stem.partition("-")
    module_name = f"soundalike.evaluation.claims.{claim}"
    if importlib.util.find_spec(module_name) is None:
        raise SystemExit(f"{path}: there is no claim of that name ({module_name})")
    module = importlib.import_module(module_name)
    record = json.loads(path.read_text("utf-8"))
    figures = {name: value for name, value in record.items() if name != "provenance"}
    title = (inspect.getdoc(module) or path.stem).partition("\n")[0].rstrip(".")
    title += f" ({case})" if case else ""
    picture = _picture(folder, f"claim-{path.stem}", figures, module.draw)
    made = f"{source(record['provenance'])}\n\n" if "provenance" in record else ""
    shown = "\n".join(_shown("it", {"it": picture}, title))
    return f"## {title}\n\n{made}{module.as_markdown(figures).strip()}\n\n{shown}", picture
