"""From a file to numbers; knows no model.

endings.py         names of files -> whether they are looked at
header.py          what a file promises about its length
decoder.py         an open file: seek, decode, mix to mono, resample
waveform.py        file -> waveform          float32 [T] or [S, L]
segments.py        where the segments lie    fixed for search, random for training
augmentations.py   waveforms -> views        [B, T] -> [B, L]          (PyTorch, as all below)
filters.py, pitch_shift.py, reverb.py        the longer stages of that chain
melspectrogram.py  waveforms -> log-mel      [B, L] -> [B, M, F]
constant_q.py      waveforms -> constant-Q   [B, L] -> [B, P, F]
"""
