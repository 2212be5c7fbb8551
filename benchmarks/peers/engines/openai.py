"""openai-whisper, and the two packages that find word times on top of it."""

from functools import cached_property
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
import whisper
from torch import Tensor
from whisper.decoding import DecodingOptions
from whisper.timing import find_alignment
from whisper.tokenizer import Tokenizer, get_tokenizer

from benchmarks.peers.engines.work import BATCHES, Setting, Stage
from subwhisper.model.checkpoints import read_checkpoint

_PLAIN: dict[str, Any] = {"language": "en", "condition_on_previous_text": False, "fp16": False}


class OpenAI:
    """The model and what is kept between stages."""

    def __init__(self, setting: Setting) -> None:
        """Load, with the checkpoint's own alignment heads, which its file has no place for."""
        torch.set_num_threads(setting.threads)
        torch.set_grad_enabled(False)
        self._setting = setting
        self.model = whisper.load_model(str(setting.checkpoint / "model.pt"), device="cpu")
        dims = self.model.dims
        heads = torch.zeros(dims.n_text_layer, dims.n_text_head, dtype=torch.bool)
        for layer, head in read_checkpoint(setting.checkpoint / "hf").alignment_heads:
            heads[layer, head] = True
        self.model.register_buffer("alignment_heads", heads.to_sparse(), persistent=False)
        self.versions = {name: version(name) for name in ("openai-whisper", "torch")}
        self._encoded: dict[int, Tensor] = {}
        self._tokens: list[int] = []
        self.stages = {
            "mel": Stage(lambda: self._log_mel(self._samples).shape[-1], lambda: self._samples),
            "encoder": Stage(lambda: self.model.encoder(self._mel[:1]).shape[1], lambda: self._mel),
            "beam-5": Stage(lambda: self._decode(1, beams=5), lambda: self._features(1)),
            "words": Stage(self._words, self._ready_for_words),
            "sequential": Stage(self._sequential),
        }
        for size in BATCHES:
            self.stages[f"greedy-{size}"] = Stage(
                lambda size=size: self._decode(size), lambda size=size: self._features(size)
            )

    @cached_property
    def _samples(self) -> np.ndarray:
        return self._setting.samples()

    def _log_mel(self, samples: np.ndarray) -> Tensor:
        return whisper.log_mel_spectrogram(samples, self.model.dims.n_mels)

    @cached_property
    def _mel(self) -> Tensor:
        return torch.stack([self._log_mel(window) for window in self._setting.windows(max(BATCHES))])

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return get_tokenizer(True, num_languages=self.model.num_languages, language="en", task="transcribe")

    def _features(self, size: int) -> Tensor:
        if size not in self._encoded:
            self._encoded[size] = self.model.encoder(self._mel[:size])
        return self._encoded[size]

    def _decode(self, size: int, *, beams: int | None = None) -> int:
        options = DecodingOptions(language="en", beam_size=beams, fp16=False)
        found = self.model.decode(self._features(size), options)
        self._tokens = found[0].tokens
        return sum(len(one.tokens) for one in found)

    def _ready_for_words(self) -> None:
        if not self._tokens:
            self._decode(1)

    def _words(self) -> int:
        """Its function hears the window anew; there is no way to hand it features."""
        text = [token for token in self._tokens if token < self._tokenizer.eot]
        return len(find_alignment(self.model, self._tokenizer, text, self._mel[0], 3000)) - 1

    def _sequential(self) -> int:
        found = self.model.transcribe(str(self._setting.sound), word_timestamps=True, verbose=None, **_PLAIN)
        return sum(len(segment["words"]) for segment in found["segments"])


class StableTs(OpenAI):
    """Word times by stable-ts: only its end-to-end work differs."""

    def __init__(self, setting: Setting) -> None:
        """Load, and put its functions on the model."""
        super().__init__(setting)
        import stable_whisper

        stable_whisper.modify_model(self.model)
        self.versions["stable-ts"] = version("stable-ts")
        self.stages = {"sequential": Stage(self._stable)}

    def _stable(self) -> int:
        found = self.model.transcribe(str(self._setting.sound), verbose=None, **_PLAIN)
        return sum(len(segment.words) for segment in found.segments)


class Timestamped(OpenAI):
    """Word times by whisper-timestamped: only its end-to-end work differs."""

    def __init__(self, setting: Setting) -> None:
        """Load."""
        super().__init__(setting)
        self.versions["whisper-timestamped"] = version("whisper-timestamped")
        self.stages = {"sequential": Stage(self._timestamped)}

    def _timestamped(self) -> int:
        import whisper_timestamped

        found = whisper_timestamped.transcribe(self.model, str(self._setting.sound), verbose=None, **_PLAIN)
        return sum(len(segment["words"]) for segment in found["segments"])


def load(setting: Setting, options: dict[str, str]) -> OpenAI:
    """Load, with word times by itself or by another package."""
    kinds = {"stable-ts": StableTs, "whisper-timestamped": Timestamped}
    return kinds.get(options.get("words", ""), OpenAI)(setting)
