"""One recording in, its captions out, with the same model for one recording after another.

What is wrong with a recording ends up in its `Outcome`; what is wrong with the job itself, such as a model that
cannot be had, is raised. `files.py` does this for everything a command line names, `batch.py` for libraries.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import subwhisper
from subwhisper.audio import AudioSource
from subwhisper.engine.device import place
from subwhisper.engine.energy import Loudness
from subwhisper.engine.options import TranscribeOptions
from subwhisper.engine.recording import Progress
from subwhisper.engine.refine import refine_segments
from subwhisper.engine.transcriber import Transcriber
from subwhisper.errors import JournalError, ModelError, OptionError, SubwhisperError
from subwhisper.languages import LANGUAGES, language_code
from subwhisper.media.burn import require_picture
from subwhisper.media.decode import MediaAudio, open_audio
from subwhisper.media.fetch import ALL
from subwhisper.media.probe import probe
from subwhisper.media.sound import SoundOptions
from subwhisper.media.tracks import named_language
from subwhisper.pipeline import OnProgress, unheard
from subwhisper.pipeline.archive import Archive
from subwhisper.pipeline.burn import BurnJob, burn_track
from subwhisper.pipeline.channels import MIX, by_channel, distinct_channels
from subwhisper.pipeline.existing import Captions, existing_captions
from subwhisper.pipeline.inputs import Held, Source, held
from subwhisper.pipeline.models import ModelChoice, load, load_from, locate
from subwhisper.pipeline.outputs import OutputPlan, formats_among, refuse_changed, write_files
from subwhisper.pipeline.picture import picture_of
from subwhisper.pipeline.recall import AlreadyHeardError, HashedAudio, Recall, settings_key
from subwhisper.subtitles.formats import FORMATS
from subwhisper.subtitles.formats.losses import Loss, lost_from_captions
from subwhisper.subtitles.layout import lay_out
from subwhisper.subtitles.layout.beside import lay_out_beside
from subwhisper.subtitles.layout.profile import Profile
from subwhisper.subtitles.layout.standards import load_profile
from subwhisper.subtitles.look import Look
from subwhisper.subtitles.track import Track
from subwhisper.subtitles.wording import UNCHANGED, Wording, reword
from subwhisper.transcript import Segment, Transcript

JSON = "json"
COMMON_FORMATS = ("srt", "vtt", "ass", "txt", "tsv", JSON)
"""What `all` means."""
EVERY_FORMAT = tuple(FORMATS)

MIXED = "mul"
"""ISO 639's code for several languages at once."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class TranscribeJob:
    """What to do with every recording."""

    model: ModelChoice = field(default_factory=ModelChoice)
    options: TranscribeOptions = field(default_factory=TranscribeOptions)
    outputs: OutputPlan = field(default_factory=OutputPlan)
    profile: Profile = field(default_factory=load_profile)
    wording: Wording = UNCHANGED
    """Of captions and texts; the JSON keeps what was heard, so that another wording needs no model."""
    shot_changes: bool = False
    """Look for shot changes in the picture and keep captions to them."""
    look: Look = field(default_factory=Look)
    refine: bool = False
    """Move the edges of words to where sound sets in and dies away."""
    audio_track: str | int | None = None
    """Number from 0, or language; `None` is the file's own choice."""
    sound: SoundOptions = field(default_factory=SoundOptions)
    """How the sound is cleaned up before it is heard."""
    channels: str = MIX
    """`split` hears every channel for itself and takes each for a speaker."""
    prefer_subtitles: bool = False
    """Where people wrote subtitles for it, take those instead of listening."""
    bilingual: bool = False
    """Where both texts are asked for: in one file, the English one below the original."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one argument or recording."""

    source: str
    outputs: tuple[Path, ...] = ()
    losses: Mapping[Path, tuple[Loss, ...]] = field(default_factory=dict)
    """What the format of an output cannot hold of its captions; only of those that lost something."""
    transcript: Transcript | None = None
    seconds: float = 0.0
    """Spent on it, the loading of the model left out."""
    error: SubwhisperError | None = None
    skipped: str | None = None
    """Why nothing had to be done."""

    def to_dict(self) -> dict[str, Any]:
        """A row of the machine-readable report."""
        said = self.transcript
        return {
            "input": self.source,
            "skipped": self.skipped,
            "outputs": [str(path) for path in self.outputs],
            "losses": {str(path): [loss.to_dict() for loss in lost] for path, lost in self.losses.items()},
            "language": said.language if said else None,
            "language_probability": said.language_probability if said else None,
            "duration": said.duration if said else None,
            "seconds": round(self.seconds, 3),
            # Below 1 is faster than the recording plays.
            "realtime_factor": round(self.seconds / said.duration, 4) if said and said.duration else None,
            "coverage": said.provenance.get("coverage") if said else None,
            # What memory was too little for; empty where there was enough.
            "gave_up": said.provenance.get("gave_up", []) if said else [],
            "error": error_row(self.error) if self.error else None,
        }


