"""From a score to music: the same passage in many arrangements.

orchestration.py  who plays what: instruments, key, tempo, balance, human error
rendering.py      score + plan -> int16 [T], by fluidsynth
parts.py          MIDI -> MIDI with each track on channels of its own
notation.py       MusicXML -> the MIDI that rendering reads
"""
