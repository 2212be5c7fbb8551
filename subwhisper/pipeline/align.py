"""A text that is already known, onto its recording: when each of its words is spoken.

A plain text becomes captions by the rules of a profile; a subtitle file keeps its cues as they are, and only their
times change. The recording is recognised once, quickly, to find out where which part of the text is spoken.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from subwhisper.engine.alignment import Aligner
from subwhisper.engine.anchors import bare
from subwhisper.engine.energy import Loudness
from subwhisper.engine.features import MelReader, survey
from subwhisper.engine.forced import ForcedAligner, places_in
from subwhisper.engine.options import DecodeOptions, FallbackOptions, TranscribeOptions
from subwhisper.engine.reader import WindowEncoder
from subwhisper.engine.recording import Progress
from subwhisper.engine.refine import refine
from subwhisper.engine.transcriber import Transcriber
from subwhisper.errors import InputError, OptionError
from subwhisper.media.decode import MediaAudio, open_audio
from subwhisper.pipeline import OnProgress, unheard
from subwhisper.pipeline.edit import Destination, write_edited
from subwhisper.pipeline.inputs import Source, as_file
from subwhisper.pipeline.models import ModelChoice, load
from subwhisper.pipeline.picture import picture_of
from subwhisper.subtitles.formats import FORMATS, format_name
from subwhisper.subtitles.formats import read_track as read_subtitles
from subwhisper.subtitles.formats.encodings import decode, read_bytes
from subwhisper.subtitles.known_text import TextWord, retimed_to_words, words_of_cues, words_of_text
from subwhisper.subtitles.layout import Profile, lay_out, load_profile
from subwhisper.transcript import Segment, Transcript, Word

logger = logging.getLogger(__name__)

_LEAST_HEARD = 0.2
"""Share of the words that must be recognised; with less, the text is hardly that of the recording."""


@dataclass(frozen=True, kw_only=True)
class AlignJob:
    """How a text is aligned."""

    model: ModelChoice = field(default_factory=ModelChoice)
    language: str | None = None
    """Code or name of the language of the text; `None`: detected from the recording."""
    refine: bool = True
    """Move word edges to those of the sound."""
    profile: Profile = field(default_factory=load_profile)
    """Of the captions that a plain text becomes."""
    shot_changes: bool = False
    """Find the cuts of the picture, and keep those captions to them."""
    audio_track: int | str | None = None
    """Number from 0, or language; `None` is the file's own choice."""
    encoding: str | None = None
    """Of the text, where it is not Unicode and should not be guessed."""


