"""A Whisper of your own: any checkpoint, adapted to pairs of media and corrected subtitles.

The sound and the subtitles of a window become what the network was first trained on: log-mel in, timestamps and text
out. A part of the material is kept aside: it stops the training when it no longer gets better, and tells before and
after what it was worth. Every epoch ends with a state on the disk, so an interrupted run goes on.

Shapes: B windows, M mel bins, F frames, T tokens.
"""

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from subwhisper.audio import Audio, Samples
from subwhisper.engine.features import log_mel
from subwhisper.engine.options import DecodeOptions, FallbackOptions, TranscribeOptions
from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.engine.transcriber import Transcriber
from subwhisper.errors import InputError, OptionError
from subwhisper.model.checkpoints import Checkpoint, read_checkpoint
from subwhisper.model.checkpoints.writer import save_checkpoint
from subwhisper.model.whisper import Whisper
from subwhisper.replacing import replacing
from subwhisper.training.augment import AugmentOptions, from_another_throat, masked
from subwhisper.training.lora import adapt, merge
from subwhisper.training.losses import token_loss
from subwhisper.training.material import Example
from subwhisper.training.metrics import WordErrors, word_errors
from subwhisper.training.precision import mixed
from subwhisper.training.windows import IGNORE, POSITIONS_PER_SECOND

STATE = "state.pt"
_AVERAGE = 0.97
"""Share of the running average kept at each step."""
_RECIPE = 2
"""To be raised when a run can no longer be gone on with from the state of an earlier version."""
_LATEST_FIRST = 1.0
OnEpoch = Callable[["Epoch"], None]


