"""From a folder to answers.

scan.py         folder -> tracks and tags; what is new, changed, moved, gone
aggregation.py  segment vectors [S, D] of two tracks -> one similarity
store.py        tracks and vectors in Lance tables
search.py       query -> neighbors: candidates, exact re-rank, explanation
journeys.py     neighbors -> M3U8
library.py      Library: the one object people hold
"""
