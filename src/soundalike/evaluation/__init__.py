"""How good "similar" is.

metrics.py    pure functions on arrays
tasks.py      the retrieval tasks and the data they need
baselines.py  what we must beat
report.py     results -> tables and plots
"""