@dataclass(frozen=True, kw_only=True)
class FinetuneOptions:
    """How a checkpoint is adapted."""

    method: Literal["lora", "full"] = "lora"
    """`lora` learns thin matrices beside the frozen ones: little memory, little forgetting. `full` moves all."""
    rank: int = 16
    """Of the thin matrices. More can learn more, and by heart."""
    learning_rate: float | None = None
    """`None`: 1e-3 for LoRA, 1e-4 in full, falling to nothing over the epochs."""
    epochs: int = 12
    """Times the whole material is heard at most."""
    patience: int = 3
    """Epochs without a better loss on the part kept aside before it stops."""
    batch_size: int = 8
    """Windows per step."""
    validation: float = 0.1
    """Share of the material kept aside."""
    language: str = "en"
    """Of the material, for models that know several."""
    seed: int = 7

    def __post_init__(self) -> None:
        if self.method not in ("lora", "full"):
            raise OptionError(f"unknown method {self.method!r}", hint="lora or full")
        for name in ("rank", "epochs", "batch_size", "patience"):
            if getattr(self, name) < 1:
                raise OptionError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 0 < self.validation < 1:
            raise OptionError(f"validation must lie between 0 and 1, got {self.validation}")

    @property
    def rate(self) -> float:
        return self.learning_rate or (1e-3 if self.method == "lora" else 1e-4)


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the material."""

    number: int
    loss: float
    """Mean over the epoch, of what was learnt from."""
    validation_loss: float
    seconds: float
    is_best: bool


@dataclass(frozen=True, slots=True)
class Finetuned:
    """What became of it."""

    folder: Path
    n_examples: int
    n_validation: int
    epochs: tuple[Epoch, ...]
    before: WordErrors
    after: WordErrors

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        rates = {"word_error_rate_before": self.before.rate, "word_error_rate_after": self.after.rate}
        return {**asdict(self), "folder": str(self.folder), **rates}


def split(examples: Sequence[Example], share: float) -> tuple[list[Example], list[Example]]:
    """Material to learn from and to judge by: whole files aside where there are enough, else the end of each.

    Raises:
        InputError: there is too little to keep any aside.
    """
    sources = list(dict.fromkeys(example.source for example in examples))
    if len(examples) < 4:
        raise InputError(
            f"the material gives {len(examples)} windows; that is too little to learn from and to judge by",
            hint="a few minutes of corrected subtitles are the least",
        )
    every = max(2, round(1 / share))
    if len(sources) >= 2 * every:
        aside = {source for index, source in enumerate(sources) if index % every == every - 1}
        chosen = [example.source in aside for example in examples]
    else:
        n_aside = max(1, round(len(examples) * share))
        chosen = [index >= len(examples) - n_aside for index in range(len(examples))]
    learnt = [example for example, is_aside in zip(examples, chosen, strict=True) if not is_aside]
    return learnt, [example for example, is_aside in zip(examples, chosen, strict=True) if is_aside]


def finetune(
    model: Path,
    examples: Sequence[Example],
    folder: Path,
    options: FinetuneOptions,
    *,
    device: str = "cpu",
    on_epoch: OnEpoch = lambda epoch: None,
) -> Finetuned:
    """Adapt a checkpoint to examples, and write the better of the two as a model directory.

    Args:
        model: file or folder of a Whisper checkpoint.
        examples: windows no longer than the model's.
        folder: where the adapted model is written; the state of an unfinished run lies beside it.
        options: how.
        device: to train on.
        on_epoch: called after each.

    Raises:
        InputError: too little material.
        OutputError: `folder` is there already, or cannot be written.
    """
    checkpoint = read_checkpoint(model)
    learnt, aside = split(examples, options.validation)
    before = word_error_rate(checkpoint, aside, options.language)
    course = _Course(checkpoint, learnt, aside, options, folder, torch.device(device))
    epochs = []
    for epoch in course.epochs():
        epochs.append(epoch)
        on_epoch(epoch)
    adapted = course.best_tensors()
    course.write(adapted)
    after = word_error_rate(read_checkpoint(folder), aside, options.language)
    course.forget_state()
    return Finetuned(folder, len(learnt), len(aside), tuple(epochs), before, after)


def word_error_rate(checkpoint: Checkpoint, examples: Sequence[Example], language: str) -> WordErrors:
    """Transcribe windows greedily and compare."""
    transcriber = Transcriber(checkpoint)
    options = TranscribeOptions(
        language=language if checkpoint.is_multilingual else None,
        decode=DecodeOptions(beam_size=1),
        fallback=FallbackOptions(temperatures=(0.0,)),
    )
    errors = WordErrors()
    for example in examples:
        errors += word_errors(example.text, transcriber.transcribe(Audio(example.samples), options).text)
    return errors


class _Course:
    """A run of fine-tuning: the network, what it learns from, and the state between two epochs."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        learnt: Sequence[Example],
        aside: Sequence[Example],
        options: FinetuneOptions,
        folder: Path,
        device: torch.device,
    ) -> None:
        self._checkpoint, self._learnt, self._aside = checkpoint, learnt, aside
        self._options, self._folder, self._device = options, folder, device
        torch.manual_seed(options.seed)
        self._network = Whisper(checkpoint.dims)
        self._network.load_state_dict({n: t.float() for n, t in checkpoint.tensors.items()}, strict=False)
        self._network.to(device)
        self._parameters = self._unfrozen()
        self._optimizer = torch.optim.AdamW(self._parameters, lr=options.rate, weight_decay=0.01)
        self._tokenizer = Tokenizer(
            checkpoint.vocabulary,
            is_multilingual=checkpoint.is_multilingual,
            reads_prompts=checkpoint.reads_prompts,
        )
        self._writer = ExampleWriter(self._tokenizer, options.language, checkpoint.dims.n_text_ctx)
        self._random = np.random.default_rng(options.seed)
        self._averaged = [parameter.detach().clone() for parameter in self._parameters]
        """Running average of the parameters: better on what is not learnt than where a step happens to end."""
        self._n_steps = 0
        self._best = [value.clone() for value in self._averaged]
        self._best_loss = math.inf

    def _unfrozen(self) -> list[nn.Parameter]:
        if self._options.method == "lora":
            return adapt(self._network, rank=self._options.rank, alpha=2.0 * self._options.rank)
        self._network.requires_grad_(True)
        self._network.encoder.positional_embedding.requires_grad_(False)  # a formula, not a weight
        return [parameter for parameter in self._network.parameters() if parameter.requires_grad]

    def epochs(self) -> Iterator[Epoch]:
        """Train; yield each epoch. Stops when the part kept aside gets no better."""
        first, waited = self._resumed()
        if first == 0:
            self._best_loss = self._validate()
        for number in range(first, self._options.epochs):
            if waited >= self._options.patience:
                return
            started = time.monotonic()
            loss = self._learn(number)
            validation = self._validate()
            is_best = validation < self._best_loss
            if is_best:
                self._best_loss, self._best = validation, [value.clone() for value in self._averaged]
            waited = 0 if is_best else waited + 1
            self._save(number + 1, waited)
            yield Epoch(number + 1, loss, validation, time.monotonic() - started, is_best)

    def _learn(self, number: int) -> float:
        self._network.train()
        batches = self._batches(self._learnt, shuffled=True)
        total, n_steps = 0.0, math.ceil(len(self._learnt) / self._options.batch_size)
        for step, (mel, tokens, targets) in enumerate(batches):
            share = (number + step / n_steps) / self._options.epochs
            warm = min(1.0, (number * n_steps + step + 1) / 20)
            for group in self._optimizer.param_groups:
                group["lr"] = self._options.rate * warm * (0.05 + 0.95 * (1 - share))
            loss = self._loss(mel, tokens, targets)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(self._parameters, 1.0)
            self._optimizer.step()
            self._optimizer.zero_grad(set_to_none=True)
            self._average()
            total += float(loss.detach())
        return total / n_steps

    @torch.no_grad()
    def _average(self) -> None:
        self._n_steps += 1
        kept = min(_AVERAGE, self._n_steps / (9 + self._n_steps))
        torch._foreach_lerp_(self._averaged, list[Tensor](self._parameters), 1 - kept)

    @torch.no_grad()
    def _validate(self) -> float:
        """Loss of the averaged parameters on the part kept aside."""
        self._network.eval()
        current = [parameter.clone() for parameter in self._parameters]
        self._put(self._averaged)
        losses = [float(self._loss(*batch)) for batch in self._batches(self._aside, shuffled=False)]
        self._put(current)
        return sum(losses) / len(losses)

    @torch.no_grad()
    def _put(self, values: Sequence[Tensor]) -> None:
        """Give the network's parameters these values."""
        for parameter, value in zip(self._parameters, values, strict=True):
            parameter.copy_(value)

    def _loss(self, mel: Tensor, tokens: Tensor, targets: Tensor) -> Tensor:
        with mixed(self._device):
            features = self._network.encoder(mel.to(self._device))
            heard = self._network.decoder.hear_to_learn(features)
            logits, _ = self._network.attention_scores(tokens.to(self._device), heard, ())
        return token_loss(logits, targets.to(self._device), self._tokenizer.timestamp_begin)

    def _batches(self, examples: Sequence[Example], *, shuffled: bool) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        order = self._random.permutation(len(examples)) if shuffled else np.arange(len(examples))
        size = self._options.batch_size
        for first in range(0, len(order), size):
            chosen = [examples[int(index)] for index in order[first : first + size]]
            rows = [self._writer.labels(example, self._random if shuffled else None) for example in chosen]
            longest = max(len(tokens) for tokens, _ in rows)
            yield (
                torch.stack([self._mel(example.samples, is_learnt=shuffled) for example in chosen]),
                torch.tensor([tokens + [0] * (longest - len(tokens)) for tokens, _ in rows]),
                torch.tensor([targets + [IGNORE] * (longest - len(targets)) for _, targets in rows]),
            )

    def _mel(self, samples: Samples, *, is_learnt: bool) -> Tensor:
        """(M, F) of a whole window; what the recording does not fill is zero, as decoders have it."""
        dims = self._checkpoint.dims
        mel = log_mel(torch.from_numpy(samples), dims.n_mels)[:, : dims.n_frames]
        if is_learnt:
            options = AugmentOptions()
            mel = masked(from_another_throat(mel, self._random, options), self._random, options)
        return functional.pad(mel, (0, dims.n_frames - mel.shape[1]))

    def best_tensors(self) -> dict[str, Tensor]:
        """The best weights under the checkpoint's own names, in the type it stores them in."""
        self._put(self._best)
        merge(self._network)
        state = self._network.cpu().state_dict()
        first = self._checkpoint.tensors
        return {name: value.to(first[name].dtype) for name, value in state.items() if name in first}

    def write(self, tensors: dict[str, Tensor]) -> None:
        """Write the model directory."""
        save_checkpoint(self._folder, replace(self._checkpoint, tensors=tensors))

    @property
    def _state_file(self) -> Path:
        return self._folder.with_name(f".{self._folder.name}.finetune") / STATE

    def _identity(self) -> str:
        """What must be the same for a state to be gone on from."""
        sounds = [
            hashlib.sha256(e.sound.tobytes() + e.text.encode()).hexdigest() for e in (*self._learnt, *self._aside)
        ]
        described = [_RECIPE, self._checkpoint.fingerprint, asdict(self._options), sounds]
        return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()

    def _save(self, n_epochs: int, waited: int) -> None:
        self._state_file.parent.mkdir(parents=True, exist_ok=True)
        state = {
            "identity": self._identity(),
            "clock": (n_epochs, waited, self._best_loss, self._n_steps),
            "parameters": [parameter.detach() for parameter in self._parameters],
            "averaged": self._averaged,
            "best": self._best,
            "optimizer": self._optimizer.state_dict(),
        }
        with replacing(self._state_file) as file:
            torch.save(state, file)

    def _resumed(self) -> tuple[int, int]:
        """Take up a state of the same run; epochs done and epochs waited."""
        if not self._state_file.is_file():
            return 0, 0
        state = torch.load(self._state_file, weights_only=True, map_location=self._device)
        if state["identity"] != self._identity():
            return 0, 0
        self._put(state["parameters"])
        self._averaged, self._best = state["averaged"], state["best"]
        self._optimizer.load_state_dict(state["optimizer"])
        n_epochs, waited, self._best_loss, self._n_steps = state["clock"]
        self._random = np.random.default_rng(self._options.seed + n_epochs)
        return n_epochs, waited

    def forget_state(self) -> None:
        """Take away the state of a run that is done."""
        self._state_file.unlink(missing_ok=True)
        if self._state_file.parent.is_dir():
            self._state_file.parent.rmdir()


