"""What listening says: two tracks are alike when people play them in one sitting.

known_tracks.py     what a log calls a track -> its number
log_columns.py      what the columns of a log are called, and how it writes times
plays.py            play logs, read and written
sessions.py         plays -> sessions, and these in three by time
item_similarity.py  sessions -> how alike two tracks are, the baseline
held_out.py         sessions kept back -> how good a ranking is
blend.py            content and co-listening in one ranking
descriptors.py      a waveform -> loudness, brightness, tempo: what simulated tastes hear
listeners.py        a simulator of listeners, for where there is no log
"""
