"""Sentences in which a person marked where captions should break, and how well any captions keep to that."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from subwhisper.subtitles.track import Track
from subwhisper.transcript import Segment, Transcript, Word

MARKED = Path(__file__).parents[2] / "data"
PACE = 15.0
"""Characters a second, without a pause: only the text decides."""


def marked_sentences(name: str) -> list[tuple[str, str]]:
    """The sentences of a file with their marks, and the language of each."""
    language, sentences = "", []
    for line in (MARKED / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            language = line.strip("[]")
        elif line and not line.startswith("#"):
            sentences.append((language, line))
    return sentences


def spoken(sentence: str, language: str) -> Transcript:
    clock, words = 0.5, []
    for word in sentence.split():
        if word not in "|/":
            end = clock + (len(word) + 1) / PACE
            words.append(Word(f" {word}", clock, end))
            clock = end
    return Transcript((Segment(0.5, clock, "", words=tuple(words)),), language)


def places(sentence: str, marks: str) -> set[int]:
    """The number of words before each mark."""
    found, words = set(), 0
    for word in sentence.split():
        if word in "|/":
            found |= {words} if word in marks else set()
        else:
            words += 1
    return found


def breaks(track: Track) -> set[int]:
    """The number of words before each break of a line or cue."""
    found, words = set(), 0
    for line in (line for cue in track.cues for line in cue.lines):
        words += len(line.split())
        found.add(words)
    return found - {words}


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far breaks agree with the marks."""

    precision: float
    """Share of the breaks that stand at a good place."""
    recall: float
    """Share of the best places that are found."""
    bad: tuple[str, ...]
    """What breaks at a bad place: | between lines, || between cues."""


def agreement(name: str, lay_out: Callable[[Transcript], Track]) -> Agreement:
    """Hold captions against the marks of a file."""
    n_breaks = n_good = n_best = n_found = 0
    bad: list[str] = []
    for language, sentence in marked_sentences(name):
        track = lay_out(spoken(sentence, language))
        found, good, best = breaks(track), places(sentence, "|/"), places(sentence, "|")
        n_breaks, n_good = n_breaks + len(found), n_good + len(found & good)
        n_best, n_found = n_best + len(best), n_found + len(found & best)
        if found - good:
            bad.append(" || ".join(" | ".join(cue.lines) for cue in track.cues))
    return Agreement(n_good / n_breaks, n_found / n_best, tuple(bad))
