"""What was said and when: words, segments, transcripts, and their JSON.

Times are seconds from the start of the recording's own clock, never rounded here.
The JSON has the shape of openai-whisper's result, with additions: `duration`, `language_probability`,
`provenance`, the language of each segment, and `translation` where both texts were asked for.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from subwhisper.errors import InputError


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word and where it sits in the recording."""

    text: str
    """As the tokenizer wrote it: a leading space belongs to the word."""
    start: float
    end: float
    probability: float | None = None
    speaker: str | None = None
    """Whoever says it; `None` when not known."""

    def shifted(self, seconds: float) -> "Word":
        return replace(self, start=self.start + seconds, end=self.end + seconds)

    def to_dict(self) -> dict[str, Any]:
        row = {"word": self.text, "start": self.start, "end": self.end, "probability": self.probability}
        return row | {"speaker": self.speaker} if self.speaker else row


@dataclass(frozen=True, slots=True)
class Quality:
    """The recogniser's own evidence for a segment; a window's segments share it."""

    avg_logprob: float
    """Mean natural log-probability per token; nearer 0 is surer."""
    compression_ratio: float
    """Length of the text over its length after zlib; high means repetition."""
    no_speech_prob: float
    """Probability that the window holds no speech, 0 to 1."""
    temperature: float = 0.0
    """Sampling temperature that gave this text; 0 is the most probable text."""
    notes: tuple[str, ...] = ()
    """What was done to the text and why: decoded again, cut, found by listening once more."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """Text that was recognised and taken out again."""

    start: float
    end: float
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Segment:
    """What lies between two timestamps of the recogniser."""

    start: float
    end: float
    text: str
    """With its leading space."""
    tokens: tuple[int, ...] = ()
    """Token ids, timestamps included."""
    seek: int = 0
    """Mel frame (10 ms) at which the window began."""
    words: tuple[Word, ...] = ()
    language: str | None = None
    quality: Quality | None = None

    def shifted(self, seconds: float) -> "Segment":
        words = tuple(word.shifted(seconds) for word in self.words)
        return replace(self, start=self.start + seconds, end=self.end + seconds, words=words)

    def to_dict(self, index: int) -> dict[str, Any]:
        quality = self.quality
        row: dict[str, Any] = {
            "id": index,
            "seek": self.seek,
            "start": self.start,
            "end": self.end,
            "text": self.text,
            "tokens": list(self.tokens),
            "temperature": quality.temperature if quality else None,
            "avg_logprob": quality.avg_logprob if quality else None,
            "compression_ratio": quality.compression_ratio if quality else None,
            "no_speech_prob": quality.no_speech_prob if quality else None,
            "language": self.language,
        }
        if quality and quality.notes:
            row["notes"] = list(quality.notes)
        if self.words:
            row["words"] = [word.to_dict() for word in self.words]
        return row

    @classmethod
    def from_dict(cls, row: Mapping[str, Any], language: str | None) -> "Segment":
        quality = None
        if row.get("avg_logprob") is not None:
            quality = Quality(
                avg_logprob=row["avg_logprob"],
                compression_ratio=row["compression_ratio"],
                no_speech_prob=row["no_speech_prob"],
                temperature=row.get("temperature") or 0.0,
                notes=tuple(row.get("notes", ())),
            )
        return cls(
            start=float(row["start"]),
            end=float(row["end"]),
            text=row["text"],
            tokens=tuple(row.get("tokens", ())),
            seek=row.get("seek", 0),
            words=tuple(
                Word(
                    w["word"],
                    float(w["start"]),
                    float(w["end"]),
                    w.get("probability"),
                    w.get("speaker") or row.get("speaker"),
                )
                for w in row.get("words", ())
            ),
            language=row.get("language") or language,
            quality=quality,
        )


@dataclass(frozen=True, slots=True)
class Transcript:
    """Everything said in one recording."""

    segments: tuple[Segment, ...]
    language: str
    """Code of the language of the text: `en` after translation, whatever was spoken."""
    duration: float | None = None
    """Seconds of audio; `None` when unknown."""
    language_probability: float | None = None
    """How sure the recogniser was of the language spoken; `None` where it was told."""
    translation: "Transcript | None" = None
    """The same in English, where both were asked for."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """How it was made: model and its hash, settings, versions. Plain JSON values."""

    @property
    def text(self) -> str:
        return "".join(segment.text for segment in self.segments)

    def words(self) -> Iterator[Word]:
        for segment in self.segments:
            yield from segment.words

    def shifted(self, seconds: float) -> "Transcript":
        segments = tuple(segment.shifted(seconds) for segment in self.segments)
        translation = self.translation.shifted(seconds) if self.translation else None
        return replace(self, segments=segments, translation=translation)

    def to_dict(self) -> dict[str, Any]:
        document: dict[str, Any] = {
            "text": self.text,
            "language": self.language,
            "language_probability": self.language_probability,
            "duration": self.duration,
            "segments": [segment.to_dict(index) for index, segment in enumerate(self.segments)],
            "provenance": dict(self.provenance),
        }
        if self.translation is not None:
            document["translation"] = self.translation.to_dict()
        return document

    def to_json(self, *, indent: int | None = None) -> str:
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=indent, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "Transcript":
        """Read our JSON, or openai-whisper's.

        Raises:
            InputError: it is not JSON, or not a transcript.
        """
        try:
            return cls._from_dict(json.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"this JSON is not a transcript: {error!r}") from error

    @classmethod
    def _from_dict(cls, document: Mapping[str, Any]) -> "Transcript":
        language = document.get("language") or "und"
        translation = document.get("translation")
        return cls(
            segments=tuple(Segment.from_dict(row, language) for row in document["segments"]),
            language=language,
            duration=document.get("duration"),
            language_probability=document.get("language_probability"),
            translation=cls._from_dict(translation) if translation else None,
            provenance=document.get("provenance", {}),
        )