@dataclass(frozen=True, slots=True)
class ExampleWriter:
    """Turns examples into tokens and what is expected after each."""

    tokenizer: Tokenizer
    language: str
    n_text_ctx: int
    without_timestamps: float = 0.1
    """Share of the windows that learn plain text."""
    prompted: float = 0.5
    """Share of the windows that are given the text before, where the model reads prompts."""

    def labels(self, example: Example, random: np.random.Generator | None) -> tuple[list[int], list[int]]:
        """Tokens to read and tokens to answer, of one length; with `None` as `random`, always timestamps, no prompt."""
        tokenizer = self.tokenizer
        with_timestamps = random is None or random.random() >= self.without_timestamps
        asked = [*self._prompt(example.before, random), *tokenizer.start_sequence(self.language, "transcribe")]
        if not with_timestamps:
            asked.append(tokenizer.no_timestamps)
        answer: list[int] = []
        for index, sentence in enumerate(example.sentences):
            text = tokenizer.encode(f" {sentence.text}")
            start = min(sentence.start, _LATEST_FIRST) if index == 0 else sentence.start
            answer += [self._timestamp(start), *text, self._timestamp(sentence.end)] if with_timestamps else text
        answer = [*answer[: self.n_text_ctx - len(asked) - 1], tokenizer.eot]
        tokens = [*asked, *answer[:-1]]
        return tokens, [*[IGNORE] * (len(asked) - 1), *answer]

    def _timestamp(self, seconds: float) -> int:
        index = round(seconds * POSITIONS_PER_SECOND)
        return min(self.tokenizer.timestamp_begin + index, self.tokenizer.timestamp_end - 1)

    def _prompt(self, before: str, random: np.random.Generator | None) -> list[int]:
        start = self.tokenizer.sot_prev
        if random is None or not before or start is None or random.random() >= self.prompted:
            return []
        return [start, *self.tokenizer.encode(f" {before}")[-self.n_text_ctx // 4 :]]
