"""transformers, with torch's own attention; whole recordings as its users write the loop."""

from functools import cached_property
from importlib.metadata import version

import numpy as np
import torch
import transformers
from torch import Tensor
from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutput

from benchmarks.peers.engines.work import BATCHES, Setting, Stage

_PROMPT = (50258, 50259, 50359)


class HuggingFace:
    """The model and what is kept between stages."""

    def __init__(self, setting: Setting, compute: str) -> None:
        """Load the checkpoint's directory."""
        transformers.logging.set_verbosity_error()
        torch.set_num_threads(setting.threads)
        torch.set_grad_enabled(False)
        folder = str(setting.checkpoint / "hf")
        self._setting, self._dtype = setting, getattr(torch, compute)
        self._model = WhisperForConditionalGeneration.from_pretrained(folder, dtype=self._dtype).eval()
        self._extractor = WhisperFeatureExtractor.from_pretrained(folder)
        self.versions = {name: version(name) for name in ("transformers", "torch")}
        self._encoded: dict[int, Tensor] = {}
        self.stages = {
            "mel": Stage(self._log_mel, lambda: self._samples),
            "encoder": Stage(lambda: self._encode(1).shape[1], lambda: self._mel),
            "beam-5": Stage(lambda: self._decode(1, beams=5), lambda: self._features(1)),
        }
        for size in BATCHES:
            self.stages[f"greedy-{size}"] = Stage(
                lambda size=size: self._decode(size), lambda size=size: self._features(size)
            )

    @cached_property
    def _samples(self) -> np.ndarray:
        return self._setting.samples()

    def _log_mel(self) -> int:
        found = self._extractor(self._samples, sampling_rate=16000, truncation=False, return_tensors="np")
        return int(found.input_features.shape[-1])

    @cached_property
    def _mel(self) -> Tensor:
        windows = self._setting.windows(max(BATCHES))
        found = self._extractor(windows, sampling_rate=16000, return_tensors="pt")
        return found.input_features.to(self._dtype)

    def _encode(self, size: int) -> Tensor:
        return self._model.get_encoder()(self._mel[:size]).last_hidden_state

    def _features(self, size: int) -> Tensor:
        if size not in self._encoded:
            self._encoded[size] = self._encode(size)
        return self._encoded[size]

    def _decode(self, size: int, *, beams: int = 1) -> int:
        found = self._model.generate(
            encoder_outputs=BaseModelOutput(last_hidden_state=self._features(size)),
            decoder_input_ids=torch.tensor([_PROMPT] * size),
            return_timestamps=True,
            num_beams=beams,
            do_sample=False,
            max_new_tokens=120,
        )
        return int((found >= 0).sum())


def load(setting: Setting, options: dict[str, str]) -> HuggingFace:
    """Load in a precision of torch."""
    return HuggingFace(setting, options["compute"])
