"""musicnn (MSD_musicnn), one layer before its tags: float32 [1, 200], the mean over time.

The same network as in musicnn.py beside it, which says more. That layer says what the tags need;
the pools of `musicnn` keep more of how it sounds.

Install: pip install tensorflow-cpu==2.15.1 "numpy<2" "librosa<0.11"; pip install --no-deps musicnn
"""

SCRIPT = "musicnn"
COLUMNS = "1506:1706"
