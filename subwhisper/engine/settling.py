"""What is kept of a window that has been read: its segments, their words, their translation, and where to go on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from subwhisper.engine.alignment import Aligner
from subwhisper.engine.decoding.loop import Decoded
from subwhisper.engine.fallback import is_noise, is_silence
from subwhisper.engine.features import FRAMES_PER_SECOND
from subwhisper.engine.hallucination import Kept, skip_silence
from subwhisper.engine.invention import Evidence, judged
from subwhisper.engine.options import TranscribeOptions
from subwhisper.engine.reader import Reading
from subwhisper.engine.speech_model import SpeechModel
from subwhisper.engine.window_store import Settled
from subwhisper.engine.windows import Piece, every_piece, split_tokens, whole_window
from subwhisper.transcript import Dropped, Quality, Segment


@dataclass(frozen=True, slots=True)
class Settler:
    """Readings of one recording to segments: model, options and tasks stay the same."""

    model: SpeechModel
    options: TranscribeOptions
    tasks: tuple[str, ...]
    """What the windows were read for; the first one says where they leave off."""
    n_frames: int
    """Of the whole recording."""
    evidence: Evidence | None = None
    """Against invented text; `None`: everything is believed."""

    def settle(self, reading: Reading, last_speech: float, *, is_alone: bool) -> Settled:
        """Make segments of a reading: what is kept of it, and where the next window starts.

        Args:
            reading: of one window.
            last_speech: seconds at which the last word before it ended.
            is_alone: no other window goes on from it, so all of its text counts.
        """
        window, decoded = reading.window, reading.decoded
        silence = self._silence(decoded)
        if silence:
            return Settled(Kept((), window.end_frame, dropped=_silent(reading, silence)), None, last_speech)
        split_window = whole_window if is_alone else split_tokens
        split = split_window(decoded.tokens, window, self.model.tokenizer.timestamp_begin)
        kept = Kept(tuple(self._segment(piece, reading, self.tasks[0]) for piece in split.pieces), split.next_frame)
        if self.options.word_timestamps:
            kept = self._with_words(kept, reading, last_speech, is_complete=split.is_complete, is_alone=is_alone)
            if kept.is_abandoned:
                return Settled(kept, None, last_speech)
            end = _end_of(kept.segments)
            last_speech = last_speech if end is None else end
        kept = replace(kept, segments=tuple(_cleared(segment) for segment in kept.segments))
        if self.evidence is not None:
            believed, dropped = judged(kept.segments, self.evidence)
            kept = replace(kept, segments=believed, dropped=dropped)
        settled = Settled(kept, decoded.temperature, last_speech)
        return self._with_translation(settled, reading) if len(self.tasks) > 1 else settled

    def _with_translation(self, settled: Settled, reading: Reading) -> Settled:
        """Add the English text of what is kept of a window; the rest is read, and translated, in the next one."""
        if reading.language == "en":
            return replace(settled, translation=settled.kept.segments, translation_temperature=settled.temperature)
        translated = reading.texts[1]
        end = min(settled.kept.next_frame, reading.window.end_frame) / FRAMES_PER_SECOND
        pieces = every_piece(translated.tokens, reading.window, self.model.tokenizer.timestamp_begin)
        segments = [
            _cleared(self._segment(replace(piece, end=min(piece.end, end)), reading, "translate"))
            for piece in pieces
            if (piece.start + piece.end) / 2 < end
        ]
        believed = tuple(segments) if self.evidence is None else judged(segments, self.evidence)[0]
        return replace(settled, translation=believed, translation_temperature=translated.temperature)

    def _silence(self, decoded: Decoded) -> str | None:
        """Why a window is taken for silence; `None` where it is not."""
        if is_silence(decoded, self.options.fallback):
            return f"silence: no speech with probability {decoded.no_speech_prob:.2f}, and the text is a guess"
        if is_noise(decoded, self.options.fallback, self.model.checkpoint.noise_logprob):
            return f"silence: mean log-probability {decoded.avg_logprob:.2f}, as of the text this model makes of noise"
        return None

    def _segment(self, piece: Piece, reading: Reading, task: str) -> Segment:
        decoded = reading.texts[self.tasks.index(task)]
        return Segment(
            start=piece.start,
            end=piece.end,
            text=self.model.tokenizer.decode(token for token in piece.tokens if token < self.model.tokenizer.eot),
            tokens=piece.tokens,
            seek=reading.window.first,
            language="en" if task == "translate" else reading.language,
            quality=Quality(
                avg_logprob=decoded.avg_logprob,
                compression_ratio=decoded.compression_ratio,
                no_speech_prob=decoded.no_speech_prob,
                temperature=decoded.temperature,
                notes=decoded.doubts,
            ),
        )

    def _with_words(
        self, kept: Kept, reading: Reading, last_speech: float, *, is_complete: bool, is_alone: bool
    ) -> Kept:
        """Add word times, and let the next window start where the last word ends."""
        window = reading.window
        with torch.inference_mode():
            segments = self._aligner(reading.language).add_words(kept.segments, reading.heard, window, last_speech)
        kept = replace(kept, segments=segments)
        full_end = (window.first + self.model.window_frames) / FRAMES_PER_SECOND
        threshold = self.options.hallucination_silence_threshold
        end = _end_of(segments)
        if not is_complete and end is not None and end > window.start:
            is_rest_silent = threshold is None or full_end - end > threshold
            kept = replace(kept, next_frame=round(end * FRAMES_PER_SECOND) if is_rest_silent else window.end_frame)
        if threshold is not None and not is_alone:
            kept = skip_silence(
                kept,
                window,
                window_end=full_end,
                n_frames=self.n_frames,
                last_speech=last_speech,
                threshold=threshold,
            )
        return kept

    def _aligner(self, language: str) -> Aligner:
        return Aligner(
            self.model.network,
            self.model.tokenizer,
            self.model.alignment_heads,
            self.model.tokenizer.start_sequence(language, self.tasks[0]),
            language,
            self.options.prepend_punctuations,
            self.options.append_punctuations,
        )


def _silent(reading: Reading, reason: str) -> tuple[Dropped, ...]:
    """The text of a window that is taken for silence."""
    decoded, window = reading.decoded, reading.window
    if not decoded.text:
        return ()
    return (Dropped(window.start, window.start + window.duration, decoded.text, reason),)


def _end_of(segments: Sequence[Segment]) -> float | None:
    """Seconds at which the last word ends, or the last segment if there are no words."""
    ends = (word.end for segment in reversed(segments) for word in reversed(segment.words))
    return next(ends, segments[-1].end if segments else None)


def _cleared(segment: Segment) -> Segment:
    """A segment without length or text says nothing; it stays, so that numbering is openai-whisper's."""
    if segment.start == segment.end or not segment.text.strip():
        return replace(segment, text="", tokens=(), words=())
    return segment
