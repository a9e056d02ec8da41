"""Text as people compare it: without case, accents and width of letters."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Mapping

NEAR = 3
"""Names that are offered for one that nothing has."""

# Letters that Unicode does not take apart.
_LETTERS = str.maketrans({"ø": "o", "đ": "d", "ð": "d", "ł": "l", "æ": "ae", "œ": "oe", "þ": "th"})


def folded(text: str) -> str:
    """Fold a text: "Beyoncé", "BEYONCE" and "Beyoncé" are one; spaces become single."""
    text = text.casefold()
    if not text.isascii():
        # Letters of other scripts keep their marks, which make other letters of them.
        apart = unicodedata.normalize("NFKD", text)
        bare = "".join(letter for letter in apart if not "\u0300" <= letter <= "\u036f")
        text = unicodedata.normalize("NFC", bare.translate(_LETTERS))
    return " ".join(text.split())


def meant(wanted: str, spellings: Mapping[str, str]) -> str:
    """The end of an error about a name that nothing has: "; did you mean 'Abba' or 'Abbaye'?", or "".

    Args:
        wanted: what was asked for, folded.
        spellings: folded name -> how it is written.
    """
    inside = [name for name in spellings if wanted and wanted in name]
    near = dict.fromkeys([*inside, *difflib.get_close_matches(wanted, spellings, n=NEAR)])
    close = [repr(spellings[name]) for name in near][:NEAR]
    return f"; did you mean {' or '.join(close)}?" if close else ""
