"""The tasks, one file per protocol: each says who is asked, among whom, and which answers are right.

recordings.py   what is played: recordings, their halves, excerpts
same_track.py   the second half of a track among the first halves of all
same_label.py   music of the same album, artist or genre, with and without the artist's own tracks
degraded.py     a track that was changed, among all tracks
arrangement.py  another version of a piece, among all pieces
hubness.py      tracks that are an answer to everything, or to nothing
"""
