"""Text that nobody said: named rules that trim or drop it, each with its reason.

They stand on the map of speech, so they are silent where no detector was chosen. What they change is told in
the `notes` of a segment's quality; what they take out, in `Dropped`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf

from subwhisper.audio import Span
from subwhisper.engine.hallucination import is_doubtful
from subwhisper.engine.phrases import is_known_phrase, plain
from subwhisper.engine.vad.speech_map import SpeechMap
from subwhisper.transcript import Dropped, Segment, Word

BRIEF = 4.0
"""Seconds of what was taken for speech, margins included, in all that is near: a bark or a chime is over by then."""
NEAR = 4.0
"""Seconds before and after."""
TOLERANCE = 0.2
"""Seconds by which times of words and the edges of speech may miss each other."""
MOST_SILENT = 0.1
"""Share of a segment that must be speech, where words have no times."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a stretch of the recording apart from its text."""

    speech: SpeechMap
    encode: Callable[[str], Sequence[int]]
    """Text to tokens, for what is left of a segment."""
    guess_below: float | None = None
    """Mean log-probability below which a text is a guess; `None`: none is."""
    longest_silence: float | None = None
    """Seconds of silence on both sides that make doubtful words invented ones; `None`: none do."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a rule leaves of a segment, and why not all of it."""

    segment: Segment | None
    reason: str = ""


Rule = Callable[[Segment, Evidence], Ruling]


def without_text(segment: Segment, evidence: Evidence) -> Ruling:
    """Nothing was written."""
    return Ruling(segment if segment.text.strip() else None)


def over_silence(segment: Segment, evidence: Evidence) -> Ruling:
    """Words at either end of a segment lie where nobody speaks, or all of them do."""
    if not segment.words:
        bounds = Span(segment.start, max(segment.start, segment.end))
        speech = evidence.speech.seconds_in(_around(bounds.start, bounds.end))
        is_spoken = speech > MOST_SILENT * bounds.duration
        return Ruling(segment) if is_spoken else Ruling(None, "over silence: nobody speaks there")
    spoken = [evidence.speech.seconds_in(_around(word.start, word.end)) > 0 for word in segment.words]
    if all(spoken):
        return Ruling(segment)
    if not any(spoken):
        return Ruling(None, "over silence: nobody speaks there")
    first, last = spoken.index(True), len(spoken) - spoken[::-1].index(True)
    words = segment.words[first:last]
    if len(words) == len(segment.words):
        return Ruling(segment)
    cut = "".join(word.text for word in (*segment.words[:first], *segment.words[last:])).strip()
    return Ruling(with_words(segment, words, evidence), f"over silence: {cut!r} cut off")


def stretched_over_silence(segment: Segment, evidence: Evidence) -> Ruling:
    """A word lasts longer than the speech it is said in: it starts no earlier and ends no later than that."""
    words = tuple(_within_speech(word, evidence.speech) for word in segment.words)
    if words == segment.words:
        return Ruling(segment)
    return Ruling(replace(segment, words=words, start=words[0].start, end=max(words[-1].end, words[0].start)))


def known_phrase(segment: Segment, evidence: Evidence) -> Ruling:
    """A phrase of subtitle credits, and something else that speaks against it."""
    quality = segment.quality
    if quality is None or not is_known_phrase(segment.text, segment.language or "en"):
        return Ruling(segment)
    duration = max(segment.end - segment.start, TOLERANCE)
    against = [
        ("probably no speech", quality.no_speech_prob > 0.3),
        ("an unsure text", quality.avg_logprob < -0.7),
        ("only found by sampling", quality.temperature > 0),
        ("mostly silence", evidence.speech.seconds_in(_around(segment.start, segment.end, 0.0)) < duration / 2),
    ]
    found = [name for name, holds in against if holds]
    return Ruling(None, f"known phrase: {', '.join(found)}") if found else Ruling(segment)


def guess_alone(segment: Segment, evidence: Evidence) -> Ruling:
    """A brief sound by itself, and a text for it that is a guess however it is decoded."""
    if segment.quality is None or evidence.guess_below is None or segment.quality.avg_logprob >= evidence.guess_below:
        return Ruling(segment)
    seconds = evidence.speech.seconds_in(_around(segment.start, segment.end, NEAR))
    return Ruling(None, f"guess: {seconds:.1f} s of sound alone") if seconds < BRIEF else Ruling(segment)


def looping(segment: Segment, evidence: Evidence) -> Ruling:
    """The same few words over and over: once is kept."""
    spoken = [plain(word) for word in segment.text.split()]
    loop = find_loop(spoken)
    if loop is None:
        return Ruling(segment)
    reason = f"loop: {' '.join(spoken[loop.first : loop.first + loop.size])!r} {loop.times} times"
    if segment.words:
        kept = _words_before(segment.words, loop.first + loop.size)
        return Ruling(with_words(segment, kept, evidence), reason)
    text = " " + " ".join(segment.text.split()[: loop.first + loop.size])
    return Ruling(replace(segment, text=text, tokens=tuple(evidence.encode(text))), reason)