@dataclass(frozen=True, slots=True)
class Aligned:
    """What was written, and what of the text was not heard."""

    output: Path
    n_words: int
    """Words that can be spoken."""
    n_timed: int
    unspoken: tuple[str, ...]
    """Passages that nobody speaks, in order."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "outputs": [str(self.output)],
            "words": self.n_words,
            "words_timed": self.n_timed,
            "not_spoken": list(self.unspoken),
        }


def align_file(
    recording: Source,
    text: Path,
    destination: Destination,
    job: AlignJob | None = None,
    *,
    on_progress: OnProgress = unheard,
) -> Aligned:
    """Find when a known text is spoken, and write it with its times.

    Args:
        recording: with the speech.
        text: a subtitle file, or plain text (any file whose suffix is not that of subtitles).
        destination: where the result goes; a plain text is written as .srt unless that says otherwise.
        job: how.
        on_progress: hears how far the present stage is, in seconds.

    Raises:
        InputError: one of the two cannot be read, or they do not belong together.
        ModelError: the model cannot be had.
        OutputError: see `Destination.write`.
    """
    chosen = job or AlignJob()
    with as_file(recording, picture=chosen.shot_changes, on_progress=on_progress) as path:
        return _align(path, text, destination, chosen, on_progress)


def _align(recording: Path, text: Path, destination: Destination, chosen: AlignJob, on_progress: OnProgress) -> Aligned:
    audio = open_audio(recording, track=chosen.audio_track)
    track = read_subtitles(text, encoding=chosen.encoding) if has_times(text) else None
    words = words_of_text(_read(text, chosen.encoding)) if track is None else words_of_cues(track)
    n_words = sum(word.spoken for word in words)
    if not n_words:
        raise InputError(f"{text} holds no words to align")
    source = text.with_suffix(".srt") if track is None else text
    if destination.in_place and source != text:
        raise OptionError(
            "--in-place is for subtitles, and a plain text has no place for times", hint="name an --output"
        )
    target = destination.path(source, "aligned")
    format_name(target.suffix.removeprefix("."))  # an hour of listening should not end in a name that cannot be
    timed, language, duration = _timed(
        recording, audio, [w.text if w.spoken else "" for w in words], chosen, on_progress
    )
    n_timed = sum(word is not None for word in timed)
    passages = tuple(_unspoken(words, timed))
    if passages:
        logger.warning("%s: %d passages are not spoken, the first is %r", text, len(passages), passages[0][:60])
    if track is not None:
        write_edited(text, track, retimed_to_words(track, words, timed), destination, done="aligned")
    else:
        transcript = Transcript(_segments(words, timed, language), language, duration)
        picture = picture_of(recording, shots=chosen.shot_changes, on_progress=on_progress)
        destination.write({target: lay_out(transcript, chosen.profile, picture)}, inputs=[recording, text])
    return Aligned(target, n_words, n_timed, passages)


def has_times(path: Path) -> bool:
    """Whether its name says that a file is one of subtitles, and not of plain text."""
    try:
        found = FORMATS[format_name(path.suffix.removeprefix("."))]
    except OptionError:
        return False
    return bool(found.read or found.read_bytes)


def _read(path: Path, encoding: str | None) -> str:
    return decode(read_bytes(path), str(path), encoding).removeprefix("\ufeff")


def _timed(
    recording: Path, audio: MediaAudio, text: Sequence[str], job: AlignJob, on_progress: OnProgress
) -> tuple[list[Word | None], str, float]:
    """The words with their times, the language, and the length of the recording."""
    options = TranscribeOptions(
        language=job.language,
        word_timestamps=True,
        condition_on_previous_text=False,
        decode=DecodeOptions(beam_size=1),
        fallback=FallbackOptions(temperatures=(0.0,)),
    )
    engine = load(job.model, options, several=False, on_progress=on_progress)

    def listened(progress: Progress) -> None:
        on_progress(f"listening to {recording.name}", progress.position, progress.duration)

    heard = engine.transcribe(audio, options, on_progress=listened)
    loudness = Loudness.of(audio.blocks())
    duration = len(loudness.levels) / 100
    aligner = _aligner(engine, audio, heard.language, loudness)

    def aligned(seconds: float) -> None:
        on_progress(f"aligning {recording.name}", seconds, duration)

    places = places_in(text, [word for segment in heard.segments for word in segment.words])
    n_words = sum(map(bool, text))
    if len(places) < _LEAST_HEARD * n_words:
        raise InputError(
            f"the text does not seem to be what is said in {recording}: "
            f"{len(places)} of its {n_words} words were recognised there",
            hint="try a better --model, or give the --language",
        )
    found = aligner.align(text, places, duration=duration, on_progress=aligned)
    return (_refined(found, loudness) if job.refine else found), heard.language, duration


def _aligner(engine: Transcriber, audio: MediaAudio, language: str, loudness: Loudness) -> ForcedAligner:
    model = engine.model
    n_mels = model.network.dims.n_mels
    start = model.tokenizer.start_sequence(language, "transcribe")
    return ForcedAligner(
        WindowEncoder(model, MelReader(audio, n_mels, survey(audio, n_mels, model.placement.device))),
        Aligner(model.network, model.tokenizer, model.alignment_heads, start, language, prepended="", appended=""),
        loudness,
    )


def _refined(found: Sequence[Word | None], loudness: Loudness) -> list[Word | None]:
    words = iter(refine([word for word in found if word], loudness))
    return [next(words) if word else None for word in found]


def _unspoken(words: Sequence[TextWord], timed: Sequence[Word | None]) -> Iterator[str]:
    """Runs of words that can be spoken and are not."""
    both = [(word, time) for word, time in zip(words, timed, strict=True) if word.spoken]
    for is_missing, run in groupby(both, key=lambda pair: pair[1] is None):
        if is_missing:
            yield "".join(word.text for word, _ in run).strip()


def _segments(words: Sequence[TextWord], timed: Sequence[Word | None], language: str) -> tuple[Segment, ...]:
    """A segment per line of the text; a mark by itself goes with the word before it, unspoken passages are left out."""
    segments: list[Segment] = []
    for _, line in groupby(zip(words, timed, strict=True), key=lambda pair: pair[0].group):
        said: list[Word] = []
        for word, time in line:
            if time is not None:
                said.append(time)
            elif said and not bare(word.text):
                said[-1] = replace(said[-1], text=said[-1].text + word.text)
        if said:
            text = "".join(word.text for word in said)
            segments.append(Segment(said[0].start, said[-1].end, text, words=tuple(said), language=language))
    return tuple(segments)
