"""From a file to numbers; knows no model.

    waveform.py        file -> waveform          float32 [T] or [S, L]
    segments.py        where the segments lie    fixed for search, random for training
    augmentations.py   waveforms -> views        [B, L] -> [B, L]          (PyTorch)
    melspectrogram.py  waveforms -> log-mel      [B, L] -> [B, M, F]       (PyTorch)
"""
