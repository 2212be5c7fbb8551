"""Where someone speaks: detectors tell how probable speech is, frame by frame, and a state machine makes spans of it.

A recording is taken piece by piece, and a few seconds of it are remembered at most. Spans say where windows lie
and mask the rest; nothing is ever cut out of the sound.
"""
