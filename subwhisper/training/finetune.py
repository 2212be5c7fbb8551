"""A Whisper of your own: any checkpoint, adapted to pairs of media and corrected subtitles.

The sound and the subtitles of a window become what the network was first trained on: log-mel in, timestamps and text
out. A part of the material is kept aside: it stops the training when it no longer gets better, and tells before and
after what it was worth. Every epoch ends with a state on the disk, so an interrupted run goes on.

What a window becomes for the network is in `lessons`. Shapes: B windows, M mel bins, F frames, T tokens.
"""

import hashlib
import json
import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from subwhisper.audio import Audio
from subwhisper.engine.device import place
from subwhisper.engine.options import DecodeOptions, FallbackOptions, TranscribeOptions
from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.engine.transcriber import Transcriber
from subwhisper.errors import OptionError, OutputError
from subwhisper.model.checkpoints import Checkpoint, read_checkpoint
from subwhisper.model.checkpoints.writer import save_checkpoint
from subwhisper.model.whisper import Whisper
from subwhisper.replacing import replacing
from subwhisper.training.averaging import mean
from subwhisper.training.keeping_aside import split
from subwhisper.training.lessons import Teacher
from subwhisper.training.lora import adapt, merge
from subwhisper.training.losses import token_loss
from subwhisper.training.material import Example
from subwhisper.training.metrics import WordErrors, word_errors
from subwhisper.training.precision import mixed
from subwhisper.training.windows import IGNORE

STATE = "state.pt"
_SHARES = (0.6, 0.8, 1.0)
"""How much of what was learnt may be in the model written; the part kept aside chooses."""
_AVERAGE = 0.97
"""Share of the running average kept at each step."""
_RECIPE = 3
"""To be raised when a run can no longer be gone on with from the state of an earlier version."""
_log = logging.getLogger(__name__)

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
        if self.learning_rate is not None and not 0 < self.learning_rate < math.inf:
            raise OptionError(f"learning_rate must be more than 0, got {self.learning_rate}")

    @property
    def rate(self) -> float:
        if self.learning_rate is not None:
            return self.learning_rate
        return 1e-3 if self.method == "lora" else 1e-4


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
    share: float
    """How much of what was learnt is in the model written; the rest is the model before."""
    before: WordErrors
    after: WordErrors

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        rates = {"word_error_rate_before": self.before.rate, "word_error_rate_after": self.after.rate}
        return {**asdict(self), "folder": str(self.folder), **rates}


