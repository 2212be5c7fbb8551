"""Captions that people made of a recording already: on the page it comes from, or in a track of its file."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from subwhisper.errors import SubwhisperError
from subwhisper.media.containers import HOLDING_SUBTITLES
from subwhisper.media.extract import extract_subtitles, natural_suffix
from subwhisper.media.probe import MediaInfo, SubtitleStream, probe, probe_subtitles
from subwhisper.media.tracks import named_language, same_language
from subwhisper.pipeline.burn import bilingual
from subwhisper.pipeline.inputs import Held
from subwhisper.subtitles.formats import read_track
from subwhisper.subtitles.layout.reflow import as_transcript
from subwhisper.subtitles.track import Track
from subwhisper.transcript import Transcript

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Captions:
    """What is said in a recording, and how it is shown."""

    transcript: Transcript
    track: Track
    second: Track | None = None
    """Of the transcript's translation, if there is one."""

    @property
    def shown(self) -> Track:
        """What is drawn into the picture."""
        return bilingual(self.track, self.second) if self.second else self.track


@dataclass(frozen=True, slots=True)
class _Offer:
    """Captions that could be taken."""

    language: str | None
    where: str
    file: Path | None = None
    stream: SubtitleStream | None = None


def existing_captions(it: Held, languages: Sequence[str | None]) -> Captions | None:
    """Take the captions that people made, if there are some in every language that is wanted.

    Args:
        it: the recording, with the subtitles of its page.
        languages: codes, one or two; `None` is whatever is spoken, which only an only language can be trusted to be.

    Returns:
        Captions as they are; None where there are none, or they cannot be read.
    """
    media = probe(it.path)
    offers = [_Offer(language, "its page", file=path) for language, path in it.subtitles.items()]
    offers += [_Offer(one.language, f"track {n}", stream=one) for n, one in enumerate(media.subtitles) if _counts(one)]
    chosen = [_chosen(offers, language) for language in languages]
    try:
        first, *others = [_read(media, offer, language) for offer, language in zip(chosen, languages, strict=True)]
    except SubwhisperError as error:
        logger.warning("the subtitles that people wrote cannot be read: %s", error.message)
        return None
    if first is None or None in others:
        return None
    second = others[0] if others else None
    return replace(first, second=second.track, transcript=_with(first, second)) if second else first


def _with(first: Captions, second: Captions) -> Transcript:
    return replace(first.transcript, translation=second.transcript)


def _counts(stream: SubtitleStream) -> bool:
    """Whether a track has the words of a whole film, as text."""
    return stream.is_text and "forced" not in stream.flags


def _chosen(offers: Sequence[_Offer], wanted: str | None) -> _Offer | None:
    if wanted is None:
        return offers[0] if len({named_language(offer.language or "") for offer in offers}) == 1 else None
    return next((offer for offer in offers if same_language(offer.language, wanted)), None)


def _read(media: MediaInfo, offer: _Offer | None, wanted: str | None) -> Captions | None:
    if offer is None:
        return None
    with _as_file(media, offer) as path:
        track = read_track(path)
    language = wanted or named_language(offer.language or "") or offer.language or "und"
    transcript = replace(as_transcript(track, language), duration=media.duration, provenance={"subtitles": offer.where})
    return Captions(transcript, replace(track, language=language)) if track.cues else None


@contextmanager
def _as_file(media: MediaInfo, offer: _Offer) -> Iterator[Path]:
    if offer.stream is None:
        assert offer.file is not None
        yield offer.file
        return
    with TemporaryDirectory(prefix="subwhisper-") as folder:
        path = Path(folder, f"subtitles{natural_suffix(offer.stream)}")
        extract_subtitles(media, offer.stream, path)
        yield path


def embedded_track(path: Path, language: str | None) -> int | None:
    """The number of the subtitle track with the words of a whole film, if a file has one.

    Args:
        path: a file, which is only opened if its kind can hold subtitles.
        language: wanted; `None` is any.
    """
    if not may_hold_tracks(path):
        return None
    try:
        streams = probe_subtitles(path)
    except SubwhisperError:
        return None  # whoever works on it says what is wrong
    for number, stream in enumerate(streams):
        if _counts(stream) and (language is None or same_language(stream.language, language)):
            return number
    return None


def may_hold_tracks(path: Path) -> bool:
    """Whether a file is of a kind that can hold subtitles."""
    return path.suffix.lower() in HOLDING_SUBTITLES
