"""Sound and pictures: what a file holds, its sound as samples, captions drawn into its picture.

Everything goes through one door, `ffmpeg.py`. Knows nothing of words, cues or models.
"""