def error_row(error: SubwhisperError) -> dict[str, Any]:
    """An error in the machine-readable report."""
    return error.to_dict()


def parse_formats(text: str) -> tuple[str, ...]:
    """Read a list of formats: `srt,vtt`, or `all`.

    Raises:
        OptionError: one is unknown, or there is none.
    """
    return formats_among(EVERY_FORMAT, text, common=COMMON_FORMATS)


def transcribe(
    recording: Path | str,
    options: TranscribeOptions | None = None,
    *,
    model: Transcriber | str | None = None,
    audio_track: int | str | None = None,
    on_progress: OnProgress = unheard,
) -> Transcript:
    """Turn the speech of one media file into a transcript; nothing is written.

    Args:
        recording: any file ffmpeg can read.
        options: how; the defaults of openai-whisper's command line when not given.
        model: a name, a path, or one loaded by `load_model`, which is quicker for more than one
            recording. `None` is the best one present, as on the command line.
        audio_track: number from 0, or language; `None` is the file's own choice.
        on_progress: hears how far the present stage is.

    Raises:
        MediaError: the file cannot be read or has no such sound.
        ModelError: the model cannot be had, or cannot do what is asked.
    """
    path, chosen = Path(recording), options or TranscribeOptions()
    audio = open_audio(path, track=audio_track)
    if not isinstance(model, Transcriber):
        model = load(ModelChoice(name=model), chosen, several=False, on_progress=on_progress)
    transcript = model.transcribe(audio, chosen, on_progress=_told(f"transcribing {path.name}", on_progress))
    return _signed(transcript, Source(path))


