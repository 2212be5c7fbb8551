"""faster-whisper on CTranslate2."""

from functools import cached_property
from importlib.metadata import version
from typing import Any

import ctranslate2
import numpy as np
from faster_whisper import BatchedInferencePipeline, WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.vad import get_speech_timestamps

from benchmarks.peers.engines.work import BATCHES, WINDOW, Setting, Stage

_PLAIN: dict[str, Any] = {"language": "en", "word_timestamps": True, "beam_size": 1, "without_timestamps": False}


class FasterWhisper:
    """The model and what is kept between stages."""

    def __init__(self, setting: Setting, compute: str) -> None:
        """Load; the weights lie on disk in the precision that is asked for."""
        self._setting = setting
        self._model = WhisperModel(
            str(setting.checkpoint / f"ct2-{compute}"), device="cpu", compute_type=compute, cpu_threads=setting.threads
        )
        self.versions = {name: version(name) for name in ("faster-whisper", "ctranslate2")}
        self._encoded: dict[int, ctranslate2.StorageView] = {}
        self._tokens: list[int] = []
        self.stages = {
            "mel": Stage(lambda: self._model.feature_extractor(self._samples).shape[-1], lambda: self._samples),
            "vad": Stage(lambda: len(get_speech_timestamps(self._samples)), lambda: self._samples),
            "encoder": Stage(lambda: self._encode(1).shape[1], lambda: self._mel),
            "beam-5": Stage(lambda: self._decode(1, beams=5), lambda: self._features(1)),
            "words": Stage(self._words, self._ready_for_words),
            "sequential": Stage(self._sequential),
            "batched-8": Stage(lambda: self._batched(8)),
            "natural-sequential": Stage(self._natural),
        }
        for size in BATCHES:
            self.stages[f"greedy-{size}"] = Stage(
                lambda size=size: self._decode(size), lambda size=size: self._features(size)
            )

    @cached_property
    def _samples(self) -> np.ndarray:
        return self._setting.samples()

    @cached_property
    def _mel(self) -> np.ndarray:
        windows = self._setting.windows(max(BATCHES))
        return np.stack([self._model.feature_extractor(window)[:, :3000] for window in windows]).astype(np.float32)

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return Tokenizer(self._model.hf_tokenizer, True, task="transcribe", language="en")

    def _encode(self, size: int) -> ctranslate2.StorageView:
        return self._model.encode(self._mel[:size])

    def _features(self, size: int) -> ctranslate2.StorageView:
        if size not in self._encoded:
            self._encoded[size] = self._encode(size)
        return self._encoded[size]

    def _decode(self, size: int, *, beams: int = 1) -> int:
        """As `WhisperModel.generate_with_fallback` calls it at temperature 0."""
        found = self._model.model.generate(
            self._features(size),
            [self._tokenizer.sot_sequence] * size,
            beam_size=beams,
            max_length=448,
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
            suppress_tokens=[*self._tokenizer.non_speech_tokens],
            max_initial_timestamp_index=50,
        )
        self._tokens = found[0].sequences_ids[0]
        return sum(len(one.sequences_ids[0]) for one in found)

    def _ready_for_words(self) -> None:
        self._features(1)
        if not self._tokens:
            self._decode(1)

    def _words(self) -> int:
        text = [token for token in self._tokens if token < self._tokenizer.eot]
        return len(self._model.find_alignment(self._tokenizer, [text], self._features(1), 3000)[0])

    def _sequential(self) -> int:
        segments, _ = self._model.transcribe(str(self._setting.sound), condition_on_previous_text=False, **_PLAIN)
        return _n_words(segments)

    def _batched(self, size: int) -> int:
        clips = [{"start": at * 30, "end": at * 30 + 30} for at in range(len(self._samples) // WINDOW)]
        segments, _ = BatchedInferencePipeline(self._model).transcribe(
            str(self._setting.sound), batch_size=size, vad_filter=False, clip_timestamps=clips, **_PLAIN
        )
        return _n_words(segments)

    def _natural(self) -> int:
        """The bundled model was trained without the text before, so it is not given any."""
        segments, _ = self._model.transcribe(
            str(self._setting.sound), language="en", word_timestamps=True, condition_on_previous_text=False
        )
        return _n_words(segments)


def _n_words(segments: Any) -> int:
    return sum(len(segment.words) for segment in segments)


def load(setting: Setting, options: dict[str, str]) -> FasterWhisper:
    """Load in one of CTranslate2's precisions."""
    return FasterWhisper(setting, options["compute"])
