"""Names of files -> whether they are looked at as music. Imports nothing: a question asks it, too."""

from __future__ import annotations

_SOUND = "aac ac3 aif aifc aiff ape au caf dff dsf dts flac m4a m4b mka mp2 mp3 mpc oga ogg opus"
_RARER_SOUND = "ra snd spx tta w64 wav wave wma wv"
_FILM = "3gp asf avi flv m4v mkv mov mp4 mpeg mpg ogv ts webm wmv"
AUDIO_EXTENSIONS = frozenset(f".{name}" for name in f"{_SOUND} {_RARER_SOUND} {_FILM}".split())
