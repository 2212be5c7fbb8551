"""An endless, seeded stream of training batches, spoken on the fly.

espeak-ng speaks a thousand times faster than real time, so nothing is stored: each pass over the sentences
has other voices, speeds, pauses and noises.

Shapes: B stretches, M mel bins, F frames, A positions (F / 2), T tokens.
"""

import multiprocessing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from subwhisper.audio import Samples
from subwhisper.engine.features import FRAMES_PER_SECOND, log_mel
from subwhisper.training.augment import AugmentOptions, from_another_throat, masked, not_speech, recorded
from subwhisper.training.excerpts import RecordedSpeech
from subwhisper.training.forced import Timing, load_timings
from subwhisper.training.recordings import Pack, Recording, open_pack
from subwhisper.training.synthesis import Espeak, Utterance, Voice
from subwhisper.training.windows import (
    IGNORE,
    POSITIONS_PER_SECOND,
    Labels,
    Stretch,
    Writer,
    misread,
    phoneme_frames,
    place,
)

LANGUAGES = {"en-us": 0.86, "en": 0.08, "en-us-nyc": 0.06}
_PLAIN = ("", "m1", "m2", "m3", "m4", "m6", "m7", "f1", "f2", "f4", "f5")
_COLOURED = """
m8 Andy Alex Annie Denis Diogo ed Gene Hugo john Lee linda Marco max Michael Mike pablo paul pedro rob robert sandro
shelby steph travis victor
"""
VARIANTS = (*4 * _PLAIN, *_COLOURED.split())
"""Three in five speak with a plain variant."""
HELD_OUT_VARIANTS = ("f3", "belinda", "michel", "Jacky")
"""Variants that only evaluation hears; the narrator of the example film is neither here nor above."""
_MAKERS_APART = 1_000_003
"""From the seed of one process that makes batches to that of the next."""


Recordings = tuple[Pack, Sequence[Timing | None]]


@dataclass(frozen=True, kw_only=True)
class MixOptions:
    """How often what happens in a stretch."""

    recordings: float = 0.72
    """Real speech instead of a synthesiser's, where there is any."""
    timestamps: float = 0.7
    silent: float = 0.06
    shuffled: float = 0.02
    """Words of a sentence in random order: only the sound can tell them."""
    late_start: float = 0.3
    """A long silence before the first word."""
    mid_sentence: float = 0.12
    """The first sentence has begun before the stretch."""
    ended: float = 0.4
    """The recording ends inside the stretch."""
    at_window_start: float = 0.6
    at_window_end: float = 0.15
    wrong: float = 0.0
    """Tokens of the text read that are any other; what is asked for stays right."""
    sound: AugmentOptions = field(default_factory=AugmentOptions)


@dataclass(frozen=True, slots=True)
class Batch:
    """What the network reads, and what it should answer."""

    mel: Tensor
    """(B, M, F)."""
    first_position: Tensor
    """(B,)."""
    phonemes: Tensor
    """(B, A) class of the sound at each position; 0 is silence."""
    tokens: Tensor
    """(B, T)."""
    targets: Tensor
    """(B, T), IGNORE where nothing is asked."""
    listens: Tensor
    """(B, T, 2) first and last + 1 position; equal where unknown."""
    seconds: float
    """Of sound, all stretches together."""

    def to(self, device: torch.device) -> "Batch":
        """The same on a device."""
        return Batch(
            mel=self.mel.to(device),
            first_position=self.first_position.to(device),
            phonemes=self.phonemes.to(device),
            tokens=self.tokens.to(device),
            targets=self.targets.to(device),
            listens=self.listens.to(device),
            seconds=self.seconds,
        )


