"""docs/results.md and its pictures: made of records, and of nothing else."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
MADE = {
    "commit": "abc1234",
    "machine": "a machine",
    "python": "3.11.7",
    "date": "2031-05-06T07:08+00:00",
}
Record = dict[str, Any]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The scripts of bench/: (report, quality)."""
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    report = importlib.import_module("report")
    yield SimpleNamespace(report=report, quality=importlib.import_module("quality"))
    for name in ("report", "quality", "readme", "record", *report.TITLES):
        sys.modules.pop(name, None)


@pytest.fixture
def sketched(bench: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Pictures hold their figures as text, which takes no time; name -> figures."""
    given: dict[str, Any] = {}

    def sketch(figures: Any, path: Path, **options: Any) -> None:
        given[path.stem] = figures
        path.write_text(repr(figures))

    for name in ("forest", "heat_map", "bars"):
        monkeypatch.setattr(bench.quality.pictures, name, sketch)
    return given


def result(task: str, kind: str, **means: float) -> Record:
    """A result of two queries; the names of scores have _ for what cannot stand in a keyword."""
    named = {name.replace("_", "-"): mean for name, mean in means.items()}
    return {
        "task": task,
        "kind": kind,
        "queries": 2,
        "scores": {n: {"mean": m, "low": m / 2, "high": (1 + m) / 2} for n, m in named.items()},
        "values": {n: [m, m] for n, m in named.items()},
    }


def evaluation(system: str, level: float) -> Record:
    hubs = {"mean": 10 * level, "low": 0.0, "high": 20 * level}
    return {
        "system": system,
        "identity": f"{system}@0123456789ab",
        "aggregation": "mean",
        "tracks": 41,
        "numbers": 192,
        "results": [
            result("same_track", "", top_1=level, MRR=level + 0.1),
            result("degraded", "mp3 32 kbit/s", top_1=level),
            result("degraded", "noise", top_1=level / 2),
            result("degraded", "all", top_1=level * 0.75),
            result("arrangement", "key", MRR=level),
            result("arrangement", "all", MRR=level),
            {
                **result("hubness", ""),
                "scores": {"skewness of N_10": hubs},
                "values": {"N_10": [10, 10]},
            },
        ],
    }


@pytest.fixture
def record() -> Record:
    return {
        "tracks": "tracks.csv",
        "split": "validation",
        "provenance": MADE,
        "evaluations": [evaluation("ours", 0.625), evaluation("theirs", 0.375)],
        "skipped": {"same_genre": "no track has anything to find"},
    }


@pytest.fixture
def root(tmp_path: Path, record: Record) -> Path:
    """A repository with a validation and a test record and no benchmark."""
    (tmp_path / "bench/results").mkdir(parents=True)
    save(tmp_path, "validation", record)
    save(tmp_path, "test", {**record, "split": "test"})
    return tmp_path


def save(root: Path, name: str, record: Record) -> None:
    path = root / f"docs/results/{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record), encoding="utf-8")


def page(root: Path) -> str:
    return (root / "docs/results.md").read_text("utf-8")


def drawn(root: Path) -> dict[str, bytes]:
    folder = root / "docs/results/pictures"
    return {path.name: path.read_bytes() for path in folder.glob("*")}


@pytest.mark.usefixtures("sketched")
def test_the_page_says_what_the_record_says(bench: Any, root: Path) -> None:
    bench.report.write(root)
    text = page(root)
    assert "Commit abc1234, a machine, Python 3.11.7, 2031-05-06." in text
    assert "| ours | 0.625 (0.312-0.812) | 0.725 (0.362-0.863) |" in text
    assert "| mp3 32 kbit/s | 0.625 | 0.375 |" in text
    assert "+0.250 (+0.250 to +0.250)" in text
    assert "Not asked: same genre, because no track has anything to find." in text
    for task in ("same track", "degraded", "arrangement", "hubness"):
        assert f"\n### Validation: {task}\n" in text
        assert f"\n### Test: {task}\n" in text
    assert text.index("## Validation: 41 tracks") < text.index("## Test: 41 tracks")


def test_pictures_are_of_the_validation_split(bench: Any, root: Path) -> None:
    bench.report.write(root)
    names = {f"validation-{n}.png" for n in ("scores", "degraded", "arrangement", "hubness")}
    assert set(drawn(root)) == names
    for name, data in drawn(root).items():
        assert data.startswith(b"\x89PNG")
        assert page(root).count(f"](results/pictures/{name})") == 1


def test_numbers_reach_the_pictures(bench: Any, root: Path, sketched: dict[str, Any]) -> None:
    bench.report.write(root)
    scores = sketched["validation-scores"]
    assert list(scores) == ["same track: MRR", "degraded: top-1", "arrangement: MRR"]
    assert scores["degraded: top-1"]["ours"].mean == 0.75 * 0.625  # of all kinds
    assert sketched["validation-degraded"] == {
        "mp3 32 kbit/s": {"ours": 0.625, "theirs": 0.375},
        "noise": {"ours": 0.3125, "theirs": 0.1875},
    }
    assert sketched["validation-arrangement"]["key: MRR"]["theirs"].low == 0.375 / 2
    assert sketched["validation-hubness"] == {"ours": 6.25, "theirs": 3.75}


@pytest.mark.usefixtures("sketched")
def test_the_readme_has_its_tables_from_the_records(bench: Any, root: Path, record: Record) -> None:
    (root / "README.md").write_text(
        "Before.\n<!-- quality of validation -->\nold\n<!-- end -->\nBetween.\n"
        "<!-- quality of test -->\n<!-- end -->\nAfter.\n"
    )
    record["evaluations"] = [evaluation("two-senses", 0.5), evaluation("bliss 0.1.11", 0.25)]
    for each in record["evaluations"]:
        each["results"] += [
            result("same_album", "", mAP=0.75 - each["results"][0]["scores"]["top-1"]["mean"])
        ]
    save(root, "validation", record)
    bench.report.write(root)
    text = (root / "README.md").read_text()
    first, second = text.split("Between.")
    assert first.startswith("Before.\n<!-- quality of validation -->\n\n| | same track")
    assert (
        "| **soundalike** (`two-senses`) | **0.50** (0.25-0.75) | 0.25 (0.12-0.62) "
        "| **0.38** (0.19-0.69) | not asked |"
    ) in first
    assert "| bliss-audio | 0.25 (0.12-0.62) | **0.50** (0.25-0.75) | 0.19 " in first
    assert "old" not in first
    assert "soundalike" not in second  # none of the systems of that record has a row there
    assert second.endswith("<!-- end -->\nAfter.\n")
    assert bench.report.stale(root) == []


@pytest.mark.usefixtures("sketched")
def test_a_second_run_changes_nothing(bench: Any, root: Path) -> None:
    assert len(bench.report.write(root)) == 6  # four pictures, two pages
    assert bench.report.stale(root) == []
    before = page(root), drawn(root)
    assert bench.report.write(root) == []
    assert (page(root), drawn(root)) == before


@pytest.mark.usefixtures("sketched")
def test_a_changed_record_makes_the_page_stale(bench: Any, root: Path, record: Record) -> None:
    bench.report.write(root)
    before = drawn(root)
    record["evaluations"][0]["results"][1]["scores"]["top-1"]["mean"] = 0.875
    save(root, "validation", record)
    assert bench.report.stale(root) == [root / "docs/results.md"]
    changed = bench.report.write(root)
    assert [path.name for path in changed] == ["validation-degraded.png", "results.md"]
    assert drawn(root)["validation-degraded.png"] != before["validation-degraded.png"]
    assert drawn(root)["validation-hubness.png"] == before["validation-hubness.png"]


@pytest.mark.usefixtures("sketched")
def test_a_picture_of_another_matplotlib_is_not_stale(bench: Any, root: Path) -> None:
    bench.report.write(root)
    picture = root / "docs/results/pictures/validation-scores.png"
    picture.write_bytes(b"the same, drawn a little differently")
    assert bench.report.stale(root) == []
    assert bench.report.write(root) == []
    assert picture in bench.report.write(root, redraw=True)
    assert picture.read_bytes().startswith(b"{'same track: MRR'")


@pytest.mark.usefixtures("sketched")
def test_missing_and_left_over_pictures_are_stale(bench: Any, root: Path) -> None:
    bench.report.write(root)
    folder = root / "docs/results/pictures"
    (folder / "validation-scores.png").unlink()
    (folder / "old.png").touch()
    assert {path.name for path in bench.report.stale(root)} == {"validation-scores.png", "old.png"}
    bench.report.write(root)
    assert bench.report.stale(root) == []
    assert not (folder / "old.png").exists()


@pytest.mark.usefixtures("sketched")
def test_a_score_nobody_has_is_not_drawn(bench: Any, root: Path, record: Record) -> None:
    for each in record["evaluations"]:
        each["results"] = [result("same_album", "", mAP=0.5)]
        each["results"][0]["scores"]["mAP"] = {"mean": None, "low": None, "high": None}
    save(root, "validation", record)
    bench.report.write(root)
    assert "| ours | - |" in page(root)


@pytest.mark.usefixtures("sketched")
def test_records_of_the_first_release_are_still_read(
    bench: Any, root: Path, record: Record
) -> None:
    """They know one kind of query, no costs, and of everything asked the same."""
    del record["skipped"]
    for each in record["evaluations"]:
        each["results"] = [result("same_track", "", top_1=0.5, MRR=0.75)]
        del each["results"][0]["kind"]
    save(root, "validation", record)
    bench.report.write(root)
    assert (
        "| ours@0123456789ab | 192 | 0.500 (0.250-0.750) | 0.750 (0.375-0.875) | - | - |"
        in page(root)
    )


@pytest.fixture
def claim(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes a module of a claim."""

    def make(name: str) -> None:
        full = f"soundalike.evaluation.claims.{name}"
        module: Any = ModuleType(full, 'Claim: "Tea beats coffee."\n\nIn: cups.')
        module.__spec__ = ModuleSpec(full, None)
        module.as_markdown = lambda figures: f"| cups | {figures['cups']} |\n\n**Verdict.** So."
        module.draw = lambda figures, path: path.write_text(str(figures["cups"]))
        monkeypatch.setitem(sys.modules, full, module)

    return make


@pytest.mark.usefixtures("sketched")
def test_a_system_measured_in_another_run_is_named(bench: Any, root: Path, record: Record) -> None:
    ours, theirs = record["evaluations"]
    theirs["provenance"] = {**MADE, "commit": "fed9876"}
    save(root, "validation", {**record, "evaluations": [{**ours, "provenance": MADE}, theirs]})
    bench.report.write(root)
    text = page(root)
    assert "Measured in another run:\n\n- theirs: Commit fed9876, a machine" in text
    assert text.count("another run") == 1


@pytest.mark.usefixtures("sketched")
def test_a_claim_has_a_section_after_the_splits(
    bench: Any, root: Path, claim: Callable[[str], None]
) -> None:
    claim("tea")
    save(root, "claims/tea", {"provenance": MADE, "cups": 17})
    bench.report.write(root)
    text = page(root)
    assert '## Claim: "Tea beats coffee."' in text
    assert "| cups | 17 |\n\n**Verdict.** So." in text
    assert text.index("## Test") < text.index("## Claim")
    assert "(results/pictures/claim-tea.png)" in text
    assert drawn(root)["claim-tea.png"] == b"17"
    save(root, "claims/tea", {"provenance": MADE, "cups": 18})
    assert bench.report.stale(root) == [root / "docs/results.md"]
    bench.report.write(root)
    assert drawn(root)["claim-tea.png"] == b"18"


def test_a_claim_nobody_knows_is_named(bench: Any, root: Path) -> None:
    save(root, "claims/perpetual_motion", {"provenance": MADE})
    with pytest.raises(SystemExit, match="perpetual_motion"):
        bench.report.stale(root)


def test_every_claim_that_is_measured_can_be_shown() -> None:
    for path in (ROOT / "docs/results/claims").glob("*.json"):
        module = importlib.import_module(
            f"soundalike.evaluation.claims.{path.stem.partition('-')[0]}"
        )
        assert callable(module.as_markdown)
        assert callable(module.draw)


WITHOUT = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "matplotlib", "sklearn"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocker())
sys.path.insert(0, sys.argv[1])
import report
from pathlib import Path
sys.exit(bool(report.stale(Path(sys.argv[2]))))
"""


def test_a_page_is_checked_without_torch_and_matplotlib(bench: Any, root: Path) -> None:
    command = [sys.executable, "-c", WITHOUT, str(ROOT / "bench"), str(root)]
    assert subprocess.run(command, check=False).returncode == 1
    bench.report.write(root)
    assert subprocess.run(command, check=False).returncode == 0
