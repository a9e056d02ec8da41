from __future__ import annotations

from typing import Any

import pytest

from server.subsonic.conftest import Caller


def found(call: Caller, query: str | None, **parameters: Any) -> dict[str, list[str]]:
    given = parameters if query is None else {"query": query, **parameters}
    result = call("search3", **given)["searchResult3"]
    return {
        "artist": [each["name"] for each in result["artist"]],
        "album": [each["name"] for each in result["album"]],
        "song": [each["title"] for each in result["song"]],
    }


@pytest.mark.parametrize("query", ["", '""', "*", None])
def test_no_words_are_everything(call: Caller, query: str | None, song_ids: dict[str, str]) -> None:
    everything = found(call, query)
    assert sorted(everything["song"]) == sorted(song_ids)
    assert (len(everything["artist"]), len(everything["album"])) == (4, 4)


def test_everything_page_by_page(call: Caller) -> None:
    whole = found(call, "")["song"]
    pages = [found(call, "", songCount=3, songOffset=i)["song"] for i in (0, 3, 6, 9)]
    assert [title for page in pages for title in page] == whole
    assert pages[-1] == []


def test_words_are_found_in_names(call: Caller) -> None:
    result = found(call, "beyonce")
    assert result["artist"] == ["Beyoncé"]
    assert result["album"] == ["One"]
    assert sorted(result["song"]) == ["First", "Guest", "Second", "Third"]
    assert found(call, "guest")["song"] == ["Guest"]
    assert found(call, '"gue*"')["song"] == ["Guest"]
    assert found(call, "nothing like it") == {"artist": [], "album": [], "song": []}


def test_counts_are_kept_to(call: Caller) -> None:
    result = found(call, "beyonce", songCount=0, artistCount=0, albumCount=1)
    assert result == {"artist": [], "album": ["One"], "song": []}
    assert call.failure("search3", songCount="many") == 0


def test_a_music_folder_narrows(call: Caller) -> None:
    assert found(call, "", musicFolderId=1) == found(call, "")
    assert call.failure("search3", musicFolderId=7) == 70


def test_albums_as_folders(call: Caller) -> None:
    result = call("search2", query="many")["searchResult2"]
    assert [album["isDir"] for album in result["album"]] == [True]
