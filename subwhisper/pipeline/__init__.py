"""Whole jobs: the one floor where speech, media and subtitles meet."""