class StretchMaker:
    """Speaks and places sentences at random."""

    def __init__(
        self,
        sentences: Sequence[str],
        variants: Sequence[str],
        options: MixOptions,
        *,
        n_positions: int,
        seed: int,
        recordings: Recordings | None = None,
    ) -> None:
        """`n_positions` is the length of a whole window."""
        self._n_positions = n_positions
        self._sentences, self._variants, self._options = sentences, variants, options
        self._random = np.random.default_rng(seed)
        self._espeak = Espeak()
        self._recorded = RecordedSpeech(*recordings, self._random) if recordings else None

    def voice(self) -> Voice:
        random = self._random
        language = str(random.choice(list(LANGUAGES), p=list(LANGUAGES.values())))
        variant = self._variants[int(random.integers(len(self._variants)))]
        return Voice(
            name=language + (f"+{variant}" if variant else ""),
            rate=int(random.integers(140, 190)),
            pitch=int(random.integers(35, 66)),
            pitch_range=int(random.integers(35, 66)),
            word_gap=int(random.choice([0, 0, 0, 1, 3])),
            tempo=float(random.uniform(0.96, 1.04)),
        )

    def stretch(self, seconds: float) -> Stretch:
        """Neighbouring sentences in one voice, as many as fit; each whole unless the window itself ends."""
        random, options = self._random, self._options
        room = self._n_positions - round(seconds * POSITIONS_PER_SECOND)
        where = random.random()
        first = int(random.integers(room + 1))
        if where < options.at_window_start:
            first = 0
        elif where > 1 - options.at_window_end:
            first = room
        timestamps = random.random() < options.timestamps
        if random.random() < options.silent:
            return Stretch(seconds, (), first, timestamps)
        length = float(random.uniform(1.5, seconds)) if random.random() < options.ended else seconds
        utterances, gaps = self._utterances(length)
        placed = place(utterances, gaps, length)
        if not (first == room and length == seconds):
            placed = tuple(item for item in placed if item.start + item.utterance.duration <= length + 0.02)
        return Stretch(seconds, placed, first, timestamps, length)

    def _utterances(self, seconds: float) -> tuple[list[Utterance], list[float]]:
        """What is said in `seconds`, and the pause before each."""
        random, options = self._random, self._options
        if self._recorded and random.random() < options.recordings:
            utterances, gaps = self._excerpts(self._recorded, seconds)
            if utterances:
                return utterances, gaps
        utterances, gaps = self._speak_from(int(random.integers(len(self._sentences))), seconds)
        if random.random() < options.mid_sentence and len(utterances[0].words) > 3:
            utterances[0] = utterances[0].from_word(int(random.integers(1, len(utterances[0].words) - 1)))
            gaps[0] = 0.0
        return utterances, gaps

    def _excerpts(self, recorded: RecordedSpeech, seconds: float) -> tuple[list[Utterance], list[float]]:
        random = self._random
        utterances: list[Utterance] = []
        gaps: list[float] = []
        clock = 0.0
        while seconds - clock > 1.0:
            gap = random.uniform(0, 0.4) if random.random() < 0.8 else random.uniform(0, (seconds - clock) / 3)
            excerpt = recorded.excerpt(seconds - clock - gap)
            if excerpt is None:
                break
            utterances.append(excerpt)
            gaps.append(gap)
            clock += gap + excerpt.duration
        return utterances, gaps

    def _speak_from(self, start: int, seconds: float) -> tuple[list[Utterance], list[float]]:
        random, options = self._random, self._options
        voice = self.voice()
        utterances: list[Utterance] = []
        longest = 0.4 if random.random() > options.late_start else min(4.0, seconds / 3)
        gaps = [random.uniform(0, longest)]
        clock, index = gaps[0], start
        while clock < seconds:
            utterance = self._espeak.speak(self._sentence(index, seconds - clock), voice)
            utterances.append(utterance)
            gaps.append(random.uniform(0, 0.3) if random.random() < 0.7 else random.uniform(0.3, 2.5))
            clock += utterance.duration + gaps[-1]
            index += 1
        return utterances, gaps[: len(utterances)]

    def _sentence(self, index: int, seconds: float) -> str:
        """The sentence at `index`, or a shorter one where it surely does not fit."""
        random = self._random
        sentence = self._sentences[index % len(self._sentences)]
        for _ in range(8):
            if len(sentence.split()) <= 3.2 * seconds:
                break
            sentence = self._sentences[int(random.integers(len(self._sentences)))]
        if random.random() < self._options.shuffled:
            words = sentence.split(" ")
            random.shuffle(words)
            sentence = " ".join(words)
        return sentence

    def sound(self, stretch: Stretch) -> Samples:
        """Mix a stretch as some microphone in some room would have recorded it; or something that is no speech."""
        random = self._random
        samples = stretch.mix()
        if stretch.placed:
            return recorded(samples, random, self._options.sound)
        if random.random() < 0.15:
            return samples
        noise: Samples = np.clip(not_speech(len(samples), random) * np.float32(10 ** random.uniform(-3, -0.6)), -1, 1)
        return noise


