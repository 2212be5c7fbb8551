"""subwhisper: whole recordings through its public functions, single stages through the engine's own classes."""

from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

import subwhisper
from benchmarks.peers.engines.work import BATCHES, Setting, Stage
from subwhisper import Audio, DecodeOptions, TranscribeOptions, load_model, transcribe
from subwhisper.engine.alignment import Aligner
from subwhisper.engine.decoding.loop import Beginning, WindowDecoder
from subwhisper.engine.features import MelReader, log_mel, survey
from subwhisper.engine.options import VadOptions
from subwhisper.engine.survey import survey_recording
from subwhisper.model.cache import HeardWindows


class Ours:
    """The model and what is kept between stages."""

    def __init__(self, setting: Setting, compute: str) -> None:
        """Load the checkpoint's directory."""
        self._setting = setting
        self._engine = load_model(str(setting.checkpoint / "hf"), compute=compute, threads=setting.threads)
        model = self._engine.model
        self._network, self._tokenizer = model.network, model.tokenizer
        self._start = self._tokenizer.start_sequence("en", "transcribe")
        self.versions = {
            "subwhisper": subwhisper.__version__,
            "torch": torch.__version__,
            "compute": model.placement.compute,
        }
        self._encoded: dict[int, Tensor] = {}
        self._read: tuple[HeardWindows, tuple[int, ...]] | None = None
        self.stages = {
            "mel": Stage(self._log_mel, lambda: self._samples),
            "vad": Stage(self._listen, lambda: self._samples),
            "encoder": Stage(lambda: self._encode(self._mel[:1]).shape[1], lambda: self._mel),
            "beam-5": Stage(lambda: self._decode(1, beams=5), lambda: self._features(1)),
            "words": Stage(self._words, self._ready_for_words),
            "sequential": Stage(lambda: self._transcribe(plan="sequential")),
            "batched-8": Stage(lambda: self._transcribe(plan="batched", batch_size=8)),
            "natural-sequential": Stage(lambda: self._natural(plan="sequential")),
            "natural-batched": Stage(lambda: self._natural(plan="batched")),
        }
        for size in BATCHES:
            self.stages[f"greedy-{size}"] = Stage(
                lambda size=size: self._decode(size), lambda size=size: self._features(size)
            )

    @cached_property
    def _samples(self) -> np.ndarray:
        return self._setting.samples()

    @cached_property
    def _mel(self) -> Tensor:
        n_mels = self._network.dims.n_mels
        return torch.stack([log_mel(torch.from_numpy(one), n_mels) for one in self._setting.windows(max(BATCHES))])

    def _log_mel(self) -> int:
        """As a recording is read: once for its loudest moment, once for its windows."""
        audio, n_mels = Audio(self._samples), self._network.dims.n_mels
        surveyed = survey(audio, n_mels)
        reader = MelReader(audio, n_mels, surveyed)
        return sum(reader.window(first, 3000).shape[1] for first in range(0, surveyed.n_frames, 3000))

    def _listen(self) -> int:
        """The detector that lays windows; log-mel is read on the way, as always."""
        found = survey_recording(Audio(self._samples), self._network.dims.n_mels, VadOptions())
        return len([*found.speech]) if found.speech else 0

    @torch.inference_mode()
    def _encode(self, mels: Tensor) -> Tensor:
        return torch.cat([self._network.encode(mel) for mel in torch.split(mels, 1)])

    def _features(self, size: int) -> Tensor:
        if size not in self._encoded:
            self._encoded[size] = self._encode(self._mel[:size])
        return self._encoded[size]

    def _decode(self, size: int, *, beams: int = 1) -> int:
        model = self._engine.model
        decoder = WindowDecoder(
            self._network,
            self._tokenizer,
            DecodeOptions(beam_size=beams),
            model_suppressed=model.suppress_tokens,
        )
        with torch.inference_mode():
            heard = self._network.hear(self._features(size))
        found = decoder.decode(heard, [Beginning(self._start)] * size)
        self._read = heard.one_by_one()[0], found[0].tokens
        return sum(len(one.tokens) for one in found)

    def _ready_for_words(self) -> None:
        if self._read is None:
            self._decode(1)

    def _words(self) -> int:
        """After decoding: what the decoder attends to is there already."""
        assert self._read is not None
        heard, tokens = self._read
        options = TranscribeOptions()
        marks = options.prepend_punctuations, options.append_punctuations
        aligner = Aligner(self._network, self._tokenizer, self._engine.model.alignment_heads, self._start, "en", *marks)
        text = [token for token in tokens if token < self._tokenizer.eot]
        return len(aligner.find(text, heard, 1500))

    def _transcribe(self, **plan: Any) -> int:
        """The whole of it, as a program would call it; only what would make the work unequal is switched off.

        Without a detector all sound counts as speech, as it does for the others here, and so nobody asks whether the
        text is where speech is: random word times would seem to leave holes, which would be read again. Clips of a
        window each keep the batched plan from cutting windows short in pauses, where the others cut at 30 s too.
        """
        edges = (float(30 * edge) for at in range(self._setting.n_windows) for edge in (at, at + 1))
        options = TranscribeOptions(
            language="en",
            word_timestamps=True,
            condition_on_previous_text=False,
            decode=DecodeOptions(beam_size=1),
            vad=VadOptions(detector="none"),
            clip_timestamps=tuple(edges),
            **plan,
        )
        return _n_words(transcribe(self._setting.sound, options, model=self._engine))

    def _natural(self, **plan: Any) -> int:
        options = TranscribeOptions(language="en", word_timestamps=True, **plan)
        return _n_words(transcribe(self._setting.sound, options, model=self._engine))


def _n_words(transcript: subwhisper.Transcript) -> int:
    return sum(len(segment.words) for segment in transcript.segments)


def load(setting: Setting, options: dict[str, str]) -> Ours:
    """Load in one of our precisions."""
    return Ours(setting, options["compute"])
