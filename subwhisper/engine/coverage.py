"""Is all speech in the text? What seems to be missing is listened to again.

The map that says so is not the one which laid the windows (energy where that was Silero, and the other way
round), so speech that the first overlooked is found as well as speech that the decoder skipped. It believes too much,
music for instance; so where it stands alone, a text is taken only if two windows that begin and end at different
moments agree on it, word for word or nearly.

Listening costs as much as reading, and noise can look like speech everywhere. So holes are read many at once, the most
promising ones first, and only so much of a recording is listened to in vain.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any

from subwhisper.audio import Span
from subwhisper.engine.features import FRAMES_PER_SECOND
from subwhisper.engine.holes import WIDE, Heard, covered_by, holes, in_order, neighbours, window_over, windows_over
from subwhisper.engine.options import DetectorName, VadOptions
from subwhisper.engine.phrases import plain
from subwhisper.engine.vad.speech_map import SpeechMap
from subwhisper.engine.windows import Window
from subwhisper.transcript import Segment

AGREEMENT = 0.6
"""Share of words that two windows must have in common."""
SUREST_SILENCE = 0.5
"""Probability of no speech up to which a text is taken on the word of the second map alone."""
IN_VAIN = 0.25
"""Share of a recording that may be listened to again without finding anything, in windows."""
IN_VAIN_AT_LEAST = 120.0
"""Seconds of it in any recording."""

ReadAgain = Callable[[Sequence[Window], SpeechMap], Sequence[Heard]]
"""Reads windows without context and without sampling; text outside this map of speech is not believed."""


def second_opinion(first: DetectorName) -> VadOptions | None:
    """The other map: fine-grained, and rather too much than too little. Without a first one there is none."""
    if first == "none":
        return None
    return VadOptions(
        detector="silero" if first == "energy" else "energy",
        threshold=0.35 if first == "energy" else 0.5,
        min_speech_duration_ms=250,
        min_silence_duration_ms=300,
        speech_pad_ms=0,
    )


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the speech has words."""

    speech: float = 0.0
    """Seconds."""
    missing: float = 0.0
    """Seconds of it in holes that stayed open."""
    n_repaired: int = 0
    n_open: int = 0
    n_unread: int = 0
    """Holes that were not listened to again: too many others had been, in vain."""

    @property
    def share(self) -> float:
        """Of the speech that has words, 0 to 1; 1 where nobody speaks."""
        return 1.0 - self.missing / self.speech if self.speech else 1.0

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "speech_seconds": round(self.speech, 2),
            "covered": round(self.share, 4),
            "holes_repaired": self.n_repaired,
            "holes_open": self.n_open,
            "holes_unread": self.n_unread,
        }


@dataclass(frozen=True, slots=True)
class Maps:
    """Where someone speaks, by several who listened."""

    first: SpeechMap
    """Laid the windows."""
    second: SpeechMap
    """Checks them."""
    faint: SpeechMap | None = None
    """Where the detector of the first had the slightest suspicion; `None`: it is not one that can have any."""


