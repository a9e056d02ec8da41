"""What is known of a track besides its sound: where it lies and what its tags say.

In: the tags a decoder found, and paths as the system gives them. Out: cleaned text fit for a table,
a terminal or a playlist, and paths as text that Arrow accepts and that lead back to the very same
file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPE = re.compile("\0([0-9a-f]{4})")
# Line and paragraph separators break a playlist or a table just as the control characters do.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# A number of four digits, or the first four of a date without separators, 19991231.
_YEAR = re.compile(r"(?<!\d)[12]\d{3}(?=(?:(?:0[1-9]|1[0-2])[0-3]\d)?(?!\d))")
# Names of one thing in ID3, Vorbis comments, APE and MP4, in the order of trust.
_NAMES = {
    "title": ("title",),
    "artist": ("artist", "album_artist", "albumartist", "album artist"),
    "album": ("album",),
    "album_artist": ("album_artist", "albumartist", "album artist"),
    "genre": ("genre",),
}
_DATES = ("date", "year", "originaldate", "original_year", "tyer", "tdrc", "tdrl")
_NUMBERS = ("track", "tracknumber")
# Tags without a column of their own: the name kept here, then what FFmpeg calls them in ID3 (2.3 and later,
# 2.2), MP4, ASF, APE and Vorbis comments, in the order of trust.
_FAMILIES = {
    "bpm": ("bpm", "tbpm", "tbp", "tmpo", "beatsperminute", "wm/beatsperminute"),
    "key": ("key", "initialkey", "initial key", "initial_key", "tkey", "tke", "wm/initialkey"),
    "label": (
        *("label", "publisher", "organization", "organisation", "record label", "recordlabel"),
        *("tpub", "tpb", "wm/publisher"),
    ),
    "isrc": ("isrc", "tsrc", "trc", "wm/isrc"),
    "composer": ("composer", "tcom", "tcm", "©wrt", "wrt", "wm/composer"),
    "compilation": ("compilation", "tcmp", "tcp", "cpil", "itunescompilation", "wm/iscompilation"),
    "disc": ("disc", "discnumber", "disk", "disknumber", "tpos", "tpa", "wm/partofset"),
    "language": ("language", "lang", "tlan", "tla", "wm/language"),
    "mood": ("mood", "tmoo", "wm/mood"),
    "comment": ("comment", "comments", "comm", "com", "©cmt", "wm/comments"),
}
_FAMILY = {name: kept for kept, names in _FAMILIES.items() for name in names}
# Notes of other programs to themselves, no words about music.
_NOTES = re.compile(r"id3v2_priv\.|itun(norm|smpb|pgap)|cddb|.*coverart|metadata_block_picture")
LONGEST = 500
"""Characters kept of a tag without a column of its own: lyrics would outweigh the vectors."""


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags of a file, cleaned; what a file does not say is "" or None.

    `more` is a JSON object of the tags that have no column of their own or say more than it holds
    ("3/12", "1999-05-01"), lower-case name -> text; "" if there are none. What every container calls
    otherwise ("tbpm", "tmpo") has one name ("bpm").
    """

    title: str = ""
    artist: str = ""
    album: str = ""
    album_artist: str = ""
    genre: str = ""
    year: int | None = None
    track_number: int | None = None
    more: str = ""


@dataclass(frozen=True, slots=True)
class Track:
    """One track of a library.

    Attributes:
        id: 16 hexadecimal digits made from the content of the file; stays when the file moves.
        path: absolute.
        title: the tag, or the file name without its ending.
        artist, album, album_artist, genre: "" when the file does not say.
        duration: seconds.
        year, track_number: None when the file does not say.
    """

    id: str
    path: Path
    title: str
    artist: str
    album: str
    duration: float
    album_artist: str = ""
    genre: str = ""
    year: int | None = None
    track_number: int | None = None


def read_tags(tags: Mapping[str, str]) -> Tags:
    """Pick the known tags out of those of a file, lower-case names, and clean them."""
    text = {name: _first(tags, names) for name, names in _NAMES.items()}
    year = _YEAR.search(_first(tags, _DATES))
    # "3", "3/12" and "03 of 12" all say 3; the column has 32 bits.
    number = re.match(r"\d{1,9}(?!\d)", _first(tags, _NUMBERS))
    return Tags(
        **text,
        year=int(year[0]) if year else None,
        track_number=int(number[0]) if number else None,
        more=_more(tags, {*text.values(), year[0] if year else "", number[0] if number else ""}),
    )


def kept_as(name: str) -> str:
    """The name under which a tag without a column is kept: "tbpm" -> "bpm"; most keep their own."""
    return _FAMILY.get(name, name)


def names_of(name: str) -> tuple[str, ...]:
    """All names of the tag that has this one, itself first; libraries of before kept each as it came."""
    return tuple(dict.fromkeys((name, *_FAMILIES.get(kept_as(name), ()))))


def clean(text: str) -> str:
    """Make text safe to store and show: no control characters, surrogates or outer space."""
    return " ".join(_CONTROL.sub(" ", _SURROGATE.sub("\ufffd", text)).split())


def path_to_text(path: Path) -> str:
    r"""Write a path as valid Unicode, reversibly.

    Bytes that are not UTF-8 reach Python as lone surrogates, which Arrow, JSON and UTF-8 refuse.
    Each becomes a NUL, which no file system allows in a name, and the four hexadecimal digits of
    the surrogate. All other paths stay as they are, percent signs, newlines and emoji included.
    """
    return _SURROGATE.sub(lambda found: f"\0{ord(found[0]):04x}", str(path))


def text_to_path(text: str) -> Path:
    """Undo `path_to_text`."""
    return Path(_ESCAPE.sub(lambda found: chr(int(found[1], 16)), text))


def title_of(path: Path) -> str:
    """Name a track without a title tag: its file name without the ending, cleaned."""
    return clean(path.stem) or clean(path.name)


def _more(tags: Mapping[str, str], told: set[str]) -> str:
    """The other tags; those whose text is in a column already need no second place."""
    named = {name for names in _NAMES.values() for name in names} | set(_DATES) | set(_NUMBERS)
    families = {kept: _first(tags, names) for kept, names in _FAMILIES.items()}
    others = {kept: text[:LONGEST] for kept, text in families.items() if text}
    for name in sorted(set(tags) - set(families)):
        text = clean(tags[name])
        # A second name of a tag is worth a place if it says something else.
        known = (name in named and text in told) or text == families.get(kept_as(name))
        if text and not known and not _NOTES.match(name):
            others[clean(name)] = text[:LONGEST]
    return json.dumps(dict(sorted(others.items())), ensure_ascii=False) if others else ""


def _first(tags: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := clean(tags.get(name, "")))), "")
