"""Somebody else's programs that describe music, each run by a Python of its own.

bliss.py                bliss-audio: 23 numbers on tempo, timbre, loudness and harmony
musicnn.py              a tagger trained on the Million Song Dataset: what its convolutions hear
musicnn_penultimate.py  the same network, one layer before the tags

`make peers` makes an environment of each in `.cache/peers`. How they are run stands in
`soundalike.evaluation.systems.Peer`.

Adding a peer is adding a file here. Its name is what people type, `_` for `-`. It may import anything
but this package, and is called as

    python PEER SOUNDS OUT

    SOUNDS   a folder of 000000.wav, 000001.wav ...: mono, 16 bit, 16 kHz, or the file's own SAMPLE_RATE
    OUT      an .npz to write: one array for each sound, named like it, float32 [S, D]

A line of its docstring that begins with "Install:" is shown to those who lack what it imports; if its
environment is another peer's, it says which by ENVIRONMENT. COLUMNS = "0:100" compares some of the D
alone, and SCRIPT = "other" takes them from what another peer wrote. Imports stay within functions, so that
the tests can read the file without them. Then it gets a recipe in the Makefile and a test in
`tests/evaluation/peers`.
"""
