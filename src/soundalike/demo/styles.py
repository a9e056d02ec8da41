"""The accompanist's memory: every style of chords, bass and drums, as patterns by metre.

`arrange.py` explains the signs; "any" serves every metre.
"""

from __future__ import annotations

from collections.abc import Mapping

# fmt: off
Styles = Mapping[str, Mapping[str, str]]

CHORDS: Styles = {
    "held": {"any": "*"},
    "beats": {"4/4": "****", "6/8": "**"},
    "eighths": {"4/4": "********", "6/8": "******", "5/4": "**********"},
    "arpeggio": {"4/4": "01234321", "3/4": "012343", "6/8": "012321", "5/4": "0123454321"},
    "rolling": {"4/4": "0123012301230123"},
    "alberti": {"4/4": "02120212", "3/4": "021212"},
    "harp": {"6/8": "012345"},
    "oompah": {"4/4": ".^.^", "3/4": ".**", "6/8": "..*..*"},
    "strum": {"4/4": "*-**-***"},
    "rasgueado": {"6/8": "*-*.**|*-*-*-"},
    "offbeat": {"4/4": ".*.*.*.*"},
    "stabs": {"4/4": "*..*..*.....*...|...*..*...*.*..."},
    "comping": {"4/4": "*..*--..|..*--.*-", "5/4": "*..*--.*-."},
    "tremolo": {"4/4": "****************"},
    "chip": {"4/4": "0123012301230123|0321032103210321", "3/4": "012012012012"},
}

# Beats between the voices of one stroke: a strum is not struck at once.
SPREAD = {"strum": 0.022, "rasgueado": 0.03}

BASSES: Styles = {
    "roots": {"any": "r"},
    "drone": {"any": "t"},
    "halves": {"4/4": "r-5-", "3/4": "r--|5--", "6/8": "r5", "5/4": "r--5-"},
    "oompah": {"4/4": "r.5.", "3/4": "r..|5.."},
    "walking": {"4/4": "r35a|r53a", "5/4": "r358a"},
    "pulse": {"4/4": "rrrrrrrr", "3/4": "rrrrrr", "6/8": "r.rr.r", "5/4": "rrrrrrrrrr"},
    "octaves": {"4/4": "r8r8r8r8", "3/4": "r8r8r8"},
    "afterbeat": {"4/4": "..r...r...r...r."},
    "funk": {"4/4": "r-.r..8...r.5-a-|r-.r..8.r..8..5-", "5/4": "r-.r..8...r.5-8.a-.."},
    "acid": {"4/4": "r.r8r.rr8.r5r.8r|r.r8r.rr5.r8a.r3"},
}

DRUMS: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "rock": {
        "4/4": {"kick": "X....x..|X..x.x..", "snare": "..X...X.", "hat": "xoxoxoxo"},
        "6/8": {"kick": "X....x", "snare": "...X..", "hat": "xooxoo"},
        "5/4": {"kick": "X..x......", "snare": "....X...X.", "hat": "xoxoxoxoxo"},
    },
    "funk": {
        "4/4": {
            "kick": "X.....x..x......|X..x..x...x.....", "snare": "....X..o.o..X..o",
            "hat": "x.xxx.xxx.xxx.x.", "open hat": "..............x.",
        },
    },
    "halftime": {
        "4/4": {
            "kick": "X......x.x......", "snare": "........X.......", "hat": "x.o.x.o.x.o.x.oo",
        },
    },
    "breaks": {
        "4/4": {
            "kick": "X.X.......XX....|X.X.......X.....", "ride": "x.x.x.x.x.x.x.x.",
            "snare": "....X..o.o..X..o|....X..o.o....X.",
        },
    },
    "toms": {
        "4/4": {
            "kick": "X...x...X...x...", "shaker": "xoxoxoxoxoxoxoxo",
            "low tom": "x.....x.....x...", "tom": "...x.....x......",
            "high tom": "..............xx",
        },
        "6/8": {"kick": "X.....", "low tom": "x..x.x", "tom": "..x...", "high tom": "....o."},
    },
    "brushes": {
        "4/4": {"kick": "o...o...", "ride": "x.xox.xo", "rim": "..o...o."},
        "3/4": {"kick": "o.....", "ride": "x.xoxo", "rim": "..o.o."},
        "5/4": {"kick": "o.....o...", "ride": "x.xox.x.xo", "rim": "....o...o."},
    },
    "techno": {
        "4/4": {"kick": "XXXX", "open hat": ".x.x.x.x", "clap": ".x.x", "hat": "oooooooooooooooo"},
    },
    "minimal": {
        "4/4": {"kick": "XXXX", "rim": "...o..o....o..o.", "shaker": "oxoxoxoxoxoxoxox"},
    },
    "march": {
        "4/4": {"kick": "X.x.", "snare": "..x...x...x.xxx.|..x...x...xxx.x.", "crash": "o..."},
    },
    "waltz": {"3/4": {"kick": "x..", "snare": ".oo", "ride": "xoo"}},
    "folk": {"4/4": {"kick": "x.x.", "tambourine": ".x.x", "shaker": "oxoxoxox"}},
    "cajon": {"6/8": {"low tom": "X....x", "clap": "..xx.x", "rim": "o.oo.o"}},
    "chip": {
        "4/4": {"kick": "X...x...", "snare": "..X...Xo", "hat": "xoxoxoxo"},
        "3/4": {"kick": "X..", "snare": ".ox", "hat": "xoxoxo"},
    },
    "clock": {"5/4": {"block": "x.o.o.x.o.", "shaker": "oxoxoxoxox"}},
}

# Styles loose enough for a fill and a crash; the others tick on.
FILLED = frozenset({"rock", "funk", "halftime", "breaks", "toms", "march"})
FILLS: Mapping[str, Mapping[str, str]] = {
    "4/4": {
        "kick": "X...x...x...x...", "snare": "x.oxx.ox........", "high tom": "........xx......",
        "tom": "..........xx....", "low tom": "............xxX.",
    },
    "6/8": {"kick": "x..x..", "snare": "x.xx..", "tom": "....x.", "low tom": ".....X"},
    "5/4": {
        "kick": "x..x......", "snare": "x.x.xx....", "tom": "......xx..", "low tom": "........xX",
    },
}
# fmt: on


def pattern(styles: Styles, name: str, metre: str, bar: int) -> str:
    """The pattern of the style `name` for one bar; `bar` counts within the section."""
    table = styles[name]
    lines = (table.get(metre) or table["any"]).split("|")
    return lines[bar % len(lines)]
