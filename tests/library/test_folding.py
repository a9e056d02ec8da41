from __future__ import annotations

import pytest

from soundalike.library.folding import folded, meant


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  So \t What ", "so what"),
        ("BEYONCÉ", "beyonce"),
        ("Beyonce\u0301", "beyonce"),
        ("Straße", "strasse"),
        ("Mø Łódź Œuvre", "mo lodz oeuvre"),
        ("ＡＢＢＡ", "abba"),
        ("ガ", "ガ"),  # in other scripts a mark makes another letter
        ("\uff76\uff9e", "\u30ac"),
        ("", ""),
    ],
)
def test_text_as_people_compare_it(text: str, expected: str) -> None:
    assert folded(text) == expected
    assert folded(folded(text)) == folded(text)


def test_names_that_come_near_are_offered_as_they_are_written() -> None:
    spellings = {
        folded(name): name for name in ("Björk", "Björn", "Abba", "Abbaye", "Slabbard", "Cabbage")
    }
    assert meant("bjork", spellings).startswith("; did you mean 'Björk' or 'Björn'")
    assert (
        meant("abba", spellings) == "; did you mean 'Abba' or 'Abbaye' or 'Slabbard'?"
    )  # three at most
    assert meant("quartet", spellings) == meant("", spellings) == ""