def finetune(
    model: Path,
    examples: Sequence[Example],
    folder: Path,
    options: FinetuneOptions,
    *,
    device: str = "cpu",
    on_epoch: OnEpoch = lambda epoch: None,
) -> Finetuned:
    """Adapt a checkpoint to examples, and write the best mixture of the two as a model directory.

    What adapts to one voice forgets others; between the two, both are often heard better than at either end (Wortsman
    et al. 2022, Robust fine-tuning of zero-shot models, arXiv:2109.01903).

    Args:
        model: file or folder of a Whisper checkpoint.
        examples: windows no longer than the model's.
        folder: where the adapted model is written; the state of an unfinished run lies beside it.
        options: how.
        device: to train on.
        on_epoch: called after each, and for those of a run that is gone on with.

    Raises:
        InputError: too little material.
        OptionError: there is no such device, or the learning rate is so high that nothing is left of the network.
        OutputError: `folder` is there already, or cannot be written.
    """
    checkpoint = read_checkpoint(model)
    learnt, aside = split(examples, options.validation)
    course = _Course(checkpoint, learnt, aside, options, folder, place(device).device)
    course.take_up()
    before = word_error_rate(checkpoint, aside, options.language)
    for epoch in course.epochs():
        on_epoch(epoch)
    after = course.learnt()
    errors = {
        share: word_error_rate(mean([(after, share), (checkpoint, 1 - share)]), aside, options.language)
        for share in _SHARES
    }
    share = min(errors, key=lambda share: errors[share].rate or 0.0)
    course.write(mean([(after, share), (checkpoint, 1 - share)]))
    return Finetuned(folder, len(learnt), len(aside), tuple(course.done), share, before, errors[share])


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
        errors += word_errors(example.text, transcriber.transcribe(Audio(example.samples), options).text, language)
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
        dims = checkpoint.dims
        self._teacher = Teacher(self._tokenizer, options.language, dims.n_text_ctx, dims.n_mels, dims.n_frames)
        self._random = np.random.default_rng(options.seed)
        self._averaged = [parameter.detach().clone() for parameter in self._parameters]
        """Running average of the parameters: better on what is not learnt than where a step happens to end."""
        self._n_steps = 0
        self._best = [value.clone() for value in self._averaged]
        self._best_loss = math.inf
        self.done: list[Epoch] = []
        """Epochs so far, those of an interrupted run among them."""

    def _unfrozen(self) -> list[nn.Parameter]:
        if self._options.method == "lora":
            return adapt(self._network, rank=self._options.rank, alpha=2.0 * self._options.rank)
        self._network.requires_grad_(True)
        self._network.encoder.positional_embedding.requires_grad_(False)  # a formula, not a weight
        return [parameter for parameter in self._network.parameters() if parameter.requires_grad]

    def epochs(self) -> Iterator[Epoch]:
        """Train; yield each epoch, those taken up first. Stops when the part kept aside gets no better."""
        yield from self.done
        if not self.done:
            self._best_loss = self._validate()
        while len(self.done) < self._options.epochs and self._n_waited() < self._options.patience:
            started = time.monotonic()
            loss = self._learn(len(self.done))
            validation = self._validate()
            if not math.isfinite(loss + validation):
                raise OptionError(
                    f"the loss was {loss:g} after epoch {len(self.done) + 1}: the network is spoilt",
                    hint=f"a lower --learning-rate; it was {self._options.rate:g}",
                )
            is_best = validation < self._best_loss
            if is_best:
                self._best_loss, self._best = validation, [value.clone() for value in self._averaged]
            self.done.append(Epoch(len(self.done) + 1, loss, validation, time.monotonic() - started, is_best))
            self._save()
            yield self.done[-1]

    def _n_waited(self) -> int:
        """Epochs since the best."""
        best = max((epoch.number for epoch in self.done if epoch.is_best), default=0)
        return len(self.done) - best

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
        current = [parameter.clone() for parameter in self._parameters]
        self._put(self._averaged)
        loss = self._loss_aside()
        self._put(current)
        return loss

    @torch.no_grad()
    def _loss_aside(self) -> float:
        """Loss of the network as it is on the part kept aside."""
        self._network.eval()
        losses = [float(self._loss(*batch)) for batch in self._batches(self._aside, shuffled=False)]
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
            lessons = [
                self._teacher.varied(example, self._random) if shuffled else self._teacher.lesson(example)
                for example in chosen
            ]
            longest = max(len(lesson.tokens) for lesson in lessons)
            yield (
                torch.stack([lesson.mel for lesson in lessons]),
                torch.tensor([lesson.tokens + [0] * (longest - len(lesson.tokens)) for lesson in lessons]),
                torch.tensor([lesson.targets + [IGNORE] * (longest - len(lesson.targets)) for lesson in lessons]),
            )

    def learnt(self) -> Checkpoint:
        """The model with the best weights."""
        self._put(self._best)
        merge(self._network)
        first = self._checkpoint.tensors
        tensors = {name: value.cpu() for name, value in self._network.state_dict().items() if name in first}
        return replace(self._checkpoint, tensors=tensors, fingerprint="")

    def write(self, model: Checkpoint) -> None:
        """Write a model directory, in the types of the model before; the state of the run is not needed any more.

        Raises:
            OutputError: it is there already, or cannot be written.
        """
        first = self._checkpoint.tensors
        tensors = {name: value.to(first[name].dtype) for name, value in model.tensors.items()}
        save_checkpoint(self._folder, replace(model, tensors=tensors))
        self._state_file.unlink(missing_ok=True)
        with suppress(OSError):  # somebody else's files in it
            self._state_file.parent.rmdir()

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

    def _save(self) -> None:
        state = {
            "identity": self._identity(),
            "epochs": [asdict(epoch) for epoch in self.done],
            "best_loss": self._best_loss,
            "n_steps": self._n_steps,
            "parameters": [parameter.detach() for parameter in self._parameters],
            "averaged": self._averaged,
            "best": self._best,
            "optimizer": self._optimizer.state_dict(),
        }
        try:
            self._state_file.parent.mkdir(parents=True, exist_ok=True)
            with replacing(self._state_file) as file:
                torch.save(state, file)
        except (OSError, RuntimeError) as error:  # torch reports a full disk as the latter
            raise OutputError(f"{self._state_file} cannot be written: {error}") from error

    def take_up(self) -> None:
        """Go on from the state of the same run, where there is one.

        Raises:
            OutputError: the model could not be written.
        """
        try:
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=self._folder.parent):
                pass
        except OSError as error:
            raise OutputError(f"{self._folder} cannot be written: {error.strerror or error}") from error
        state = self._state()
        if state is None:
            return
        self._put(state["parameters"])
        self._averaged, self._best = state["averaged"], state["best"]
        self._optimizer.load_state_dict(state["optimizer"])
        self._best_loss, self._n_steps = state["best_loss"], state["n_steps"]
        self.done = [Epoch(**epoch) for epoch in state["epochs"]]
        self._random = np.random.default_rng(self._options.seed + len(self.done))

    def _state(self) -> dict[str, Any] | None:
        """What an interrupted run has left; `None` where it cannot be gone on from."""
        try:
            state: dict[str, Any] = torch.load(self._state_file, weights_only=True, map_location=self._device)
            is_same = state["identity"] == self._identity()
        except FileNotFoundError:
            return None
        except Exception as error:  # a damaged pickle can end in any
            _log.warning("%s is damaged (%s); the run begins anew", self._state_file, error)
            return None
        if not is_same:
            _log.warning("%s is of another run (model, options or material); this one begins anew", self._state_file)
        return state if is_same else None