RULES: tuple[Rule, ...] = (without_text, looping, over_silence, known_phrase, guess_alone, stretched_over_silence)
"""In the order in which they apply; what one drops, the next does not see."""


def judged(segments: Sequence[Segment], evidence: Evidence) -> tuple[tuple[Segment, ...], tuple[Dropped, ...]]:
    """Apply every rule to every segment of a window: what is left, and what was taken out."""
    kept: list[Segment] = []
    dropped: list[Dropped] = []
    for segment in segments:
        left: Segment | None = segment
        for rule in RULES:
            assert left is not None
            ruling = rule(left, evidence)
            if ruling.segment is None and ruling.reason:
                dropped.append(Dropped(left.start, left.end, left.text, ruling.reason))
            left = ruling.segment and _noted(ruling.segment, ruling.reason)
            if left is None:
                break
        if left is not None:
            kept.append(left)
    alone = _doubtful_alone(kept, evidence)
    reason = "doubtful words alone in silence"
    dropped += [Dropped(segment.start, segment.end, segment.text, reason) for segment in alone]
    return tuple(segment for segment in kept if segment not in alone), tuple(dropped)


def _doubtful_alone(segments: Sequence[Segment], evidence: Evidence) -> list[Segment]:
    """Segments of improbable words with nothing said for long before and after them."""
    silence = evidence.longest_silence
    if silence is None:
        return []
    ends = [-inf, *(segment.end for segment in segments[:-1])]
    starts = [*(segment.start for segment in segments[1:]), inf]
    return [
        segment
        for segment, before, after in zip(segments, ends, starts, strict=True)
        if is_doubtful(segment) and segment.start - before > silence and after - segment.end > silence
    ]


@dataclass(frozen=True, slots=True)
class Loop:
    """A run of words that comes again and again."""

    first: int
    """Index of its first word."""
    size: int
    times: int


LONGEST_LOOP = 12
"""Words; what repeats more slowly is verse."""
FEWEST_REPEATS = 4
FEWEST_WORDS = 10
"""In all its rounds: "no, no, no, no" is something people say."""


def find_loop(words: Sequence[str]) -> Loop | None:
    """Find the run of words that repeats itself most, if any does too often."""
    best: Loop | None = None
    for size in range(1, min(LONGEST_LOOP, len(words) // FEWEST_REPEATS) + 1):
        first = 0
        while first + size * FEWEST_REPEATS <= len(words):
            times = 1
            while words[first + times * size : first + (times + 1) * size] == words[first : first + size]:
                times += 1
            if (
                times >= FEWEST_REPEATS
                and times * size >= FEWEST_WORDS
                and (not best or times * size > best.times * best.size)
            ):
                best = Loop(first, size, times)
            first += max(1, (times - 1) * size)
    return best


def doubt(text: str) -> str | None:
    """Why a window's text should be decoded again, if it should: it loops without compressing much."""
    loop = find_loop([plain(word) for word in text.split()])
    return f"loop: {loop.size} words {loop.times} times" if loop else None


def with_words(segment: Segment, words: Sequence[Word], evidence: Evidence) -> Segment:
    """A segment cut down to some of its words."""
    text = "".join(word.text for word in words)
    start, end = words[0].start, max(words[-1].end, words[0].start)
    tokens = tuple(evidence.encode(text))
    return replace(segment, start=start, end=end, text=text, tokens=tokens, words=tuple(words))


def _words_before(words: Sequence[Word], n_spaced: int) -> Sequence[Word]:
    """The timed words that make up the first so many words between spaces."""
    n_seen = 0
    for at, word in enumerate(words):
        n_seen += len(word.text.split()) if word.text[:1].isspace() or at == 0 else 0
        if n_seen > n_spaced:
            return words[:at]
    return words


def _within_speech(word: Word, speech: SpeechMap) -> Word:
    spans = list(speech.within(_around(word.start, word.end)))
    if not spans:
        return word
    start, end = max(word.start, spans[0].start), min(word.end, spans[-1].end)
    return replace(word, start=start, end=max(start, end))


def _around(start: float, end: float, by: float = TOLERANCE) -> Span:
    return Span(max(0.0, start - by), max(0.0, start - by, end + by))


def _noted(segment: Segment, reason: str) -> Segment:
    if not reason or segment.quality is None:
        return segment
    return replace(segment, quality=replace(segment.quality, notes=(*segment.quality.notes, reason)))
