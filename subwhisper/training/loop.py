"""The training loop: a budget of minutes, spent in slices that can be resumed.

Everything a slice needs to go on lies in one file: weights, their running average, optimiser, clock.
The average of the weights is what is exported.
"""

import json
import math
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.errors import InputError, OptionError
from subwhisper.model.checkpoints import Checkpoint
from subwhisper.model.checkpoints.shapes import POSITIONS
from subwhisper.model.checkpoints.writer import save_directory
from subwhisper.model.dims import ModelDims
from subwhisper.model.vocabulary import N_TIMESTAMPS, Vocabulary, byte_pair_vocabulary
from subwhisper.model.whisper import Whisper, sinusoids
from subwhisper.replacing import replacing
from subwhisper.training.augment import AugmentOptions
from subwhisper.training.dataset import BatchStream, MixOptions, Shape, phoneme_classes
from subwhisper.training.dropout import leave_out
from subwhisper.training.forced import save_timings
from subwhisper.training.listening import align
from subwhisper.training.losses import Losses, Trainee
from subwhisper.training.muon import Muon
from subwhisper.training.precision import mixed
from subwhisper.training.recordings import Pack, open_pack
from subwhisper.training.text import Corpus
from subwhisper.training.vocabulary import learn_vocabulary
from subwhisper.training.windows import Writer

