from __future__ import annotations

import pytest

from server.subsonic.conftest import Caller
from soundalike.server.subsonic.failures import FailureError
from soundalike.server.subsonic.parameters import Parameters


def test_values_keep_their_order_and_empty_ones_are_none() -> None:
    given = Parameters([("id", ""), ("id", "b"), ("id", "a")])
    assert given.all("id") == ["b", "a"]
    assert given.text("id") == "b"
    assert given.given("id")
    assert given.text("other", "default") == "default"


def test_what_is_missing_is_named() -> None:
    with pytest.raises(FailureError, match="the parameter id is missing") as caught:
        Parameters([("id", "")]).required("id")
    assert caught.value.code == 10


@pytest.mark.parametrize("value", ["-1", "x", "1.5", "1_0", "9" * 19, "٣", " 1", "1\n"])
def test_a_number_is_digits(value: str) -> None:
    with pytest.raises(FailureError, match="a whole number from 0 on"):
        Parameters([("size", value)]).number("size", 10)


def test_a_number_has_a_default_and_a_limit() -> None:
    assert Parameters([]).number("size", 10) == 10
    assert Parameters([("size", "501")]).number("size", 10, most=500) == 500
    assert Parameters([("fromYear", "-5")]).required_number("fromYear") == -5


def test_a_flag_is_true_or_false() -> None:
    given = Parameters([("a", "true"), ("b", "False"), ("d", "1")])
    assert [given.flag(name) for name in "abc"] == [True, False, None]
    with pytest.raises(FailureError, match="it is true or false"):
        given.flag("d")


def test_a_form_is_read_like_a_query(call: Caller) -> None:
    answer = call.client.post("/rest/search3", data={"f": "json", "query": "first", "u": "x"})
    assert len(answer.json()["subsonic-response"]["searchResult3"]["song"]) == 1


def test_a_form_adds_to_the_query(call: Caller) -> None:
    answer = call.client.post("/rest/search3.view?f=json", data={"query": "first"})
    assert len(answer.json()["subsonic-response"]["searchResult3"]["song"]) == 1


def test_a_body_of_another_kind_is_no_form(call: Caller) -> None:
    answer = call.client.post("/rest/getSong?f=json", json={"id": "x"})
    assert answer.json()["subsonic-response"]["error"]["code"] == 10


def test_bytes_that_are_not_utf8_find_nothing(call: Caller) -> None:
    answer = call.client.get("/rest/getSong?f=json&id=%ff%fe")
    assert answer.json()["subsonic-response"]["error"]["code"] == 70
