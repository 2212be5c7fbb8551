"""Plain text (.txt): what is said, one cue per line, without times."""

from subwhisper.subtitles.track import Track


def write(track: Track) -> str:
    """Write a track; the lines of a cue become one."""
    return "".join(f"{cue.text}\n" for cue in track.cues)
