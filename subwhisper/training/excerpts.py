"""Excerpts of recordings as utterances: any run of words that fits, cut in pauses where there are some."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from subwhisper.audio import SAMPLE_RATE
from subwhisper.training.forced import Timing, seconds
from subwhisper.training.recordings import LEFT_OUT_SPEAKERS, Pack, Recording
from subwhisper.training.synthesis import Phoneme, Utterance, resample
from subwhisper.transcript import Word

PAUSE = 0.12
"""Seconds of silence between words at which a recording may be cut without a click or half a sound."""
COMMA = 0.35
"""Seconds of silence that become a comma in transcripts that have no marks."""
SHARES = {"speechocean762": 0.35, "ljspeech": 0.6, "ljspeech-reread": 0.6, "common-voice-6.1": 3.0, "flite": 0.4}
"""How often a corpus is heard, per second of it, against LibriSpeech."""
WORST = 0.02
"""Share of recordings left out because their words fit them worst."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A recording whose words have times."""

    recording: Recording
    timing: Timing

    def words(self) -> list[Word]:
        """Its words with a leading space and, where the transcript has no marks, commas at long pauses."""
        words: list[Word] = []
        first = 0
        texts, sounds = self.recording.words, self.recording.sounds
        for text, names in zip(texts, sounds, strict=True):
            last = first + len(names)
            start, end = self._span(first, last) if names else (words[-1].end, words[-1].end) if words else (0.0, 0.0)
            words.append(Word(f" {text}", start, end))
            first = last
        return _with_commas(words) if is_bare(self.recording.text) else words

    def _span(self, first: int, last: int) -> tuple[float, float]:
        return seconds(int(self.timing.starts[first])), seconds(int(self.timing.ends[last - 1]))

    def phonemes(self) -> list[Phoneme]:
        """Its speech sounds with their times."""
        names = [name for word in self.recording.sounds for name in word]
        marks = zip(names, self.timing.starts, self.timing.ends, strict=True)
        return [Phoneme(name, seconds(int(start)), seconds(int(end))) for name, start, end in marks]


def is_bare(text: str) -> bool:
    """Whether a transcript has no mark but the full stop at its end."""
    return all(character.isalpha() or character in " '" for character in text[:-1])


def _with_commas(words: Sequence[Word]) -> list[Word]:
    marked = [
        Word(f"{word.text},", word.start, word.end) if after.start - word.end >= COMMA else word
        for word, after in pairwise(words)
    ]
    return [*marked, words[-1]]


class RecordedSpeech:
    """Draws excerpts from a pack."""

    def __init__(self, pack: Pack, timings: Sequence[Timing | None], random: np.random.Generator) -> None:
        self._pack, self._random = pack, random
        fits = [
            (r, t) for r, t in zip(pack.recordings, timings, strict=True) if t and r.speaker not in LEFT_OUT_SPEAKERS
        ]
        worst = float(np.quantile([timing.score for _, timing in fits], WORST))
        self._heard = [Heard(recording, timing) for recording, timing in fits if timing.score >= worst]
        weights = np.array([h.recording.n_samples * SHARES.get(h.recording.corpus, 1.0) for h in self._heard])
        self._bounds = np.cumsum(weights / weights.sum())

    def excerpt(self, room: float) -> Utterance | None:
        """Some words of one recording that take at most `room` seconds, at a random speed; `None` if none fit."""
        random = self._random
        heard = self._heard[int(np.searchsorted(self._bounds, random.random(), side="right"))]
        tempo = float(random.uniform(0.88, 1.14))
        words = heard.words()
        first, last = self._run(words, room * tempo - 0.1)
        if first == last:
            return None
        before = words[first - 1].end if first else 0.0
        after = words[last].start if last < len(words) else heard.recording.n_samples / SAMPLE_RATE
        start = max(before, words[first].start - random.uniform(0.02, 0.3))
        end = min(after, words[last - 1].end + random.uniform(0.05, 0.3), start + room * tempo)
        samples = resample(self._pack.sound(heard.recording, start, end), SAMPLE_RATE * tempo)
        chosen = tuple(
            Word(word.text, max(0.0, word.start - start) / tempo, (word.end - start) / tempo)
            for word in words[first:last]
        )
        phonemes = tuple(
            Phoneme(p.name, max(0.0, p.start - start) / tempo, (min(p.end, end) - start) / tempo)
            for p in heard.phonemes()
            if p.end > start and p.start < end
        )
        return Utterance("".join(word.text for word in chosen).strip(), samples, chosen, phonemes)

    def _run(self, words: Sequence[Word], room: float) -> tuple[int, int]:
        """First and last + 1 of a run of words, cut in pauses as far as possible."""
        random = self._random
        starts = [0, *(i for i in range(1, len(words)) if words[i].start - words[i - 1].end >= PAUSE)]
        first = 0 if random.random() < 0.3 else int(random.choice(starts))
        if random.random() < 0.1:
            first = int(random.integers(len(words)))
        ends = [i for i in range(first + 1, len(words) + 1) if words[i - 1].end - words[first].start <= room]
        if not ends:
            return first, first
        quiet = [i for i in ends if i == len(words) or words[i].start - words[i - 1].end >= PAUSE]
        if not quiet or random.random() < 0.1:
            return first, ends[-1]
        return first, quiet[-1] if random.random() < 0.7 else int(random.choice(quiet))
