from __future__ import annotations

import pytest

from soundalike.library.folding import folded


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
