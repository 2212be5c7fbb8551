"""Recordings cut into windows to learn from.

A window holds whole cues between their timestamps and the sound as it is, as Whisper was trained on. Cues that overlap
are one sentence. What cannot be learnt from is left out with its sound, and told.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from subwhisper.audio import SAMPLE_RATE
from subwhisper.errors import InputError
from subwhisper.media.decode import open_audio
from subwhisper.training.material import Example, Pair, Sentence

_PAUSE = 0.2
"""Seconds of sound kept before and after what is said."""
_LINGERING = 0.5
"""Seconds that a cue may stay on screen with the next; what is said in it is over by then."""
_END_TOLERANCE = 0.1
"""Seconds that a cue may end after its recording."""
_SUNG = "cues that are sung, or overlap one that is"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Cues of which each overlaps another one, in seconds of the recording."""

    start: float
    end: float
    texts: tuple[str, ...]
    fault: str | None = None
    """Why it cannot be learnt from."""

    @property
    def text(self) -> str:
        return " ".join(self.texts)


def cut(pairs: Iterable[Pair], window: float) -> list[Example]:
    """Cut recordings into windows of at most `window` seconds that hold whole sentences; tell what is left out.

    Raises:
        InputError: nothing is left.
        MediaError: a recording cannot be read.
    """
    left_out: Counter[str] = Counter()
    examples = [example for pair in pairs for example in _cut(pair, window, left_out)]
    told = [f"{what} ({number})" for what, number in left_out.items()]
    if not examples:
        raise InputError(f"there is nothing to learn from: {'; '.join(told) or 'no cue holds words'}")
    for line in told:
        _log.warning("left out: %s", line)
    return examples


def _cut(pair: Pair, window: float, left_out: Counter[str]) -> list[Example]:
    blocks = [(block * 32767).astype(np.int16) for block in open_audio(pair.media).blocks()]
    sound = np.concatenate(blocks) if blocks else np.zeros(0, np.int16)
    if pair.sentences is None:
        return _whole(pair, sound, window, left_out)
    stretches = _stretches(pair, len(sound) / SAMPLE_RATE, window)
    for stretch in stretches:
        if stretch.fault:
            left_out[stretch.fault] += len(stretch.texts)
    examples: list[Example] = []
    for first, stop in _groups(stretches, window):
        start, end = _edges(stretches, first, stop, len(sound) / SAMPLE_RATE)
        piece = sound[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)]
        said = tuple(Sentence(s.text, s.start - start, min(s.end, end) - start) for s in stretches[first:stop])
        examples.append(Example(piece, said, examples[-1].text if examples else "", pair.media))
    return examples


def _whole(pair: Pair, sound: npt.NDArray[np.int16], window: float, left_out: Counter[str]) -> list[Example]:
    """A recording of one window at most, whose text has no times."""
    if not pair.text:
        left_out["texts that are empty"] += 1
    elif len(sound) > window * SAMPLE_RATE:
        left_out[f"texts without times, of recordings longer than the model's window of {window:g} s"] += 1
    else:
        return [Example(sound, (Sentence(pair.text, *_sounding(sound)),), "", pair.media)]
    return []


def _stretches(pair: Pair, seconds: float, window: float) -> list[_Stretch]:
    """All cues in time order, those that overlap joined."""
    spoken = [_Stretch(s.start, s.end, (s.text,)) for s in pair.sentences or ()]
    sung = [_Stretch(span.start, span.end, ("",), fault=_SUNG) for span in pair.sung]
    found: list[_Stretch] = []
    for cue in sorted([*spoken, *sung], key=lambda cue: (cue.start, cue.end)):
        cue = replace(cue, fault=_fault(cue, seconds, window))
        last = found[-1] if found else None
        if last is None or last.end <= cue.start:
            found.append(cue)
        elif not last.fault and last.start < cue.start and last.end - _LINGERING <= cue.start and last.end < cue.end:
            found[-1:] = [replace(last, end=cue.start), cue]
        else:
            joined = _Stretch(last.start, max(last.end, cue.end), (*last.texts, *cue.texts), last.fault or cue.fault)
            found[-1] = replace(joined, fault=_fault(joined, seconds, window))
    return found


def _fault(stretch: _Stretch, seconds: float, window: float) -> str | None:
    """Why a stretch cannot be learnt from; `None` if it can."""
    if stretch.fault:
        return stretch.fault
    if stretch.end > seconds + _END_TOLERANCE:
        return "cues that end after their recording"
    if stretch.end - stretch.start > _longest(window):
        return f"cues longer than the model's window of {window:g} s, alone or with those that overlap them"
    return None


def _longest(window: float) -> float:
    return window - 2 * _PAUSE


def _groups(stretches: Sequence[_Stretch], window: float) -> Iterator[tuple[int, int]]:
    """First and behind the last of the stretches that fit into a window together, with nothing left out between."""
    first = 0
    for index, stretch in enumerate(stretches):
        if first < index and (stretch.fault or stretch.end - stretches[first].start > _longest(window)):
            yield first, index
            first = index
        if stretch.fault:
            first = index + 1
    if first < len(stretches):
        yield first, len(stretches)


def _edges(stretches: Sequence[_Stretch], first: int, stop: int, seconds: float) -> tuple[float, float]:
    """Where to cut: in the pauses around a group, near to its words."""
    before = stretches[first - 1].end if first else 0.0
    after = stretches[stop].start if stop < len(stretches) else seconds
    start = max(before, stretches[first].start - _PAUSE)
    return start, min(after, stretches[stop - 1].end + _PAUSE, seconds)


def _sounding(sound: npt.NDArray[np.int16]) -> tuple[float, float]:
    """First and last moment louder than a twentieth of the loudest 20 ms, in seconds."""
    step = SAMPLE_RATE // 50
    frames = sound[: len(sound) // step * step].reshape(-1, step).astype(np.float32)
    power = np.sqrt((frames**2).mean(1)) if len(frames) else np.zeros(1)
    loud = np.flatnonzero(power > 0.05 * power.max()) if power.max() > 0 else np.array([0])
    return float(loud[0]) / 50, float(loud[-1] + 1) / 50
