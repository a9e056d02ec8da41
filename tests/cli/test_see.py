"""map and clusters: answers, bad input, exit codes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from shell import FREQUENCIES, Run

from fake_model import write_tone
from soundalike.library.library import Library


def test_the_map_as_data(run: Run, indexed: Path, tmp_path: Path) -> None:
    pytest.importorskip("openTSNE")
    ran = run("map", "--out", "map.json", "-k", 2, "-q", "--library", indexed)
    assert (ran.code, ran.err) == (0, "5 tracks in 2 groups in map.json\n")
    found = json.loads((tmp_path / "map.json").read_text())
    tracks = {track["id"]: track for track in found["tracks"]}
    assert set(tracks) == {track.id for track in Library(indexed).tracks()}
    assert all(0 <= track[axis] <= 1 for track in tracks.values() for axis in "xy")
    assert found["layout"] == "tsne"
    assert [group["cluster"] for group in found["clusters"]] == [0, 1]
    for group in found["clusters"]:
        own = [track for track in tracks.values() if track["cluster"] == group["cluster"]]
        assert group["size"] == len(own)
        assert min(t["x"] for t in own) <= group["centre"][0] <= max(t["x"] for t in own)
        assert group["name"]
        assert group["representatives"][0]["id"] in tracks


@pytest.mark.parametrize("options", [(), ("--dark",), ("--color", "album"), ("--layout", "pca")])
def test_the_map_as_a_picture(
    run: Run, indexed: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    pytest.importorskip("openTSNE")
    pytest.importorskip("matplotlib")
    assert run("map", "--out", "map.png", *options, "--library", indexed).code == 0
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")


def test_the_map_as_data_needs_no_extras(
    run: Run, indexed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("openTSNE", "matplotlib", "sklearn", "scipy"):
        monkeypatch.setitem(sys.modules, name, None)
    ran = run("map", "--out", "map.json", "--library", indexed)
    assert ran.code == 1
    assert "pip install 'soundalike[map]', or take --layout pca" in ran.err
    assert run("map", "--out", "map.json", "--layout", "pca", "--library", indexed).code == 0
    assert run("clusters", "--library", indexed).code == 0
    assert len(json.loads((tmp_path / "map.json").read_text())["tracks"]) == len(FREQUENCIES)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--out", "map.gif"), "a picture ends in .png or .svg"),
        (("--out", "nowhere/map.png"), "there is no folder nowhere"),
        (("--out", "map.json", "--dark"), "--dark and --color are for pictures"),
        (("--out", "map.json", "-k", "99", "--layout", "pca"), "99 groups of 5 tracks"),
        (("--out", "map.json", "-k", "many"), '"many" is no number of groups; write 8 or auto'),
        (("--out", "map.json", "--layout", "umap"), "'umap' is not one of"),
        (("--out", "map.json", "--sense", "sound", "--layout", "pca"), "there is only both"),
        ((), "Missing option '--out'"),
    ],
)
def test_what_the_map_cannot_do(
    run: Run, indexed: Path, tmp_path: Path, options: tuple[str, ...], reason: str
) -> None:
    ran = run("map", *options, "--library", indexed)
    assert ran.code == 2
    assert reason in ran.err
    assert list(tmp_path.iterdir()) == []


def test_clusters_are_listed(run: Run, indexed: Path) -> None:
    ran = run("clusters", "-k", 2, "-q", "--library", indexed)
    assert (ran.code, ran.err) == (0, "")
    sizes = [int(line.split()[0]) for line in ran.out.splitlines()]
    assert sizes == sorted(sizes, reverse=True)
    assert sum(sizes) == len(FREQUENCIES)


def test_long_names_are_cut(run: Run, model: Path, music: Path, tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    for number, name in enumerate(("low", "high")):
        tags = {"title": f"{name} {'and on ' * 40}", "artist": name}
        write_tone(tmp_path / f"music/{name}.flac", FREQUENCIES[name], 4.0 + number, tags=tags)
    library = ("--library", tmp_path / "lib")
    assert run("index", tmp_path / "music", *library, "--model", model, "-q").code == 0
    for command in (
        ("clusters", "-k", 2, "-q"),
        ("path", tmp_path / "music/low.flac", tmp_path / "music/high.flac"),
    ):
        lines = [line for line in run(*command, *library).out.splitlines() if "and on" in line]
        assert len(lines) == 2
        assert all(line.endswith("…") for line in lines)


def test_clusters_as_json(run: Run, indexed: Path) -> None:
    ran = run("clusters", "-k", 3, "--json", "-q", "--library", indexed)
    found = json.loads(ran.out)
    names = {track.id: track.path.stem for track in Library(indexed).tracks()}
    groups = [{names[track] for track in group["tracks"]} for group in found]
    assert sorted(map(sorted, groups)) == [["high", "higher"], ["low", "lower"], ["middle"]]
    assert [len(group) for group in groups] == [group["size"] for group in found]


def test_an_empty_library_has_no_groups(run: Run) -> None:
    ran = run("clusters", "--library", "nothing")
    assert ran.code == 2
    assert "there is no library in" in ran.err
