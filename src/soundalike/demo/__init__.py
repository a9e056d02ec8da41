"""A small library of music that the project composes and renders itself, for a first run.

score.py        the vocabulary: notes, parts, metres, tunes and their arrangements
tunes.py        nine tunes, three arrangements each
pieces.py       eleven unrelated pieces
compose.py      a tune's chords and melody, from its motifs          Tune -> bars of notes
styles.py       patterns of chords, basses and drums                 name -> pattern
arrange.py      who plays what                                       Arrangement -> parts
synthesize.py   the ways to make a tone                              numbers -> [T]
instruments.py  kinds of instruments                                 frequency -> [T]
band.py         the instruments by name
drumkit.py      drums, from falling sines and noise                  name -> [T]
mix.py          parts to a mastered track                            parts -> [T]
render.py       write_demo: every track as a tagged FLAC file        folder -> paths
"""