@dataclass
class Desk:
    """Where one recording after another is worked on with the same model."""

    job: TranscribeJob
    inputs: tuple[Path, ...] = ()
    """Of the whole job; the result of one must not replace another."""
    several: bool = True
    archive: Archive | None = None
    on_progress: OnProgress = unheard
    on_segment: Callable[[Segment], None] | None = None
    ours: Collection[str] | None = None
    """Hashes of files that may be replaced; `None`: whatever is there may be."""
    _engine: Transcriber | None = None
    _checkpoint: Path | None = None
    _is_loading: bool = False
    _loading_took: float = 0.0

    def outcome(self, source: Source) -> Outcome:
        written: dict[Path, tuple[Loss, ...]] = {}
        self._loading_took = 0.0
        started = time.monotonic()
        transcript, problem = None, None
        try:
            transcript = self._transcribe(source, written)
        except SubwhisperError as error:
            if self._is_loading or isinstance(error, ModelError | OptionError):
                raise  # it would be the same with every other recording
            problem = error
        seconds = time.monotonic() - started - self._loading_took
        losses = {path: lost for path, lost in written.items() if lost}
        return Outcome(str(source), tuple(written), losses, transcript, seconds, problem)

    def _transcribe(self, source: Source, written: dict[Path, tuple[Loss, ...]]) -> Transcript:
        job = self.job
        languages = text_languages(job.options)
        for language in result_languages(job):
            job.outputs.refuse_existing(source, language)
        asked = [language or ALL for language in languages] if job.prefer_subtitles else []
        with held(source, picture=job.outputs.burn, subtitles=asked, on_progress=self.on_progress) as it:
            if job.outputs.burn:
                require_picture(probe(it.path))
            captions = existing_captions(it, languages) if job.prefer_subtitles else None
            captions = captions or self._listened(source, it)
            results = self._results(source, captions)
            files = {path: result.content for path, result in results.items()}
            if self.ours is not None:
                refuse_changed(files, self.ours)
            write_files(files, inputs=self.inputs)
            written |= {path: result.losses for path, result in results.items()}
            if job.outputs.burn:
                target = job.outputs.captioned(source)
                burn_track(it.path, captions.shown, target, BurnJob(look=job.look), on_progress=self.on_progress)
                written[target] = ()
        return captions.transcript

    def _listened(self, source: Source, it: Held) -> Captions:
        """What is heard in a recording, laid out."""
        job = self.job
        heard = [self._heard(source, it.path, sound) for sound in self._sounds(it.path)]
        transcript = heard[0] if len(heard) == 1 else by_channel(heard)
        picture = picture_of(it.path, shots=job.shot_changes, on_progress=self.on_progress)
        track = lay_out(reword(transcript, job.wording), job.profile, picture)
        if not transcript.translation:
            return Captions(transcript, track)
        return Captions(transcript, track, lay_out_beside(track, transcript.translation, job.profile))

    def _sounds(self, path: Path) -> list[SoundOptions]:
        """What is listened to: all channels as one, or each that is unlike the others for itself."""
        job = self.job
        track = audio_track_of(job.audio_track)
        open_audio(path, track=track, sound=job.sound)  # what cannot be heard is told before anything else
        if job.channels == MIX:
            return [job.sound]
        voices = distinct_channels(path, track=track, on_progress=self.on_progress)
        return [replace(job.sound, channel=number) for number in voices]

    def _heard(self, source: Source, path: Path, sound: SoundOptions) -> Transcript:
        """The transcript: from the journal if it is there, else from the model."""
        audio = open_audio(path, track=audio_track_of(self.job.audio_track), sound=sound)
        recall = self._recall(path, audio, sound)
        transcript = recall.transcript() if recall else None
        if transcript is None:
            transcript = self._recognised(source, audio, recall)
        else:
            self._retell(transcript)
        if self.job.refine:
            refined = refine_segments(transcript.segments, Loudness.of(audio.blocks()))
            transcript = replace(transcript, segments=refined)
        return _signed(transcript, source)

    def _retell(self, transcript: Transcript) -> None:
        if self.on_segment:
            for segment in transcript.segments:
                self.on_segment(segment)

    def _recognised(self, source: Source, audio: MediaAudio, recall: Recall | None) -> Transcript:
        stage, engine = f"transcribing {source.name}", self._ready_engine()
        _warn_of_language(source, audio, engine)
        try:
            transcript = engine.transcribe(
                recall.audio if recall else audio,
                self.job.options,
                windows=recall,
                on_progress=_told(stage, self.on_progress),
                on_segment=self.on_segment,
            )
        except AlreadyHeardError as known:
            transcript = known.transcript
            self._retell(transcript)
        if recall:
            recall.keep(transcript)
        return transcript

    def _recall(self, path: Path, audio: AudioSource, sound: SoundOptions) -> Recall | None:
        if self.archive is None:
            return None
        try:
            settings, track = self._settings(self.archive), str(self.job.audio_track or "")
            track += "" if sound == SoundOptions() else repr(sound)
        except JournalError as error:
            logger.warning("%s; going on without it", error)
            self.archive = None
            return None
        return Recall(self.archive, path, track, settings, HashedAudio(audio))

    def _settings(self, archive: Archive) -> str:
        """The settings as the journal knows them; a model is loaded only if it was never seen before."""
        job = self.job
        with self._loading():
            compute = place(job.model.device, job.model.compute).compute
        identity = archive.model_identity(self._located())
        if identity is None:
            identity = self._ready_engine().model.checkpoint.identity
            archive.remember_model(self._located(), identity)
        return settings_key(job.options, model=identity, compute=compute)

    def _located(self) -> Path:
        if self._checkpoint is None:
            job = self.job
            with self._loading():
                self._checkpoint = locate(job.model, job.options, several=self.several, on_progress=self.on_progress)
        return self._checkpoint

    def _ready_engine(self) -> Transcriber:
        if self._engine is None:
            checkpoint = self._located()
            with self._loading():
                self._engine = load_from(checkpoint, self.job.model)
        return self._engine

    @contextmanager
    def _loading(self) -> Iterator[None]:
        """What goes wrong in the block would go wrong with every recording; the time it takes is nobody's."""
        started, self._is_loading = time.monotonic(), True
        yield
        self._loading_took += time.monotonic() - started
        self._is_loading = False

    def _results(self, source: Source, captions: Captions) -> "dict[Path, _Result]":
        outputs, transcript = self.job.outputs, captions.transcript
        if transcript.translation and captions.second and self.job.bilingual:
            return self._written(source, outputs, transcript, captions.shown, name=MIXED)
        results = self._written(source, outputs, transcript, captions.track)
        if transcript.translation and captions.second:
            results |= self._written(source, outputs.beside_another(), transcript.translation, captions.second)
        return results

    def _written(
        self, source: Source, outputs: OutputPlan, transcript: Transcript, track: Track, *, name: str | None = None
    ) -> "dict[Path, _Result]":
        results = {}
        for format in outputs.formats:
            path = outputs.path(source, name or _name_of(transcript), format)
            if format == JSON:
                results[path] = _Result(f"{transcript.to_json()}\n".encode())
            else:
                results[path] = self._captions(track, format)
        return results

    def _captions(self, track: Track, format: str) -> "_Result":
        look = self.job.look
        content, shown = look.file(track, format), look.shown(track, format)
        losses = lost_from_captions(shown, format, content, timed_words=look.highlight != "none")
        return _Result(content, losses)


