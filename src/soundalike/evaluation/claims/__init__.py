"""Claims about the method, each measured so that it can fail.

aggregation.py      concatenating the segments of a track beats their mean
artist.py           supervision by artist over-recommends the artist, self-supervision does not
labels.py           frozen vectors save labels
cold_start.py       content answers for tracks nobody has played; a blend loses nothing elsewhere
found_again.py      identical tracks are found excellently, arrangements often
segment_length.py   a transformer that hears 30 s beats a CNN that hears 2.6 s, at equal training
ablation.py         every part of the recipe earns its place

Every claim is a file with three functions: `measure` gives figures that JSON can hold, with the value
of every query, so that any interval can be computed again; `as_markdown` makes the table and a verdict
in words that follows from the intervals alone, whichever way it goes; `draw` makes the picture.
`intervals.py` beside them puts intervals into words, `runs.py` finds trainings in a record for the last two,
`combining.py` and `dense_grid.py` serve the first, `probe.py` the third, `by_plays.py` the fourth.
"""
