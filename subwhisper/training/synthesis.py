"""Text to speech with known times, through the espeak-ng library.

espeak-ng reports, while it speaks, the sample at which each word and each phoneme begins.
That is the truth from which the bundled model learns when words are said, and by which its times are scored.
The library keeps its state per process: one synthesiser at a time, one process per worker.
"""

import ctypes
import ctypes.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from subwhisper.audio import SAMPLE_RATE, Samples
from subwhisper.errors import MissingExtra, ToolError
from subwhisper.transcript import Word

SILENCE = "_"
_SYNCHRONOUS, _PHONEME_EVENTS, _DO_NOT_EXIT = 2, 0x0001, 0x8000
_UTF8, _AT_CHARACTER = 1, 1
_RATE, _PITCH, _PITCH_RANGE, _WORD_GAP = 1, 3, 4, 7
_WORD_EVENT, _PHONEME_EVENT = 1, 7


@dataclass(frozen=True, slots=True)
class Voice:
    """How a sentence is spoken."""

    name: str
    """espeak-ng's language and variant: `en-us+f2`."""
    rate: int = 165
    """Words per minute."""
    pitch: int = 50
    """0 to 100."""
    pitch_range: int = 50
    """0 is monotone, 100 lively."""
    word_gap: int = 0
    """Extra silence between words, in units of 10 ms."""
    tempo: float = 1.0
    """Playback speed; it moves pitch and formants too, and so sounds like another speaker."""


@dataclass(frozen=True, slots=True)
class Phoneme:
    """One speech sound."""

    name: str
    start: float
    end: float


@dataclass(frozen=True, slots=True, eq=False)
class Utterance:
    """A sentence as it was spoken; times in seconds from the first sample."""

    text: str
    samples: Samples
    words: tuple[Word, ...]
    """One for each space-separated word of the text, with its marks; leading spaces as a tokenizer has them."""
    phonemes: tuple[Phoneme, ...]

    @property
    def duration(self) -> float:
        return len(self.samples) / SAMPLE_RATE

    def from_word(self, index: int) -> "Utterance":
        """The rest of the sentence, from the word at `index` on."""
        first = round(self.words[index].start * SAMPLE_RATE)
        seconds = first / SAMPLE_RATE
        words = tuple(word.shifted(-seconds) for word in self.words[index:])
        phonemes = tuple(
            Phoneme(p.name, max(p.start - seconds, 0.0), p.end - seconds) for p in self.phonemes if p.end > seconds
        )
        return Utterance("".join(word.text for word in words).strip(), self.samples[first:], words, phonemes)


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True, slots=True)
class _Mark:
    kind: int
    position: int
    length: int
    seconds: float
    name: str


@lru_cache(maxsize=1)
def _library() -> tuple[ctypes.CDLL, int]:
    """Start espeak-ng, once in a process; give it and the rate of its samples."""
    path = ctypes.util.find_library("espeak-ng")
    if path is None:
        raise ToolError("espeak-ng is not installed", hint="apt-get install espeak-ng")
    library = ctypes.CDLL(path)
    rate = int(library.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONEME_EVENTS | _DO_NOT_EXIT))
    if rate <= 0:
        raise ToolError("espeak-ng did not start", hint="is its package espeak-ng-data installed?")
    return library, rate


