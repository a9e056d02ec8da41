from __future__ import annotations

import pytest

from server.subsonic.conftest import Caller
from soundalike.server.subsonic.absent import EMPTY


@pytest.mark.parametrize("name", EMPTY)
def test_what_there_is_nothing_of_is_empty(call: Caller, name: str) -> None:
    response = call(name, id="whatever", artist="whoever")
    assert response["status"] == "ok"
    (content,) = EMPTY[name]
    assert not any(response[content].values())


def test_a_play_is_taken_note_of(call: Caller, song_ids: dict[str, str]) -> None:
    both = [song_ids["First"], song_ids["Guest"]]
    assert call("scrobble", id=both, submission="true")["status"] == "ok"
    assert call.failure("scrobble") == 10
    assert call.failure("scrobble", id=[*both, "nowhere"]) == 70
