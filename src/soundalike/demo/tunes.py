"""The nine tunes of the demo, each in three arrangements: two siblings and a distant one.

The first two arrangements of a tune are siblings: related instruments in another distribution, the
same patterns and the same order of things, another key, another pace. The third is as far away as
the tune survives. No two tunes share an ensemble and a style, and no two arrangements of a tune an
ensemble's name, so that the artist never gives the answer away. `score.py` explains the notation.
"""

from __future__ import annotations

from soundalike.demo.score import Arrangement, Section, Tune

# fmt: off

# A barcarolle: the rocking of a moored boat.
_HARBOUR = Tune(
    "Harbour Lanterns", tonic=74, mode="major", metre="6/8", tempo=84, form="AABA",
    motifs={
        "a": "0 1:.5 2 4:.5", "b": "4:1.5 3 2:.5", "c": "2:.5 1:.5 0:.5 1:1.5",
        "d": "0:.5 2:.5 4:.5 3:1.5",
    },
    sections={
        "A": Section("I | vi | IV | V | I | vi | ii V | I", "abc, abc.", base=0, rise=4),
        "B": Section("IV | I | V | vi | IV | I | ii | V", "dbd, dbc,", base=3, rise=5),
    },
)
# A verse that hesitates before every line, and a chorus that does not.
_HOME = Tune(
    "The Long Way Home", tonic=67, mode="major", metre="4/4", tempo=104, form="ABAB",
    motifs={
        "a": "r:.5 0:.5 0:.5 1:.5 2:1.5 1:.5", "b": "r:.5 2:.5 1:.5 0:.5 -1:2",
        "c": "2:1.5 1:.5 0 2", "d": "0:.5 1:.5 2:1.5 4:.5 3",
    },
    sections={
        "A": Section("I | V | vi | IV | I | V | IV | V", "aab, aaa,", base=0, rise=3),
        "B": Section("IV | I | V | vi | IV | I | V | I", "cdc, cdb.", base=4, rise=4),
    },
)
# A slow waltz in the minor that leans into the second beat.
_FERRY = Tune(
    "Winter Ferry", tonic=69, mode="minor", metre="3/4", tempo=126, form="AABACA",
    motifs={"a": "0:2 -1", "b": "5:1.5 4:.5 3", "c": "0 1 2", "d": "2:2 1:.5 0:.5"},
    sections={
        "A": Section("i | i | iv | V | i | VI | iio V7 | i", "bad, baa.", base=2, rise=4),
        "B": Section("III | VII | i | V | III | VII | iv | V", "cdc, cdc,", base=4, rise=4),
        "C": Section("VI | III | iv | i | VI | III | iv | V", "bdb, bdc,", base=1, rise=5),
    },
)
# A reel: running quavers, the flat seventh of the pipes, two turns of each strain.
_KETTLE = Tune(
    "Tin Kettle Reel", tonic=74, mode="mixolydian", metre="4/4", tempo=168, form="AABBAB",
    motifs={
        "a": "0:.5 2:.5 4:.5 2:.5 4:.5 5:.5 4:.5 2:.5", "b": "0 0:.5 1:.5 2:.5 1:.5 0:.5 -1:.5",
        "c": "4:.5 3:.5 2:.5 3:.5 4 2", "d": "0:.5 4:.5 3:.5 4:.5 2:.5 4:.5 1:.5 4:.5",
    },
    sections={
        "A": Section("I | I | VII | VII | I | I | VII | I", "abab aba.", base=3, rise=1),
        "B": Section("I | VII | I | v | I | VII | IV VII | I", "dcdc dcb.", base=6, rise=2),
    },
)
# Five notes to the octave, two of them a semitone above a neighbor; much silence.
_CRANES = Tune(
    "Paper Cranes", tonic=76, mode="in", metre="4/4", tempo=72, form="ABA",
    motifs={
        "a": "0:1.5 1:.5 0 -1", "b": "2 3:.5 2:.5 1:2", "c": "r 0:.5 1:.5 2:2",
        "d": "4:.5 3:.5 2:.5 1:.5 2:2",
    },
    sections={
        "A": Section("i | II | i | v | i | II | vii | i", "abc, abd.", base=1, rise=2),
        "B": Section("iv | i | II | v | iv | II | vii | i", "cdb, cda.", base=3, rise=2),
    },
)
# Funk for the back row: everything falls a little before or after the beat.
_BUS = Tune(
    "Night Bus", tonic=74, mode="dorian", metre="4/4", tempo=108, form="AABA",
    motifs={
        "a": "r:.5 0:.25 0:.25 2:.75 0:.75 -1:.5 0", "b": "r:.5 4:.5 4:.25 3:.75 2:.5 0:.5 1",
        "c": "0:.75 1:.75 2:.5 r:.5 2:.5 1:.5 0:.5", "d": "4:1.5 3:.25 2:.25 3:2",
    },
    sections={
        "A": Section("i7 | IV7 | i7 | IV7 | i7 | IV7 | v7 | i7", "abac abc.", base=0, rise=3),
        "B": Section("VIIM7 | IIIM7 | VIIM7 | v7 | VIIM7 | IIIM7 | IV7 | v7",
                     "dcdc dcb,", base=4, rise=2),
    },
)
# Down the Andalusian stair, with the stamp of three against two.
_CINDER = Tune(
    "Salt and Cinder", tonic=76, mode="phrygian", metre="6/8", tempo=132, form="AABBAB",
    motifs={
        "a": "0:.5 1:.5 0:.5 -1:.5 -2:.5 -1:.5", "b": "2 1 0", "c": "4:1.5 3:.5 2:.5 1:.5",
        "d": "0 0:.5 1:.5 2:.5 1:.5",
    },
    sections={
        "A": Section("iv | III | II | I | iv | III | II | I", "abab aba.", base=2, rise=2),
        "B": Section("vii | vii | III | III | II | II | II | I", "dcdc dba.", base=4, rise=3),
    },
)
# A chorale: a chord to every note or two, four lines of four bars.
_HYMN = Tune(
    "Orchard Hymn", tonic=65, mode="major", metre="4/4", tempo=80, form="ABA",
    motifs={"a": "0 0 1 2", "b": "2 1 0:2", "c": "0 1 2 3", "d": "4 3 2 1"},
    sections={
        "A": Section("I IV | I V | vi IV | I V | I IV | V vi | ii V | I",
                     "aba, cbd.", base=0, rise=4),
        "B": Section("vi iii | IV I | ii vi | V | IV I | vi iii | ii V | I",
                     "dbd, cdb.", base=4, rise=3),
    },
)
# Five steps to the landing, and a raised fourth to trip over.
_STAIR = Tune(
    "The Crooked Stair", tonic=72, mode="lydian", metre="5/4", tempo=144, form="AABA",
    motifs={
        "a": "0:.5 1:.5 2 3 4 2", "b": "4:1.5 3:1.5 2 0", "c": "0 2:.5 1:.5 0 1:2",
        "d": "5:.5 4:.5 5:.5 4:.5 2 3:2",
    },
    sections={
        "A": Section("I | II | I | II | I | II | vii | I", "abac abc.", base=0, rise=3),
        "B": Section("iii | II | iii | vi | iii | II | V | II", "dbdb dbc,", base=3, rise=3),
    },
)