def collate(
    stretches: Sequence[Stretch],
    sounds: Sequence[Samples],
    labels: Sequence[Labels],
    classes: Mapping[str, int],
    n_mels: int,
    augment: AugmentOptions,
    random: np.random.Generator,
) -> Batch:
    """Stack stretches of one length, some of their sound hidden; answers are padded at their end."""
    longest = max(len(label.tokens) for label in labels)
    tokens = torch.zeros(len(labels), longest, dtype=torch.long)
    targets = torch.full_like(tokens, IGNORE)
    listens = torch.zeros(len(labels), longest, 2, dtype=torch.long)
    for row, label in enumerate(labels):
        n = len(label.tokens)
        tokens[row, :n] = torch.tensor(label.tokens)
        targets[row, :n] = torch.tensor(label.targets)
        listens[row, :n] = torch.tensor(label.listens)
    heard = [log_mel(torch.from_numpy(sound), n_mels) for sound in sounds]
    mels = [masked(from_another_throat(mel, random, augment), random, augment) for mel in heard]
    n_frames = max(round(stretch.seconds * FRAMES_PER_SECOND) for stretch in stretches)
    return Batch(
        mel=torch.stack([torch.nn.functional.pad(mel, (0, n_frames - mel.shape[1])) for mel in mels]),
        first_position=torch.tensor([stretch.first_position for stretch in stretches]),
        phonemes=torch.from_numpy(np.stack([phoneme_frames(stretch, dict(classes)) for stretch in stretches])),
        tokens=tokens,
        targets=targets,
        listens=listens,
        seconds=sum(stretch.seconds for stretch in stretches),
    )


@dataclass(frozen=True, slots=True)
class Shape:
    """How long the stretches of a batch are, and how many."""

    seconds: float
    rows: int


class BatchStream(IterableDataset[Batch]):
    """Endless batches; their shape can be changed while they flow."""

    def __init__(
        self,
        sentences: Sequence[str],
        writer: Writer,
        classes: Mapping[str, int],
        *,
        n_mels: int,
        n_positions: int,
        seed: int,
        shapes: Sequence[Shape],
        options: MixOptions | None = None,
        recordings: tuple[Path, Path] | None = None,
    ) -> None:
        """`recordings` are a pack's folder and the file of its times."""
        self._recordings = recordings
        self._sentences, self._writer, self._classes = sentences, writer, classes
        self._n_mels, self._n_positions, self._seed, self._shapes = n_mels, n_positions, seed, shapes
        self._options = options or MixOptions()
        self.stage = multiprocessing.get_context("spawn").Value("i", 0)
        """Index into `shapes` of the longest stretches now made; shared with the worker."""

    def __iter__(self) -> Iterator[Batch]:
        torch.set_num_threads(1)
        info = get_worker_info()
        seed = self._seed + _MAKERS_APART * (info.id if info else 0)
        random = np.random.default_rng(seed)
        maker = StretchMaker(
            self._sentences,
            VARIANTS,
            self._options,
            n_positions=self._n_positions,
            seed=seed + 1,
            recordings=(open_pack(self._recordings[0]), load_timings(self._recordings[1]))
            if self._recordings
            else None,
        )
        while True:
            # the newest shape half of the time, the easier ones so that they are not forgotten
            stage = self.stage.value
            shape = self._shapes[stage if random.random() < 0.5 else random.integers(stage + 1)]
            stretches = [maker.stretch(shape.seconds) for _ in range(shape.rows)]
            sounds = [maker.sound(stretch) for stretch in stretches]
            labels = [self._misread(self._writer.labels(stretch), random) for stretch in stretches]
            yield collate(stretches, sounds, labels, self._classes, self._n_mels, self._options.sound, random)

    def _misread(self, labels: Labels, random: np.random.Generator) -> Labels:
        n_text = self._writer.tokenizer.eot
        return replace(labels, tokens=tuple(misread(labels.tokens, n_text, self._options.wrong, random)))

    def loader(self, n_makers: int = 1) -> "DataLoader[Batch]":
        """Batches made by processes beside the training one."""
        return DataLoader(
            self, batch_size=None, num_workers=n_makers, prefetch_factor=3, multiprocessing_context="spawn"
        )


def phoneme_classes(sentences: Sequence[str], recordings: Iterable[Recording] = ()) -> dict[str, int]:
    """Number the speech sounds heard in some sentences and recordings, from 1; 0 is silence."""
    espeak = Espeak()
    names = {name for recording in recordings for word in recording.sounds for name in word}
    for language in LANGUAGES:
        for sentence in sentences:
            names |= {phoneme.name for phoneme in espeak.speak(sentence, Voice(language)).phonemes}
    return {name: index for index, name in enumerate(sorted(names - {"_"}), start=1)}
