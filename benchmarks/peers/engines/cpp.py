"""whisper.cpp, through pywhispercpp."""

from functools import cached_property
from importlib.metadata import version

import _pywhispercpp as bare
import numpy as np
from pywhispercpp.model import Model

from benchmarks.peers.checkpoints import script
from benchmarks.peers.engines.work import WINDOW_TOKENS, Setting, Stage
from subwhisper.model.vocabulary import public_vocabulary

_PROMPT = 3


class WhisperCpp:
    """The model and what is kept between stages."""

    def __init__(self, setting: Setting, weights: str) -> None:
        """Load a ggml file."""
        self._setting, self._threads = setting, setting.threads
        quiet = {"print_progress": False, "print_timestamps": False}
        self._model = Model(
            str(setting.checkpoint / f"{weights}.bin"),
            language="en",
            n_threads=setting.threads,
            no_context=True,
            token_timestamps=True,
            redirect_whispercpp_logs_to=None,
            **quiet,
        )
        self._context = self._model._ctx
        self.versions = {"pywhispercpp": version("pywhispercpp"), "instructions": _instructions()}
        self.stages = {
            "mel": Stage(lambda: self._log_mel(self._samples), lambda: self._samples),
            "encoder": Stage(self._encode, lambda: self._log_mel(self._window)),
            "greedy-1": Stage(self._decode, self._ready_to_decode),
            "sequential": Stage(self._sequential),
        }

    @cached_property
    def _samples(self) -> np.ndarray:
        return self._setting.samples()

    @cached_property
    def _window(self) -> np.ndarray:
        return self._setting.windows(1)[0]

    @cached_property
    def _said(self) -> list[int]:
        vocabulary = public_vocabulary(bare.whisper_n_vocab(self._context))
        return [vocabulary.special_tokens["<|startoftranscript|>"], *script(vocabulary)]

    def _log_mel(self, samples: np.ndarray) -> int:
        bare.whisper_pcm_to_mel(self._context, samples, len(samples), self._threads)
        return int(bare.whisper_n_len(self._context))

    def _encode(self) -> int:
        if bare.whisper_encode(self._context, 0, self._threads):
            raise RuntimeError("whisper.cpp could not encode")
        return 1500

    def _step(self, position: int) -> None:
        if bare.whisper_decode(self._context, self._said[position], 1, position, self._threads):
            raise RuntimeError("whisper.cpp could not decode")

    def _ready_to_decode(self) -> None:
        self._log_mel(self._window)
        self._encode()
        for position in range(_PROMPT):
            self._step(position)

    def _decode(self) -> int:
        """The bare steps of a known text: no prompt, no choice of tokens, so a little less than the others do."""
        for position in range(_PROMPT, _PROMPT + WINDOW_TOKENS):
            self._step(position)
        return WINDOW_TOKENS

    def _sequential(self) -> int:
        """With its own word times, which it guesses from probabilities and loudness."""
        return sum(len(segment.text.split()) for segment in self._model.transcribe(str(self._setting.sound)))


def _instructions() -> str:
    pairs = bare.whisper_print_system_info()
    text = pairs.decode() if isinstance(pairs, bytes) else str(pairs)
    return " ".join(pair.split("=")[0].split(":")[-1].strip() for pair in text.split("|") if pair.strip().endswith("1"))


def load(setting: Setting, options: dict[str, str]) -> WhisperCpp:
    """Load one of the quantised files."""
    return WhisperCpp(setting, options["weights"])
