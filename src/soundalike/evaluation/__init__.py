"""How good "similar" is.

A task says who is asked, among whom, and which answers are right; a system describes sounds and says how
alike two descriptions are; the rest is bookkeeping.

sounds.py         what is played: sounds that are made when they are needed
tasks/            one file per protocol; recordings.py has what they are made of
retrieval.py      the one shape of every task, and its judge
metrics.py        pure functions on arrays
systems.py        what is under test: encoders, statistics, peers
descriptions.py   every distinct sound is described once per system, and kept
suite.py          one system through all tasks
record.py         evaluations <-> JSON
report.py         a record -> text and Markdown
baselines/        what we must beat
peers/            what others made, each run by a Python of its own
colistening/      what people play together: the other thing content replaces, with simulated listeners
degradations.py   what may happen to a recording
pieces.py, versions.py, renderings.py   scores, what arrangements are made of them, and their sound
duplicates.py     recordings that are the same one
own_library.py    the same on somebody's library, from its own tags; neighborhoods.py, library_report.py
pictures.py       records -> pictures
claims/           what is said of encoders like ours, put to the test
"""