@dataclass(frozen=True, slots=True)
class _Result:
    """A file to be written."""

    content: bytes
    losses: tuple[Loss, ...] = ()


def _told(stage: str, on_progress: OnProgress) -> Callable[[Progress], None]:
    return lambda progress: on_progress(stage, progress.position, progress.duration)


def _warn_of_language(source: Source, audio: MediaAudio, engine: Transcriber) -> None:
    stated = named_language(audio.language or "")
    if stated not in (None, "en") and not engine.model.tokenizer.is_multilingual:
        told = f"{source} says that its sound is {LANGUAGES[stated].title()}"
        logger.warning("%s, and the model %s knows English only: the text is worth nothing", told, engine.model.name)


def _signed(transcript: Transcript, source: Source) -> Transcript:
    """The transcript with what it is of and what made it."""
    made_by = {"program": f"subwhisper {subwhisper.__version__}", "source": _fingerprint(source)}
    translation = _signed(transcript.translation, source) if transcript.translation else None
    return replace(transcript, provenance={**transcript.provenance, **made_by}, translation=translation)


def audio_track_of(wanted: str | int | None) -> str | int | None:
    """A track as typed: digits are its number."""
    return int(wanted) if isinstance(wanted, str) and wanted.isdigit() else wanted


def text_languages(options: TranscribeOptions) -> tuple[str | None, ...]:
    """The languages that the texts will be in; `None` where that is not known beforehand."""
    spoken = language_code(options.language) if options.language and not options.multilingual else None
    return {"transcribe": (spoken,), "translate": ("en",), "both": (spoken, "en")}[options.task]


def result_languages(job: TranscribeJob) -> tuple[str | None, ...]:
    """The languages in the names of results, likewise; two texts in one file are of several."""
    languages = text_languages(job.options)
    return (MIXED,) if job.bilingual and languages != ("en", "en") else languages


def _name_of(transcript: Transcript) -> str:
    """The language in a result's name; mixed speech that is mostly English leaves `en` to its translation."""
    return MIXED if transcript.translation and transcript.language == "en" else transcript.language


def _fingerprint(source: Source) -> dict[str, Any]:
    if source.path is None:
        return {"name": str(source)}
    return {"name": source.path.name, "bytes": source.path.stat().st_size}
