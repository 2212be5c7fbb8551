"""One speaker per channel: conversations recorded with a microphone for each."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from subwhisper.media.probe import probe
from subwhisper.media.tracks import preferred_sound, track_number
from subwhisper.transcript import Segment, Transcript, Word

MIX, SPLIT = "mix", "split"
CHANNELS = (MIX, SPLIT)
"""How several channels are heard: as one, or each for itself."""

_BREATH = 0.6
"""Seconds of silence after which another may have spoken."""


def count_channels(path: Path, track: int | str | None = None) -> int:
    """How many channels the sound has that is meant.

    Raises:
        MediaError: the file cannot be read, has no sound or not that track.
    """
    media = probe(path)
    if track is None and media.audio:
        return media.audio[preferred_sound(media)].channels
    return media.audio[track_number(media, track or 0)].channels


def by_channel(transcripts: Sequence[Transcript]) -> Transcript:
    """Join what was heard in each channel: phrases in the order of their times, each word with its speaker.

    Args:
        transcripts: one for each channel, in their order; at least one.

    Returns:
        Speakers are called "Speaker 1", "Speaker 2" ...; the language is that of the channel with most text.
    """
    spoken = max(transcripts, key=lambda one: len(one.text))
    phrases = [
        phrase
        for number, one in enumerate(transcripts, start=1)
        for segment in one.segments
        for phrase in _phrases(segment, f"Speaker {number}")
    ]
    translations = [one.translation for one in transcripts if one.translation]
    return replace(
        spoken,
        segments=tuple(sorted(phrases, key=lambda phrase: (phrase.start, phrase.end))),
        duration=max((one.duration for one in transcripts if one.duration is not None), default=None),
        translation=by_channel(translations) if translations else None,
    )


def _phrases(segment: Segment, speaker: str) -> Iterator[Segment]:
    """What is said in a breath, so that an answer in another channel finds its place between two of them."""
    if not segment.words:
        yield segment
        return
    words = [replace(word, speaker=speaker) for word in segment.words]
    phrase: list[Word] = words[:1]
    for before, word in pairwise(words):
        if word.start - before.end > _BREATH:
            yield _phrase(segment, phrase)
            phrase = []
        phrase.append(word)
    yield _phrase(segment, phrase)


def _phrase(segment: Segment, words: Sequence[Word]) -> Segment:
    text = "".join(word.text for word in words)
    tokens = segment.tokens if len(words) == len(segment.words) else ()
    return replace(segment, start=words[0].start, end=words[-1].end, text=text, tokens=tokens, words=tuple(words))
