"""Eleven pieces that have nothing to do with one another: the company the tunes are found in."""

from __future__ import annotations

from soundalike.demo.score import Arrangement, Section, Tune

# fmt: off

_LETTERS = "abcdefghijklmnop"
_TWELVE_BARS = "I7 | IV7 | I7 | I7 | IV7 | IV7 | I7 | I7 | V7 | IV7 | I7 | V7"


def plain_hunt(bells: int = 8) -> list[tuple[int, ...]]:
    """The rows of a plain hunt on an even number of bells, from rounds until before rounds again.

    Pairs swap places, from the first place and from the second in turn: the oldest way to ring a
    set of bells without repeating a row. Bell 1 is the highest.
    """
    rows = [tuple(range(1, bells + 1))]
    for change in range(2 * bells - 1):
        row = list(rows[-1])
        for place in range(change % 2, bells - 1, 2):
            row[place], row[place + 1] = row[place + 1], row[place]
        rows.append(tuple(row))
    return rows


def _hunted() -> dict[str, str]:
    return {
        letter: " ".join(f"{8 - bell}:.5" for bell in row)
        for letter, row in zip(_LETTERS, plain_hunt(), strict=True)
    }


PIECES: tuple[tuple[Tune, Arrangement], ...] = (
    (
        Tune("Slow Glass", tonic=64, mode="lydian", metre="4/4", tempo=60, form="AB",
            motifs={"a": "r:2 4:2", "b": "r 2 1:2", "c": "0:3 r"},
            sections={
                "A": Section("IM9 | IM9 | vi9 | vi9 | IM9 | IM9 | iii7 | II | IM9",
                             "acb,abac,", base=4, rise=3),
                "B": Section("vi9 | vi9 | VM7 | VM7 | iii7 | II | IM9 | II | IM9",
                             "bacabcab.", base=6, rise=3),
            }),
        Arrangement("ambient", "Halide", "Ambient", room="church", parts={
            "melody": "celesta", "chords": "glass pad: held", "pad": "synth pad: held",
            "bass": "sub bass: roots",
        }),
    ),
    (
        Tune("Kitchen Table", tonic=60, mode="major", metre="4/4", tempo=104, form="ABAC",
            sections={letter: Section("I | I | I | I | I | I | I | I") for letter in "ABC"}),
        Arrangement("drums alone", "Jonah Pell", "Drums", parts={"drums": "kit: funk/breaks/toms"}),
    ),
    (
        Tune("Pixel Orchard", tonic=72, mode="major", metre="4/4", tempo=152, form="AABBA",
            motifs={"a": "0:.5 r:.5 0:.5 2:.5 4 2", "b": "4:.5 3:.5 2:.5 1:.5 0:2", "c": "0 r 1 2"},
            sections={
                "A": Section("I | iii | IV | iv | I | vi | bVI bVII | I",
                             "abac abc.", base=2, rise=3),
                "B": Section("bVI | bVII | I | I | bVI | bVII | IV | V",
                             "cacb cac,", base=4, rise=3),
            }),
        Arrangement("arpeggios", "Tiny Motherboard", "Chiptune", room="dry", strict=True, parts={
            "melody": "pulse", "chords": "square: chip", "bass": "triangle: octaves",
            "drums": "drum machine: chip",
        }),
    ),
    (
        Tune("Etude in Falling Leaves", tonic=78, mode="minor", metre="4/4", tempo=100, form="AAB",
            motifs={"a": "4:3 3", "b": "2:2 1:2", "c": "0:1.5 1:.5 2:2", "d": "5:2 4 3"},
            sections={
                "A": Section("i | iv | VII | III | VI | iio | V7 | i | i | VI | iv | V7",
                             "abcadbb.dcb,", base=3, rise=3),
                "B": Section("III | VII | iv | i | VI | III | iv | V | VI | bII | V7 | i",
                             "cadbcadbdab.", base=4, rise=4),
            }),
        Arrangement("solo piano", "Mirela Voss", "Classical", room="hall", parts={
            "melody": "piano", "chords": "piano: rolling", "bass": "piano: roots",
        }),
    ),
    (
        Tune("Tidewater", tonic=62, mode="dorian", metre="4/4", tempo=52, form="AB",
            sections={
                "A": Section("isus | isus | i5 | i5 | VII6 | VII6 | isus | isus"),
                "B": Section("IV | IV | i5 | i5 | v7 | VII6 | isus | i5"),
            }),
        Arrangement("drone", "Lowmen", "Drone", room="church", pace=0.95, parts={
            "pad": "synth pad: held", "chords": "accordion: held", "bass": "sub bass: drone",
        }),
    ),
    (
        Tune("Substation", tonic=65, mode="phrygian", metre="4/4", tempo=132, form="AABBA",
            sections={
                "A": Section("i7 | i7 | i7 | II | i7 | i7 | II | i7"),
                "B": Section("i7 | vii7 | i7 | II | i7 | vii7 | II | II"),
            }),
        Arrangement("techno", "Kilohertz", "Techno", strict=True, parts={
            "chords": "synth stab: stabs", "pad": "synth pad: held", "bass": "synth bass: acid",
            "drums": "drum machine: minimal/techno",
        }),
    ),
    (
        Tune("Carousel in the Rain", tonic=70, mode="major", metre="3/4", tempo=156, form="AABBCCA",
            motifs={"a": "4 3 2", "b": "0:.5 1:.5 2:.5 3:.5 4", "c": "0:2 2", "d": "2 0 2"},
            sections={
                "A": Section("I | I | ii | V7 | ii | V7 | I | I", "adc, bdd.", base=4, rise=2),
                "B": Section("vi | iii | IV | I | II7 | II7 | V | V7", "cbcb cbc,", base=5, rise=4),
                "C": Section("IV | iv | I | vi | II7 | V7 | I | I", "bdbd bdb.", base=2, rise=5),
            }),
        Arrangement("plucked waltz", "Salon Pimlico", "Waltz", room="hall", parts={
            "melody": "celesta", "answer": "music box", "chords": "pizzicato: oompah",
            "bass": "pizzicato: oompah",
        }),
    ),
    (
        Tune("Brass Buttons", tonic=70, mode="major", metre="4/4", tempo=116, form="AABA",
            motifs={
                "a": "0:.75 0:.25 2 4 2", "b": "5 4:.5 3:.5 2 1", "c": "4:1.5 3:.5 2:.5 1:.5 0",
                "d": "0:.5 1:.5 2:.5 3:.5 4 4",
            },
            sections={
                "A": Section("I | IV | I V | I | I | IV | V7 | I", "abc, abd.", base=2, rise=3),
                "B": Section("V | I | II7 | V | vi | II7 | V7 | V7", "cdcb cdc,", base=4, rise=3),
            }),
        Arrangement("fifes and drums", "The Garrison Fifes", "March", parts={
            "melody": "whistle: short", "answer": "whistle: octaves", "drums": "kit: march",
        }),
    ),
    (
        Tune("Plain Hunt", tonic=72, mode="major", metre="free", tempo=66, form="A",
            motifs=_hunted(),
            sections={"A": Section(" | ".join(["I"] * 18), f"a{_LETTERS}a", base=0, rise=0)}),
        Arrangement("eight bells", "St Osyth Ringers", "Bells", room="church", strict=True, parts={
            "melody": "bell",
        }),
    ),
    (
        Tune("Heron at Dusk", tonic=74, mode="minor pentatonic", metre="free", tempo=63, form="AB",
            motifs={
                "a": "0:2.5 1:.5 r", "b": "2:.25 1:.25 0:1.5 -1:1.5 r:.5",
                "c": "0:.5 1:.5 2:.5 4:2 r:.5", "d": "4:1.5 3:.5 2:1.25 1:.25 r:.5",
            },
            sections={
                "A": Section("i | i | VII | i | i | iv | VII | v | i", "abcdabcb.", base=1, rise=3),
                "B": Section("III | VII | iv | v | i | VII | iv | VII | i",
                             "cdbcadba.", base=3, rise=3),
            }),
        Arrangement("solo clarinet", "Wren Abara", "New age", room="church", parts={
            "melody": "clarinet",
        }),
    ),
    (
        Tune("Twelve Bar Tuesday", tonic=67, mode="blues", metre="4/4", tempo=148, form="ABAC",
            motifs={
                "a": "r:.5 0:.5 1:.5 2:1 1:.5 0", "b": "4:.5 5:.5 4:.5 2:.5 1 0",
                "c": "0:1.5 1:.5 0 r", "d": "5:1.5 4:.5 2:.5 1:.5 0",
            },
            sections={
                "A": Section(_TWELVE_BARS, "abacabacdbcc", base=3, rise=2),
                "B": Section(_TWELVE_BARS, "dbdcdbdcadbc", base=3, rise=2),
                "C": Section(_TWELVE_BARS[:-2] + "I7", "bdbcbdbcdab.", base=3, rise=2),
            }),
        Arrangement("blues", "Deacon Street Trio", "Blues", swing=0.16, parts={
            "melody": "steel guitar", "answer": "organ", "chords": "electric piano: comping",
            "bass": "upright bass: walking", "drums": "kit: brushes",
        }),
    ),
)
