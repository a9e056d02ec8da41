from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from soundalike.library.library import Library

ROUTES = ("similar_tracks", "find_path", "similar_artists")
Serve = Callable[..., TestClient]


@pytest.fixture
def audiomuse(serve: Serve) -> TestClient:
    return serve(compat=("audiomuse",))


def asked(client: TestClient, route: str, **parameters: Any) -> Any:
    answer = client.get(f"/api/{route}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(client: TestClient, route: str, **parameters: Any) -> int:
    answer = client.get(f"/api/{route}", params=parameters)
    assert list(answer.json()) == ["error"]
    assert isinstance(answer.json()["error"], str)
    return answer.status_code


@pytest.mark.parametrize("route", ROUTES)
def test_they_are_not_there_unless_wanted(client: TestClient, route: str) -> None:
    assert client.get(f"/api/{route}?item_id=x&artist=x").status_code == 404


def test_similar_tracks(audiomuse: TestClient, library: Library, ids: dict[str, str]) -> None:
    given = {"eliminate_duplicates": "true", "radius_similarity": "true"}
    found = asked(audiomuse, "similar_tracks", item_id=ids["low"], n=3, **given)
    answers = library.similar(ids["low"], n=3)
    assert [each["item_id"] for each in found] == [each.track.id for each in answers]
    assert found[0] | {"distance": 0} == {
        "item_id": ids["lower"],
        "title": "lower",
        "author": "Low & <Slow>",
        "album": "Low & <Slow> I",
        "distance": 0,
    }
    for item, answer in zip(found, answers, strict=True):
        assert item["distance"] == pytest.approx(1 - answer.similarity, abs=1e-6)


def test_duplicates_may_be_wanted(audiomuse: TestClient, ids: dict[str, str]) -> None:
    found = asked(audiomuse, "similar_tracks", item_id=ids["low"], eliminate_duplicates="false")
    assert len(found) == 4


def test_a_track_is_named_by_id_path_or_title(
    audiomuse: TestClient, music: Path, ids: dict[str, str]
) -> None:
    by_id = asked(audiomuse, "similar_tracks", item_id=ids["low"])
    for given in (
        {"item_id": str(music / "Low/low.flac")},
        {"item_id": "Low/low.flac"},
        {"title": "LOW", "artist": "low & <slow>"},
        {"title": "low"},
        {"item_id": "of another server", "title": "low", "artist": "Low & <Slow>"},
    ):
        assert asked(audiomuse, "similar_tracks", **given) == by_id


def test_nothing_but_the_library_is_looked_at(audiomuse: TestClient, tmp_path: Path) -> None:
    for lost in (
        *("/etc/passwd", "../../../etc/passwd", "~", "~root/x", "\0", "/\0", ".", "/", "x" * 5000),
        *(str(tmp_path), "file:///etc/passwd", "%", "*"),
    ):
        assert refused(audiomuse, "similar_tracks", item_id=lost) == 404
        assert refused(audiomuse, "find_path", start_song_id=lost, end_song_id=lost) == 404
    assert refused(audiomuse, "similar_tracks", title="low", artist="Bright") == 404
    assert refused(audiomuse, "similar_tracks", title="?") == 404


def test_a_path(audiomuse: TestClient, ids: dict[str, str]) -> None:
    given = {"path_fix_size": "false", "mood_pct": "100", "max_steps": "4", "count": "4"}
    ends = {"start_song_id": ids["low"], "end_song_id": ids["higher"]}
    found = asked(audiomuse, "find_path", **ends, **given)
    items = [each["item_id"] for each in found["path"]]
    assert (items[0], items[-1], len(items)) == (ids["low"], ids["higher"], 4)
    assert found["path"][0]["distance"] == 0
    total = sum(each["distance"] for each in found["path"])
    assert found["total_distance"] == pytest.approx(total, abs=1e-5)
    assert len(asked(audiomuse, "find_path", **ends)["path"]) == 5
    assert refused(audiomuse, "find_path", **ends, max_steps=1) == 400
    assert refused(audiomuse, "find_path", start_song_id=ids["low"]) == 400
    same = {"start_song_id": ids["low"], "end_song_id": ids["low"]}
    assert refused(audiomuse, "find_path", **same) == 400


def test_artists(audiomuse: TestClient, ids: dict[str, str]) -> None:
    (found,) = asked(audiomuse, "similar_artists", artist="bright", n=10)
    assert (found["artist"], set(found)) == (
        *("Low & <Slow>", {"artist", "artist_id", "divergence"}),
    )
    assert 0 <= found["divergence"] <= 1
    (again,) = asked(audiomuse, "similar_artists", artist_id=found["artist_id"])
    assert again["artist"] == "Bright"
    (matched,) = asked(
        audiomuse, "similar_artists", artist="Bright", include_component_matches="true"
    )
    for match in matched["component_matches"]:
        (one,) = match["artist1_representative_songs"]
        (other,) = match["artist2_representative_songs"]
        assert one["item_id"] in {ids[title] for title in ("middle", "high", "higher")}
        assert other == {"item_id": ids[other["title"]], "title": other["title"]}
    assert refused(audiomuse, "similar_artists", artist="Nobody") == 404
    assert refused(audiomuse, "similar_artists") == 400


@pytest.mark.parametrize("n", ["0", "-1", "x", "1.5", "9" * 5000 + "x", "٣"])
def test_a_number_is_one(audiomuse: TestClient, ids: dict[str, str], n: str) -> None:
    assert refused(audiomuse, "similar_tracks", item_id=ids["low"], n=n) == 400


@pytest.mark.parametrize("route", ROUTES)
def test_the_token_is_asked_for(serve: Serve, ids: dict[str, str], route: str) -> None:
    client = serve(compat=("audiomuse",), token="secret")
    given = {"item_id": ids["low"], "artist": "Bright"}
    given |= {"start_song_id": ids["low"], "end_song_id": ids["high"]}
    assert client.get(f"/api/{route}", params=given).status_code == 401
    headers = {"Authorization": "Bearer secret"}
    assert client.get(f"/api/{route}", params=given, headers=headers).status_code == 200