TUNES: tuple[tuple[Tune, tuple[Arrangement, ...]], ...] = (
    (_HARBOUR, (
        Arrangement("string quartet", "The Quayside Quartet", "Classical", room="hall", parts={
            "melody": "violin", "answer": "cello", "counter": "violin",
            "chords": "strings: held/eighths", "bass": "cello: roots/halves",
        }),
        Arrangement("string orchestra with flute", "Camerata Breakwater", "Classical",
            transpose=-3, pace=1.06, room="hall", parts={
            "melody": "flute", "answer": "violin: octaves", "counter": "horn",
            "chords": "strings: held/eighths", "bass": "cello: roots/halves",
        }),
        Arrangement("music box", "The Glasshouse Players", "Lullaby",
            transpose=5, pace=0.88, room="hall", parts={
            "melody": "music box", "answer": "celesta", "chords": "celesta: harp",
            "pad": "glass pad: held",
        }),
    )),
    (_HOME, (
        Arrangement("brass band", "Colliery Lane Band", "Brass", transpose=1, room="hall", parts={
            "melody": "trumpet", "answer": "trumpet: octaves", "counter": "horn",
            "chords": "brass: oompah/beats", "bass": "tuba: oompah/halves",
            "drums": "kit: march/rock",
        }),
        Arrangement("wind band", "Allotment Road Winds", "Brass",
            transpose=-2, pace=0.94, room="hall", parts={
            "melody": "clarinet", "answer": "trumpet: octaves", "counter": "flute",
            "chords": "horn: oompah/beats", "bass": "tuba: oompah/halves",
            "drums": "kit: march/rock",
        }),
        Arrangement("piano ballad", "Ida Merrow", "Singer-songwriter",
            transpose=-4, pace=0.87, room="hall", parts={
            "melody": "piano: plain/octaves", "chords": "felt piano: arpeggio/eighths",
            "bass": "felt piano: halves", "counter": "cello",
        }),
    )),
    (_FERRY, (
        Arrangement("musette", "Café Mirabeau", "Chanson", transpose=3, pace=1.1, intro=4, parts={
            "melody": "accordion", "answer": "clarinet", "chords": "steel guitar: oompah",
            "bass": "upright bass: oompah", "drums": "kit: brushes",
        }),
        Arrangement("café orchestra", "Orchestre Belle Rive", "Chanson",
            transpose=-1, pace=1.04, intro=4, parts={
            "melody": "clarinet", "answer": "violin", "chords": "accordion: oompah",
            "bass": "upright bass: oompah", "drums": "kit: brushes",
        }),
        Arrangement("8-bit", "Cartridge Club", "Chiptune",
            transpose=-4, pace=1.18, room="dry", strict=True, parts={
            "melody": "square", "answer": "pulse", "chords": "pulse: chip",
            "bass": "triangle: pulse/octaves", "drums": "drum machine: chip",
        }),
    )),
    (_KETTLE, (
        Arrangement("session band", "The Hob and Fender", "Folk", intro=4, parts={
            "melody": "whistle", "answer": "banjo", "chords": "steel guitar: strum",
            "bass": "upright bass: halves", "drums": "kit: folk",
        }),
        Arrangement("fiddle and banjo", "Copper Lane", "Folk",
            transpose=-2, pace=0.93, intro=4, parts={
            "melody": "violin", "answer": "banjo", "chords": "nylon guitar: strum",
            "bass": "upright bass: halves", "drums": "kit: folk",
        }),
        Arrangement("barn techno", "Turbine Hall", "Techno",
            transpose=2, pace=0.81, strict=True, parts={
            "melody": "saw lead: short/plain", "chords": "synth stab: stabs",
            "pad": "synth pad: held", "bass": "synth bass: afterbeat/octaves",
            "drums": "drum machine: minimal/techno",
        }),
    )),
    (_CRANES, (
        Arrangement("koto and flute", "Reed and Silk", "World", room="hall", parts={
            "melody": "koto", "answer": "flute", "chords": "koto: arpeggio/held",
        }),
        Arrangement("harp, koto and oboe", "Trio Kingfisher", "World",
            transpose=-3, pace=1.07, room="hall", parts={
            "melody": "harp", "answer": "oboe", "chords": "koto: arpeggio/held",
        }),
        Arrangement("lo-fi beat", "Attic Tapes", "Lo-fi",
            transpose=4, pace=1.18, swing=0.08, parts={
            "melody": "vibraphone", "chords": "electric piano: comping",
            "bass": "upright bass: halves", "drums": "kit: halftime",
        }),
    )),
    (_BUS, (
        Arrangement("funk band with horns", "Last Row Rhythm Section", "Funk", intro=4, parts={
            "melody": "brass: short/plain", "answer": "organ", "chords": "electric piano: stabs",
            "bass": "synth bass: funk", "drums": "kit: funk",
        }),
        Arrangement("funk organ combo", "The Request Stop", "Funk",
            transpose=-4, pace=0.95, intro=4, parts={
            "melody": "organ: short/plain", "answer": "brass", "chords": "steel guitar: stabs",
            "bass": "synth bass: funk", "drums": "kit: funk",
        }),
        Arrangement("swing quartet", "Blue Ticket Four", "Jazz",
            transpose=3, pace=1.12, swing=0.16, parts={
            "melody": "clarinet", "answer": "vibraphone", "chords": "piano: comping",
            "bass": "upright bass: walking", "drums": "kit: brushes",
        }),
    )),
    (_CINDER, (
        Arrangement("two guitars", "Compás Viejo", "Flamenco", pace=0.95, parts={
            "melody": "nylon guitar", "chords": "steel guitar: rasgueado", "drums": "kit: cajon",
        }),
        Arrangement("harp and guitar", "Dúo Azahar", "Flamenco",
            transpose=-3, pace=1.02, parts={
            "melody": "harp", "chords": "nylon guitar: rasgueado", "drums": "kit: cajon",
        }),
        Arrangement("dark orchestra", "Orchestra of the Outer Isles", "Soundtrack",
            transpose=2, pace=0.84, room="church", parts={
            "melody": "oboe", "answer": "violin: octaves", "chords": "strings: eighths",
            "pad": "choir: held", "bass": "cello: pulse", "drums": "kit: toms",
        }),
    )),
    (_HYMN, (
        Arrangement("organ", "Tobias Wren", "Sacred", pace=0.92, room="church", parts={
            "melody": "pipe organ", "chords": "pipe organ: held", "bass": "pipe organ: roots",
        }),
        Arrangement("choir and organ", "The Choir of St Osyth", "Sacred",
            transpose=-3, pace=0.86, room="church", parts={
            "melody": "choir", "answer": "pipe organ", "chords": "pipe organ: held",
            "bass": "pipe organ: roots",
        }),
        Arrangement("gospel shuffle", "The Lamplight Singers", "Gospel",
            transpose=3, pace=1.12, intro=2, swing=0.14, parts={
            "melody": "organ", "answer": "choir", "chords": "piano: eighths",
            "pad": "choir: held", "bass": "upright bass: walking", "drums": "kit: rock",
        }),
    )),
    (_STAIR, (
        Arrangement("mallets", "Hollow Wood Ensemble", "Contemporary", pace=0.95, parts={
            "melody": "vibraphone", "answer": "marimba", "chords": "marimba: arpeggio",
            "bass": "upright bass: halves", "drums": "kit: clock",
        }),
        Arrangement("marimba and celesta", "Duo Banister", "Contemporary",
            transpose=-4, pace=0.9, parts={
            "melody": "marimba", "answer": "celesta", "chords": "vibraphone: arpeggio",
            "bass": "upright bass: halves", "drums": "kit: clock",
        }),
        Arrangement("power trio", "Odd Number Theory", "Progressive rock",
            transpose=4, pace=1.1, strict=True, parts={
            "melody": "saw lead", "answer": "organ", "chords": "organ: held/eighths",
            "bass": "synth bass: pulse/funk", "drums": "kit: rock",
        }),
    )),
)
