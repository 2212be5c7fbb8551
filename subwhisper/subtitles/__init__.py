"""Subtitles: cues and tracks, how words become them, and the files they are kept in. Knows nothing of sound."""
