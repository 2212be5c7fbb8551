"""Mark the word being said: one cue becomes one cue per word, as `--highlight_words` of openai-whisper does."""

from collections.abc import Iterator
from dataclasses import replace

from subwhisper.subtitles.track import Cue, Track

FLICKER_MS = 150
"""A shorter silence between two words does not take the mark away."""


def highlight_words(track: Track) -> Track:
    """Split each cue at its words' times, so that each word is highlighted while it is said.

    Together the new cues last exactly as long as the old one; in a pause between words nothing is highlighted.
    Cues without word times stay as they are.
    """
    return replace(track, cues=tuple(state for cue in track.cues for state in _states(cue)))


def _states(cue: Cue) -> Iterator[Cue]:
    shown = cue.start_ms
    stops = [word.start_ms for word in cue.words[1:]] + [cue.end_ms]
    for word, stop in zip(cue.words, stops, strict=False):
        start = min(max(word.start_ms, shown), cue.end_ms)
        end = min(stop if 0 <= stop - word.end_ms < FLICKER_MS else word.end_ms, cue.end_ms)
        if end <= start:
            continue
        if start > shown:
            yield replace(cue, start_ms=shown, end_ms=start)
        yield replace(cue, start_ms=start, end_ms=end, highlighted=word)
        shown = end
    if shown < cue.end_ms:
        yield replace(cue, start_ms=shown)
