"""One speaker per channel: conversations recorded with a microphone for each."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from subwhisper.media.channels import channel_voices
from subwhisper.media.probe import probe
from subwhisper.media.tracks import preferred_sound, track_number
from subwhisper.pipeline import OnProgress, unheard
from subwhisper.transcript import Segment, Transcript, Word

MIX, SPLIT = "mix", "split"
CHANNELS = (MIX, SPLIT)
"""How several channels are heard: as one, or each for itself."""

logger = logging.getLogger(__name__)

_BREATH = 0.6
"""Seconds of silence after which another may have spoken."""


def distinct_channels(
    path: Path, *, track: int | str | None = None, on_progress: OnProgress = unheard
) -> tuple[int, ...]:
    """The channels of a sound that have something of their own to say, by number; one at least.

    Copies of another channel (a recording in mono, written as stereo) and silent ones are left out.

    Args:
        path: a media file.
        track: number from 0, or language, of the sound; None is what a player takes.
        on_progress: hears how far looking is; it ends as soon as no two channels can be the same.

    Raises:
        MediaError: the file cannot be read, has no sound or not that track.
    """
    media = probe(path)
    number = preferred_sound(media) if track is None and media.audio else track_number(media, track or 0)
    n_channels = media.audio[number].channels
    if n_channels == 1:
        return (0,)
    stage = f"comparing the channels of {path.name}"
    voices = channel_voices(media, number, on_position=lambda at: on_progress(stage, at, media.duration))
    if len(voices) == 1:
        logger.warning("%s: its %d channels are one voice, so no speakers are told apart", path.name, n_channels)
    return voices


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