class Espeak:
    """The espeak-ng library, ready to speak."""

    def __init__(self) -> None:
        self._library, self._rate = _library()
        self._blocks: list[npt.NDArray[np.int16]] = []
        self._marks: list[_Mark] = []
        self._callback = _Callback(self._receive)  # kept: the library holds only a pointer

    def speak(self, text: str, voice: Voice) -> Utterance:
        """Speak one sentence of plain words.

        Raises:
            ToolError: the voice is unknown.
        """
        self._set(voice)
        self._blocks.clear()
        self._marks.clear()
        data = text.encode()
        self._library.espeak_SetSynthCallback(self._callback)  # another instance may have spoken since
        self._library.espeak_Synth(data, len(data) + 1, 0, _AT_CHARACTER, 0, _UTF8, None, None)
        self._library.espeak_Synchronize()
        raw = np.concatenate(self._blocks) if self._blocks else np.zeros(1, np.int16)
        samples = resample(raw.astype(np.float32) / np.float32(32768), self._rate * voice.tempo)
        phonemes = _phonemes(self._marks, voice.tempo, len(samples) / SAMPLE_RATE)
        return Utterance(text, samples, _words(text, self._marks, phonemes, voice.tempo), phonemes)

    def _set(self, voice: Voice) -> None:
        if self._library.espeak_SetVoiceByName(voice.name.encode()) != 0:
            raise ToolError(f"espeak-ng has no voice {voice.name!r}", hint="list them with: espeak-ng --voices=variant")
        for parameter, value in (
            (_RATE, voice.rate),
            (_PITCH, voice.pitch),
            (_PITCH_RANGE, voice.pitch_range),
            (_WORD_GAP, voice.word_gap),
        ):
            self._library.espeak_SetParameter(parameter, value, 0)

    def _receive(self, wave: "ctypes._Pointer[ctypes.c_short]", n_samples: int, events: Sequence[_Event]) -> int:
        if n_samples > 0:
            self._blocks.append(np.ctypeslib.as_array(wave, (n_samples,)).copy())
        index = 0
        while (event := events[index]).type != 0:
            if event.type in (_WORD_EVENT, _PHONEME_EVENT):
                name = bytes(event.id.string).decode() if event.type == _PHONEME_EVENT else ""
                seconds = event.sample / self._rate
                self._marks.append(_Mark(event.type, event.text_position - 1, event.length, seconds, name))
            index += 1
        return 0


def resample(samples: Samples, rate: float) -> Samples:
    """Bring samples from `rate` to 16 kHz."""
    try:
        import soxr
    except ImportError as error:
        raise MissingExtra("soxr", "train") from error
    moved: Samples = soxr.resample(samples, rate, SAMPLE_RATE)
    return moved


def _phonemes(marks: Sequence[_Mark], tempo: float, duration: float) -> tuple[Phoneme, ...]:
    """Each phoneme lasts until the next mark of any phoneme."""
    heard = [(mark.name, mark.seconds / tempo) for mark in marks if mark.kind == _PHONEME_EVENT]
    ends = [*(start for _, start in heard[1:]), duration]
    return tuple(
        Phoneme(SILENCE if name.startswith("_") else name, start, end)
        for (name, start), end in zip(heard, ends, strict=True)
        if end > start
    )


def _words(text: str, marks: Sequence[_Mark], phonemes: Sequence[Phoneme], tempo: float) -> tuple[Word, ...]:
    """Give each space-separated word its first mark as start; it ends at the next word or at a pause."""
    pieces = text.split(" ")
    starts: list[float | None] = []
    position = 0
    for piece in pieces:
        last = position + len(piece)
        own = [m.seconds / tempo for m in marks if m.kind == _WORD_EVENT and m.length and position <= m.position < last]
        starts.append(min(own) if own else None)
        position = last + 1
    known = _fill(pieces, starts, phonemes)
    bounds = [*known[1:], phonemes[-1].end]
    return tuple(
        Word(f" {piece}", start, max(_voiced_end(phonemes, start, bound), start + 0.01))
        for piece, start, bound in zip(pieces, known, bounds, strict=True)
    )


def _voiced_end(phonemes: Sequence[Phoneme], start: float, bound: float) -> float:
    voiced = [p.end for p in phonemes if p.name != SILENCE and start <= p.start < bound]
    return min(max(voiced), bound) if voiced else bound


def _fill(pieces: Sequence[str], starts: Sequence[float | None], phonemes: Sequence[Phoneme]) -> list[float]:
    """Place words that espeak-ng speaks as one with the word before ("of the"): by letters, at a phoneme's edge."""
    filled: list[float] = []
    for index, start in enumerate(starts):
        if start is not None:
            filled.append(start)
            continue
        if not filled:
            filled.append(next((p.start for p in phonemes if p.name != SILENCE), 0.0))
            continue
        following = next((s for s in starts[index + 1 :] if s is not None), None)
        end = _voiced_end(phonemes, filled[-1], phonemes[-1].end if following is None else following)
        share = len(pieces[index - 1]) / (len(pieces[index - 1]) + len(pieces[index]))
        guess = filled[-1] + share * (end - filled[-1])
        edges = [p.start for p in phonemes if filled[-1] < p.start < end] or [guess]
        filled.append(min(edges, key=lambda edge: abs(edge - guess)))
    return filled
