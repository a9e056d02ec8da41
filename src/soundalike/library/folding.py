"""Text as people compare it: without case, accents and width of letters."""

from __future__ import annotations

import unicodedata

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
