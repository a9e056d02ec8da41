"""From numbers to vectors. All of it is PyTorch.

It knows no files of music and no training loop.

    encoder.py           Audio Spectrogram Transformer   log-mel [B, M, F] -> h [B, D]
    pitch_cnn.py         pitch network                   constant-Q [B, P, F] -> h [B, D]
    timbre_cnn.py        timbre network                  log-mel [B, M, F] -> h [B, D]
    cepstrum.py          statistics of spectra           log-mel [B, M, F] -> h [B, D]
    sample_cnn.py        CLMR's encoder                  waveform [B, L] -> h [B, D]
    waveform_encoder.py  front end, encoder, read-out    waveform [B, L] -> embedding [B, D]
    senses.py            several of those as one         waveform [B, L] -> embedding [B, D]
    projection.py        the MLP thrown away afterwards  h [B, D] -> z [B, P]
    contrastive_loss.py  NT-Xent                         z [N, P] -> loss []
    config.py            settings as config.json         model -> JSON -> model
    checkpoint.py        weights + settings + identity   folder of config.json and model.safetensors
    published_ast.py     published AST weights           folder or hub id -> WaveformEncoder
    export.py            one graph for listeners         audio [S, L] -> embedding [S, D] (ONNX)
"""