SHAPES = (Shape(4.0, 16), Shape(7.0, 10), Shape(10.0, 8))


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """A recipe. Minutes are of the training itself, whatever the number of slices."""

    minutes: float = 120.0
    width: int = 256
    encoder_layers: int = 6
    decoder_layers: int = 2
    n_heads: int = 4
    n_mels: int = 80
    n_positions: int = 500
    """Length of a window: 10 s, a third of Whisper's, which is learnt in a fraction of the time."""
    n_pieces: int = 1000
    learning_rate: float = 1.0e-3
    warmup_steps: int = 200
    decay_share: float = 0.35
    """The last part of the budget, over which the learning rate falls to nothing."""
    weight_decay: float = 0.05
    clip: float = 1.0
    average: float = 0.998
    """Share of the running average kept at each step."""
    stage_ends: tuple[float, ...] = (0.3, 0.5)
    """Shares of the budget after which stretches grow longer."""
    teach_minutes: float = 0.0
    """For which the classifier of speech sounds learns alone first, by a network taken over that hears already."""
    realign_at: tuple[float, ...] = (0.04, 0.14, 0.35)
    """Shares of the budget after which the words of the recordings are timed (again); none are heard before."""
    batch_scale: int = 1
    """How many times as many stretches there are in a batch; a large GPU wants more than two processor cores."""
    recorded_share: float = MixOptions.recordings
    """Share of the stretches that are real speech instead of a synthesiser's, where there is any."""
    dropout: float = 0.0
    """Share of every branch's channels that are left out."""
    wrong: float = MixOptions.wrong
    """Share of the tokens read that are any others."""
    moments: float = AugmentOptions.moments
    """Hidden in four seconds, at most, and one more."""
    seed: int = 7

    def __post_init__(self) -> None:
        if not 0 <= self.recorded_share <= 1:
            raise OptionError(f"recorded_share must lie between 0 and 1, got {self.recorded_share}")
        if not 0 <= self.dropout < 1:
            raise OptionError(f"dropout must be at least 0 and less than 1, got {self.dropout}")
        if not 0 <= self.wrong <= 1:
            raise OptionError(f"wrong must lie between 0 and 1, got {self.wrong}")
        if not 0 <= self.moments < math.inf:
            raise OptionError(f"moments must be at least 0, got {self.moments}")

    def dims(self, n_vocab: int) -> ModelDims:
        return ModelDims(
            n_mels=self.n_mels,
            n_audio_ctx=self.n_positions,
            n_audio_state=self.width,
            n_audio_head=self.n_heads,
            n_audio_layer=self.encoder_layers,
            n_vocab=n_vocab,
            n_text_ctx=448,
            n_text_state=self.width,
            n_text_head=self.n_heads,
            n_text_layer=self.decoder_layers,
        )

    @property
    def alignment_heads(self) -> tuple[tuple[int, int], ...]:
        """All of the last decoder layer's heads: what the exported model times words by.

        Half of them are guided; with the others, which learnt by themselves, held-out words were timed better.
        """
        return tuple((self.decoder_layers - 1, head) for head in range(self.n_heads))

    @property
    def guided_heads(self) -> tuple[tuple[int, int], ...]:
        """Half of the last decoder layer's heads, told to look at the word to come."""
        return self.alignment_heads[: self.n_heads // 2]

    @property
    def lower_heads(self) -> tuple[tuple[int, int], ...]:
        """Half of the heads of the layers below."""
        return tuple((layer, head) for layer in range(self.decoder_layers - 1) for head in range(self.n_heads // 2))


@dataclass(slots=True)
class Run:
    """A training run between two steps. The one value here that changes: it is the training."""

    options: TrainOptions
    vocabulary: Vocabulary
    classes: dict[str, int]
    trainee: Trainee
    averaged: dict[str, Tensor]
    optimizers: tuple[torch.optim.Optimizer, ...]
    step: int = 0
    seconds: float = 0.0
    """Of training so far."""
    n_alignments: int = 0
    """How often the recordings have been timed."""
    heard: float = 0.0
    """Seconds of sound so far."""

    @property
    def device(self) -> torch.device:
        return self.trainee.sounds.weight.device

    @property
    def share(self) -> float:
        """Of the budget already spent, 0 to 1."""
        return min(1.0, self.seconds / (self.options.minutes * 60))

    def save(self, path: Path) -> None:
        state = {
            "options": asdict(self.options),
            "pieces": sorted(self.vocabulary.ranks, key=self.vocabulary.ranks.__getitem__),
            "classes": self.classes,
            "trainee": self.trainee.state_dict(),
            "averaged": self.averaged,
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "clock": (self.step, self.seconds, self.heard, self.n_alignments),
        }
        with replacing(path) as file:
            torch.save(state, file)


def begin(
    options: TrainOptions,
    corpus: Corpus,
    recordings: Pack | None = None,
    first: Checkpoint | None = None,
    *,
    device: str = "cpu",
) -> Run:
    """Set up a run: learn the vocabulary, number the speech sounds, draw the first weights.

    Args:
        options: the recipe.
        corpus: what synthesisers speak.
        recordings: real speech.
        first: a model of the same shape to go on from, with its vocabulary; it may have fewer encoder layers.
        device: where to train.
    """
    vocabulary = first.vocabulary if first else learn_vocabulary(corpus.training, options.n_pieces)
    classes = phoneme_classes(corpus.training[:400], recordings.recordings if recordings else ())
    run = _assemble(options, vocabulary, classes, device)
    if first:
        _go_on_from(run, first)
    return run


def _go_on_from(run: Run, first: Checkpoint) -> None:
    """Take over weights; encoder layers that `first` does not have begin by changing nothing."""
    network = run.trainee.network
    network.load_state_dict({name: tensor.float() for name, tensor in first.tensors.items()}, strict=False)
    with torch.no_grad():
        for name, value in network.encoder.blocks[first.dims.n_audio_layer :].named_parameters():
            if ".attn.out." in name or ".mlp.2." in name:
                value.zero_()
    run.averaged = {name: value.clone() for name, value in network.state_dict().items()}


def resume(path: Path, *, minutes: float | None = None, device: str = "cpu") -> Run:
    """Take up a saved run, with another budget where one is given, on any device.

    Raises:
        InputError: there is no such run.
    """
    if not path.is_file():
        raise InputError(f"{path} is not a saved training run", hint="name the folder that `train` was given")
    state = torch.load(path, weights_only=True, map_location=device)
    stored: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in state["options"].items()
    }
    options = TrainOptions(**stored)
    if minutes is not None:
        options = replace(options, minutes=minutes)
    run = _assemble(options, byte_pair_vocabulary(state["pieces"], ["en"]), state["classes"], device)
    run.trainee.load_state_dict(state["trainee"])
    run.averaged = state["averaged"]
    for optimizer, stored_state in zip(run.optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(stored_state)
    run.step, run.seconds, run.heard, run.n_alignments = state["clock"]
    return run


def export(run: Run, folder: Path, *, noise_logprob: float | None = None) -> None:
    """Write the running average of a run's weights as a model directory, in half precision."""
    save_directory(
        folder,
        dims=run.options.dims(run.vocabulary.size),
        tensors={name: tensor.cpu() for name, tensor in run.averaged.items() if name != POSITIONS},  # a formula
        vocabulary=run.vocabulary,
        alignment_heads=run.options.alignment_heads,
        is_multilingual=False,
        reads_prompts=False,
        noise_logprob=noise_logprob,
        spreads_timestamps=True,
        dtype=torch.float16,
        overwrite=True,
    )


def _assemble(options: TrainOptions, vocabulary: Vocabulary, classes: dict[str, int], device: str) -> Run:
    torch.manual_seed(options.seed)
    network = Whisper(options.dims(vocabulary.size))
    draw_weights(network)
    leave_out(network, options.dropout)
    trainee = Trainee(network, len(classes) + 1, options.lower_heads, options.guided_heads).to(device)
    averaged = {name: value.clone() for name, value in network.state_dict().items()}
    return Run(options, vocabulary, classes, trainee, averaged, _optimizers(trainee, options))


def _optimizers(trainee: Trainee, options: TrainOptions) -> tuple[torch.optim.Optimizer, ...]:
    """Muon for the products inside the blocks; AdamW for embeddings, convolutions, norms and biases."""
    inner = [value for name, value in trainee.named_parameters() if ".blocks." in name and value.ndim == 2]
    matrices = {id(value) for value in inner}
    rest = [value for value in trainee.parameters() if id(value) not in matrices]
    groups = [
        {"params": [p for p in rest if p.ndim > 1], "weight_decay": options.weight_decay},
        {"params": [p for p in rest if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return (
        Muon(inner, lr=options.learning_rate, weight_decay=options.weight_decay),
        torch.optim.AdamW(groups, lr=options.learning_rate, betas=(0.9, 0.98), fused=True),
    )


def draw_weights(network: Whisper) -> None:
    """Small embeddings, and quiet residual branches, so that a deep sum begins calm.

    Timestamps begin as the encoder's own code of their positions: what a head that looks at a position brings
    along then points at its timestamp, and 1,501 rare tokens need not be learnt one by one.
    """
    std = 0.02
    embedding = network.decoder.token_embedding.weight
    nn.init.normal_(embedding, std=std)
    with torch.no_grad():
        embedding[-N_TIMESTAMPS:] = std * 2**0.5 * sinusoids(N_TIMESTAMPS, embedding.shape[1])
    nn.init.normal_(network.decoder.positional_embedding, std=0.01)
    for side in (network.encoder, network.decoder):
        for name, module in side.named_modules():
            if isinstance(module, nn.Linear) and (name.endswith(("out", "mlp.2"))):
                with torch.no_grad():
                    module.weight.mul_((2 * len(side.blocks)) ** -0.5)


def learning_rate(options: TrainOptions, step: int, share: float) -> float:
    """Rise, stay, and fall to nothing as the budget ends (warm-up, stable, decay)."""
    rising = min(1.0, (step + 1) / options.warmup_steps)
    falling = min(1.0, (1.0 - share) / options.decay_share)
    return options.learning_rate * rising * max(falling, 0.01)


def train(
    run: Run,
    corpus: Corpus,
    folder: Path,
    *,
    recordings: Path | None = None,
    slice_minutes: float = math.inf,
    n_makers: int = 1,
) -> None:
    """Train until the budget or the slice is spent; progress goes to log.jsonl, the state to state.pt.

    Args:
        run: from `begin` or `resume`; changes.
        corpus: what synthesisers speak.
        folder: for the state, the log, and the times of recorded words.
        recordings: a packed folder of real speech.
        slice_minutes: after which to stop.
        n_makers: processes that speak and mix batches.
    """
    folder.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + slice_minutes * 60
    if run.step == 0 and run.options.teach_minutes:
        _teach_sounds(run, corpus, n_makers)
    while run.share < 1 and time.monotonic() < end:
        timings = None
        if recordings is not None:
            if run.n_alignments < sum(run.share >= share for share in run.options.realign_at):
                _time_recordings(run, recordings, folder)
            timings = (recordings, folder / TIMINGS) if run.n_alignments else None
        stream = _stream(run, corpus, timings)
        _train_until(run, stream, n_makers, folder, min(end, time.monotonic() + _to_next(run)))


TIMINGS = "timings.npz"


def _to_next(run: Run) -> float:
    """Seconds until the recordings are to be timed again."""
    budget = run.options.minutes * 60
    coming = [share * budget - run.seconds for share in run.options.realign_at[run.n_alignments :]]
    return max(0.0, coming[0]) if coming else math.inf


def _time_recordings(run: Run, recordings: Path, folder: Path) -> None:
    """Find the times of all recorded words with the running average of the weights."""
    current = {name: value.clone() for name, value in run.trainee.network.state_dict().items()}
    run.trainee.network.load_state_dict(run.averaged)
    save_timings(align(run.trainee, open_pack(recordings), run.classes), folder / TIMINGS)
    run.trainee.network.load_state_dict(current)
    run.n_alignments += 1
    run.save(folder / "state.pt")


def _teach_sounds(run: Run, corpus: Corpus, n_makers: int) -> None:
    """Let the classifier of speech sounds learn from the network as it is, which stays."""
    trainee, seconds = run.trainee, run.options.teach_minutes * 60
    optimizer = torch.optim.AdamW(trainee.sounds.parameters(), lr=_TEACHING_RATE)
    started: float | None = None
    for batch in _stream(run, corpus, None).loader(n_makers):
        started = started or time.monotonic()
        share = (time.monotonic() - started) / seconds
        if share >= 1:
            return
        batch = batch.to(run.device)
        with torch.no_grad(), mixed(run.device):
            features = trainee.network.encoder(batch.mel, batch.first_position)
        optimizer.param_groups[0]["lr"] = _TEACHING_RATE * (1 - share)
        sounds = trainee.sounds(features.float())
        functional.cross_entropy(sounds.flatten(0, 1), batch.phonemes.flatten()).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)


_TEACHING_RATE = 1e-2


def _stream(run: Run, corpus: Corpus, recordings: tuple[Path, Path] | None) -> BatchStream:
    return BatchStream(
        corpus.training,
        Writer(Tokenizer(run.vocabulary, is_multilingual=False)),
        run.classes,
        n_mels=run.options.n_mels,
        n_positions=run.options.n_positions,
        seed=run.options.seed + 1000 * run.step,
        shapes=[Shape(shape.seconds, shape.rows * run.options.batch_scale) for shape in SHAPES],
        options=MixOptions(
            recordings=run.options.recorded_share,
            wrong=run.options.wrong,
            sound=AugmentOptions(moments=run.options.moments),
        ),
        recordings=recordings,
    )


def _train_until(run: Run, stream: BatchStream, n_makers: int, folder: Path, end: float) -> None:
    saved = logged = time.monotonic()
    recent: list[Losses] = []
    with (folder / "log.jsonl").open("a", encoding="utf-8") as log:
        for losses in _steps(run, stream, n_makers):
            recent.append(losses)
            now = time.monotonic()
            if now - logged > 20:
                log.write(json.dumps(_summary(run, recent)) + "\n")
                log.flush()
                recent, logged = [], now
            if now - saved > 120 or run.share >= 1 or now > end:
                run.save(folder / "state.pt")
                saved = now
            if run.share >= 1 or now > end:
                return


def _steps(run: Run, stream: BatchStream, n_makers: int) -> Iterator[Losses]:
    """Take one step after another; yield what each cost."""
    options, network = run.options, run.trainee.network
    parameters = list(run.trainee.parameters())
    run.trainee.train()
    batches = iter(stream.loader(n_makers))
    stream.stage.value = sum(run.share >= end for end in options.stage_ends)
    started = time.monotonic()
    for batch in batches:
        for optimizer in run.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(options, run.step, run.share)
        with mixed(run.device):
            losses = run.trainee(batch.to(run.device))
        losses.total.backward()
        nn.utils.clip_grad_norm_(parameters, options.clip)
        for optimizer in run.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        _average(run.averaged, network, min(options.average, (1 + run.step) / (10 + run.step)))
        now = time.monotonic()
        run.seconds, started = run.seconds + now - started, now
        run.step, run.heard = run.step + 1, run.heard + batch.seconds
        stream.stage.value = sum(run.share >= end for end in options.stage_ends)
        yield losses


@torch.no_grad()
def _average(averaged: dict[str, Tensor], network: Whisper, kept: float) -> None:
    state = network.state_dict()
    torch._foreach_lerp_(list(averaged.values()), [state[name] for name in averaged], 1 - kept)


def _summary(run: Run, recent: Sequence[Losses]) -> dict[str, float]:
    def mean(name: str) -> float:
        return round(sum(float(getattr(losses, name)) for losses in recent) / len(recent), 4)

    return {
        "step": run.step,
        "minutes": round(run.seconds / 60, 2),
        "hours_heard": round(run.heard / 3600, 2),
        "lr": float(f"{run.optimizers[0].param_groups[0]['lr']:.3g}"),
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 1),
        **{name: mean(name) for name in ("token", "phoneme", "attention", "phoneme_accuracy")},
    }
