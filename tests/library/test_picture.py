"""Pictures of maps: right kind of file, the same twice, names that do not lie on each other."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from soundalike.errors import LibraryError, QueryError
from soundalike.library import picture
from soundalike.library.seeing import Cluster, Map
from soundalike.library.tracks import Track

pytest.importorskip("matplotlib")


def map_of(count: int = 40, groups: int = 3, **fields: object) -> Map:
    tracks = [
        Track(f"{i:016x}", Path(f"/m/{i % 5}/{i}.flac"), f"T{i}", f"A{i % 4}", "", 60.0, **fields)  # type: ignore[arg-type]
        for i in range(count)
    ]
    places = np.random.default_rng(0).random((count, 2), np.float32)
    labels = np.arange(count) % groups
    clusters = [
        Cluster(k, f"A group with number {k}", (), tuple(np.array(tracks)[labels == k]))
        for k in range(groups)
    ]
    return Map(tracks, places, clusters, labels, "pca")


@pytest.mark.parametrize("color", picture.COLORS)
def test_every_colouring_is_drawn(tmp_path: Path, color: str) -> None:
    picture.draw(map_of(genre="Jazz"), tmp_path / "m.png", color=color)
    assert (tmp_path / "m.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["m.png"]


def test_years_are_a_scale(tmp_path: Path) -> None:
    seen = map_of(year=1971)
    picture.draw(seen, tmp_path / "m.svg", color="year")
    assert ">1971<" in (tmp_path / "m.svg").read_text().replace(" ", "")


@pytest.mark.parametrize("ending", ["png", "svg", "SVG"])
def test_the_same_map_is_the_same_picture(tmp_path: Path, ending: str) -> None:
    for name in ("one", "two"):
        picture.draw(map_of(), tmp_path / f"{name}.{ending}")
    one, two = ((tmp_path / f"{name}.{ending}").read_bytes() for name in ("one", "two"))
    assert one == two


def test_a_picture_says_what_it_shows(tmp_path: Path) -> None:
    picture.draw(map_of(), tmp_path / "m.svg")
    text = (tmp_path / "m.svg").read_text()
    for words in ("40 tracks, by how they sound", "near means alike", "A group with"):
        assert words in text


def test_dark_is_light_on_dark(tmp_path: Path) -> None:
    picture.draw(map_of(), tmp_path / "m.svg", dark=True)
    text = (tmp_path / "m.svg").read_text()
    assert picture.DARK.paper in text
    assert picture.LIGHT.paper not in text


@pytest.mark.parametrize("count", [1, 2, 12_000])
def test_libraries_of_any_size_are_drawn(tmp_path: Path, count: int) -> None:
    picture.draw(map_of(count, 1), tmp_path / "m.svg")
    # A shape per dot would make it several megabytes.
    assert (tmp_path / "m.svg").stat().st_size < 1_500_000


def test_names_have_room() -> None:
    """However near to each other the groups lie."""
    rng = np.random.default_rng(1)
    taken: list[picture.Box] = []
    dots = 1000 * rng.random((200, 2))
    for _ in range(12):
        x, y = 480 + 40 * rng.random(2)
        taken.append((*picture._free((x, y, 120, 20), taken, (0, 0, 1000, 800), dots), 120, 20))
    assert not any(picture._touch(one, other) for one, other in combinations(taken, 2))
    assert all(0 <= x <= 880 and 0 <= y <= 780 for x, y, _, _ in taken)


def test_a_name_would_rather_cover_no_dot() -> None:
    dot = np.array([[150.0, 110.0]])
    x, y = picture._free((100, 100, 100, 20), [], (0, 0, 1000, 800), dot)
    assert not (x < 150 < x + 100 and y < 110 < y + 20)
    assert abs(x - 100) + abs(y - 100) < 100


def test_names_of_tags_are_text_and_not_formulas(tmp_path: Path) -> None:
    seen = map_of(groups=1)
    odd = Cluster(0, "$\\frac{$ & <b> 日本", (), seen.clusters[0].tracks)
    picture.draw(Map(seen.tracks, seen.places, [odd], seen.labels, "pca"), tmp_path / "m.svg")
    assert "$\\frac{$ &amp; &lt;b&gt;" in (tmp_path / "m.svg").read_text()


def test_what_cannot_be_drawn_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(QueryError, match=r"m\.gif: a picture ends in \.png or \.svg"):
        picture.draw(map_of(), tmp_path / "m.gif")
    with pytest.raises(QueryError, match="'mood'; there are cluster, genre"):
        picture.draw(map_of(), tmp_path / "m.png", color="mood")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(LibraryError, match=r"pip install 'soundalike\[map\]'"):
        picture.draw(map_of(), tmp_path / "m.png")
    assert list(tmp_path.iterdir()) == []
