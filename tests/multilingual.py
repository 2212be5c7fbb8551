"""Labels in several languages: the language heard, and the task of writing it down or of putting it into English."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.training.windows import IGNORE, UNKNOWN, Labels, Stretch, Writer


@dataclass(frozen=True, slots=True)
class Spoken:
    """A sentence and what it means."""

    text: str
    english: str
    language: str
    """Code of the text's."""


@dataclass(frozen=True, slots=True)
class MultilingualWriter:
    """Turns stretches into labels of a model that knows several languages."""

    tokenizer: Tokenizer

    @property
    def writer(self) -> Writer:
        return Writer(self.tokenizer)

    def transcription(self, stretch: Stretch, language: str) -> Labels:
        """Write what is said, in the language it is said in."""
        return self._begun(self.writer.labels(stretch), stretch, language, "transcribe")

    def translation(self, stretch: Stretch, language: str, english: Sequence[str]) -> Labels:
        """Write it in English; which sound a word belongs to is not known then, but that of its sentence is.

        Args:
            stretch: with timestamps.
            language: code of what is heard.
            english: one text for each utterance of the stretch.
        """
        tokenizer = self.tokenizer
        answer: list[int] = []
        for item, text in zip(stretch.placed, english, strict=True):
            start, end = (self.writer.timestamp(stretch, t) for t in (item.words[0].start, item.words[-1].end))
            answer += [start, *tokenizer.encode(f" {text}"), end]
        tokens = (tokenizer.sot, *answer)
        labels = Labels(tokens, (*answer, tokenizer.eot), (UNKNOWN,) * len(tokens))
        return self._begun(labels, stretch, language, "translate")

    def _begun(self, labels: Labels, stretch: Stretch, language: str, task: str) -> Labels:
        """Put language and task behind the start token; the language is to be told, the task is given."""
        sot, *start = self.tokenizer.start_sequence(language, task)
        if not stretch.placed:
            # no speech is told in place of the language
            tokens = (sot, *start, *labels.tokens[1:])
            targets = (labels.targets[0], IGNORE, IGNORE, *labels.targets[1:])
            return Labels(tokens, targets, (UNKNOWN,) * len(tokens))
        plain = self.tokenizer.no_timestamps
        before = [start[0], IGNORE]
        if plain in labels.tokens[:2]:
            before = [start[0], IGNORE, IGNORE]
            start = [*start, plain]
            labels = replace(labels, tokens=labels.tokens[1:], targets=labels.targets[1:], listens=labels.listens[1:])
        return Labels(
            (sot, *start, *labels.tokens[1:]),
            (*before, *labels.targets),
            (*[UNKNOWN] * len(before), *labels.listens),
        )