class Audit:
    """Follows the reading of a recording, and fills the holes behind it."""

    def __init__(self, maps: Maps, clips: Iterable[Span], window_frames: int, read_again: ReadAgain) -> None:
        """Begin a recording.

        Args:
            maps: of its speech.
            clips: the parts that are read.
            window_frames: frames of the longest window.
            read_again: how holes are read.
        """
        self._maps, self._clips = maps, tuple(clips)
        self._window_frames, self._read_again = window_frames, read_again
        self._until = 0.0
        self._before: tuple[Segment, ...] = ()
        self._reached = 0.0  # seconds up to which holes have been looked at
        self._in_vain = 0.0  # seconds of windows
        self.coverage = Coverage()

    def checked(self, heard: Heard, until: float) -> Heard:
        """Add to what was heard in a stretch, which ends at this second, what was missing in it."""
        bounds = Span(self._until, max(self._until, until))
        covered = [span for segment in (*self._before, *heard.segments) for span in covered_by(segment)]
        self._until, self._before = bounds.end, heard.segments[-3:]
        found = [heard]
        for clip in self._clips:
            inside = clip.clipped(bounds)
            self._count(speech=sum(self._maps.second.seconds_in(span) for span in self._maps.first.within(inside)))
            for some in neighbours(holes(self._maps.second, covered, inside, self._longest_hole)):
                self._reached = some[-1].end
                found += self._filled(some, clip)
        return in_order(found)

    @property
    def _window_seconds(self) -> float:
        return self._window_frames / FRAMES_PER_SECOND

    @property
    def _longest_hole(self) -> float:
        """Seconds of a hole that one window can be laid over with room around it."""
        return max(self._window_seconds - sum(WIDE), self._window_seconds / 2)

    def _filled(self, some: Sequence[Span], clip: Span) -> list[Heard]:
        """What is said in holes that are neighbours, and the books kept of it."""
        known = [hole for hole in some if self._maps.first.seconds_in(hole) > hole.duration / 2]
        others = [hole for hole in some if hole not in known]
        faint = self._maps.faint
        likely = [hole for hole in others if faint is None or faint.seconds_in(hole) > 0]
        unlikely = [hole for hole in others if hole not in likely]
        found = self._listened({window_over(hole, clip, self._window_frames): (hole,) for hole in known}, clip, True)
        for holes_apart in (likely, unlikely):
            found |= self._listened(windows_over(holes_apart, clip, self._window_frames), clip, False)
        for hole in known:
            self._book_known(hole, found.get(hole))
        for hole in others:
            self._book_other(hole, found.get(hole))
        return [_noted(heard, hole) for hole, heard in found.items() if heard.segments]

    def _book_known(self, hole: Span, heard: Heard | None) -> None:
        if heard and heard.segments:
            self._count(n_repaired=1)
        else:
            self._count(missing=hole.duration, n_open=1, n_unread=int(heard is None))

    def _book_other(self, hole: Span, heard: Heard | None) -> None:
        if heard is None:
            self._count(n_unread=1)
        elif heard.segments:  # it was speech after all
            self._count(speech=hole.duration, n_repaired=1)

    def _listened(self, laid: Mapping[Window, Sequence[Span]], clip: Span, is_known: bool) -> dict[Span, Heard]:
        """What is heard in holes, as long as listening is not too often in vain; unread ones are not among them."""
        waiting = sorted(laid, key=lambda window: -sum(hole.duration for hole in laid[window]))
        found: dict[Span, Heard] = {}
        while waiting and (n_windows := self._affordable()):
            some, waiting = sorted(waiting[:n_windows], key=lambda window: window.first), waiting[n_windows:]
            found |= self._read({window: laid[window] for window in some}, clip, is_known)
        return found

    def _affordable(self) -> int:
        """Windows that may still be read in vain, each of them twice."""
        limit = max(IN_VAIN_AT_LEAST, IN_VAIN * self._reached)
        return max(0, int((limit - self._in_vain) // (2 * self._window_seconds)))

    def _read(self, laid: Mapping[Window, Sequence[Span]], clip: Span, is_known: bool) -> dict[Span, Heard]:
        """Read windows, and those holes once more where that can tell more."""
        evidence = self._maps.first if is_known else self._maps.second
        windows = {hole: window for window, its_holes in laid.items() for hole in its_holes}
        heard = dict(zip(laid, self._read_again([*laid], evidence), strict=True))
        first = {hole: heard[window].within(hole) for hole, window in windows.items()}
        asked = [hole for hole in first if (not first[hole].segments if is_known else _is_promising(first[hole]))]
        closer = [window_over(hole, clip, self._window_frames, unlike=windows[hole]) for hole in asked]
        again = self._read_again(closer, evidence) if closer else ()
        second = {hole: one.within(hole) for hole, one in zip(asked, again, strict=True)}
        judge = _believable if is_known else _agreed
        found = {hole: judge(first[hole], second.get(hole, Heard())) for hole in first}
        n_vain = sum(not any(found[hole].segments for hole in its_holes) for its_holes in laid.values())
        n_vain += sum(not found[hole].segments for hole in asked)
        self._in_vain += n_vain * self._window_seconds
        return found

    def _count(self, **more: float) -> None:
        so_far = self.coverage
        self.coverage = replace(so_far, **{name: getattr(so_far, name) + value for name, value in more.items()})


def agree(first: Sequence[Segment], second: Sequence[Segment]) -> bool:
    """Decide whether two hearings of a hole say the same, and more than a word."""
    one, other = _words(first), _words(second)
    return min(len(one), len(other)) > 1 and SequenceMatcher(None, one, other, autojunk=False).ratio() >= AGREEMENT


def _words(segments: Iterable[Segment]) -> list[str]:
    return [plain(word) for segment in segments for word in segment.text.split()]


def _is_promising(heard: Heard) -> bool:
    """Whether a second hearing could confirm the first."""
    return len(_words(heard.segments)) > 1 and all(map(_is_sure, heard.segments))


def _agreed(first: Heard, second: Heard) -> Heard:
    """What two hearings of what may be no speech agree on."""
    return first if agree(first.segments, second.segments) else Heard()


def _believable(first: Heard, second: Heard) -> Heard:
    """What one of two hearings makes of speech."""
    heard = first if first.segments else second
    return Heard(*(tuple(filter(_is_believable, text)) for text in (heard.segments, heard.translation)))


def _is_sure(segment: Segment) -> bool:
    quality = segment.quality
    return quality is not None and quality.no_speech_prob < SUREST_SILENCE and quality.avg_logprob > -0.7


def _is_believable(segment: Segment) -> bool:
    quality = segment.quality
    return quality is not None and quality.avg_logprob > -1.0 and quality.compression_ratio <= 2.4


def _noted(heard: Heard, hole: Span) -> Heard:
    note = f"found by listening again to {hole.duration:.1f} s without words"
    return Heard(
        *(tuple(_with_note(segment, note) for segment in text) for text in (heard.segments, heard.translation))
    )


def _with_note(segment: Segment, note: str) -> Segment:
    quality = segment.quality
    return replace(segment, quality=replace(quality, notes=(*quality.notes, note))) if quality else segment
