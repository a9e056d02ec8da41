from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.subsonic import shapes
from soundalike.server.subsonic import envelope
from soundalike.server.subsonic.failures import FailureError
from soundalike.server.subsonic.parameters import Parameters

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=30)


def in_format(**parameters: str) -> Parameters:
    return Parameters(list(parameters.items()))


def body(content: dict[str, object], **parameters: str) -> bytes:
    return bytes(envelope.succeeded(content, in_format(**parameters)).body)


def test_plain_values_are_attributes_and_lists_are_elements() -> None:
    text = body({"genres": {"genre": [{"value": "R&B", "songCount": 2}], "whole": True}})
    root = ElementTree.fromstring(text)
    (genres,) = root
    assert genres.get("whole") == "true"
    (genre,) = genres
    assert (genre.text, genre.get("songCount")) == ("R&B", "2")
    assert root.get("openSubsonic") == "true"


def test_a_list_of_plain_values_is_elements_with_text() -> None:
    text = body({"openSubsonicExtensions": [{"name": "x", "versions": [1, 2]}]})
    assert b'<openSubsonicExtensions name="x"><versions>1</versions><versions>2</versions>' in text


def test_a_similarity_is_an_element() -> None:
    assert b"<sonicMatch><similarity>0.5</similarity></sonicMatch>" in body(
        {"sonicMatch": [{"similarity": 0.5}]}
    )


def test_an_empty_list_is_there_in_json_and_nothing_in_xml() -> None:
    assert b'"songs":{"song":[]}' in body({"songs": {"song": []}}, f="json")
    assert b"<songs />" in body({"songs": {"song": []}})


@given(ANY_TEXT)
def test_any_text_makes_well_formed_answers(text: str) -> None:
    content = {"song": {"title": text, "value": text}, "isrc": [text]}
    root = ElementTree.fromstring(body(content))
    (song, _) = root
    shown = "".join(
        c if c.isprintable() or c in "\t\n\r" or ord(c) > 126 else "\ufffd" for c in text
    )
    assert len(song.get("title") or "") == len(shown)
    decoded = json.loads(body(content, f="json").decode())["subsonic-response"]
    assert len(decoded["song"]["title"]) == len(text)
    script = body(content, f="jsonp", callback="f").decode()
    assert json.loads(script.removeprefix("/**/f(").removesuffix(");")) == {
        "subsonic-response": decoded
    }


def test_what_xml_cannot_hold_becomes_a_mark() -> None:
    root = ElementTree.fromstring(body({"song": {"title": "a\0b\x1bc\ud800d\uffffe\tf"}}))
    assert root[0].get("title") == "a\ufffdb\ufffdc\ufffdd\ufffde\tf"


@pytest.mark.parametrize("callback", ["f", "_f1", "$.f", "player.callbacks.jsonp_12"])
def test_jsonp_calls_a_function(callback: str) -> None:
    answer = envelope.succeeded({}, in_format(f="jsonp", callback=callback))
    assert bytes(answer.body).startswith(f"/**/{callback}({{".encode())
    assert answer.media_type == "text/javascript; charset=utf-8"


@pytest.mark.parametrize(
    "callback",
    ["alert(1)//", "a b", "a;b", "1a", "a..b", "a.", "é", "a\n", "x" * 129, "<script>", "a[0]"],
)
def test_jsonp_calls_nothing_else(callback: str) -> None:
    with pytest.raises(FailureError, match="callback") as caught:
        envelope.succeeded({}, in_format(f="jsonp", callback=callback))
    answer = envelope.failed(caught.value, in_format(f="jsonp", callback=callback))
    assert answer.media_type == "application/json"
    assert json.loads(bytes(answer.body))["subsonic-response"]["error"]["code"] == 0


def test_jsonp_without_a_function_lacks_a_parameter() -> None:
    failure = FailureError(70, "not this one")
    answer = envelope.failed(failure, in_format(f="jsonp"))
    assert json.loads(bytes(answer.body))["subsonic-response"]["error"]["code"] == 10


def test_an_unknown_format_is_told_in_xml() -> None:
    with pytest.raises(FailureError, match="'yaml'; it is xml, json or jsonp"):
        envelope.succeeded({}, in_format(f="yaml"))
    answer = envelope.failed(FailureError(70, "not this one"), in_format(f="yaml"))
    found = shapes.from_xml(bytes(answer.body))
    assert found.error is not None
    assert (found.status, found.error.code) == ("failed", 0)
