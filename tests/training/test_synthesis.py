import ctypes.util

import numpy as np
import pytest

from subwhisper.errors import ToolError
from subwhisper.training.dataset import HELD_OUT_VARIANTS, VARIANTS
from subwhisper.training.synthesis import Espeak, Voice, _library

SENTENCE = "One of the dogs, said Ann, can't swim."


def test_every_word_has_its_time_in_order(espeak: Espeak) -> None:
    spoken = espeak.speak(SENTENCE, Voice("en-us"))
    assert "".join(word.text for word in spoken.words) == f" {SENTENCE}"
    assert all(word.start < word.end for word in spoken.words)
    starts = [word.start for word in spoken.words]
    assert starts == sorted(starts)
    assert len(set(starts)) == len(starts), "words that espeak-ng joins (of the) are told apart"
    assert spoken.words[-1].end <= spoken.duration


def test_times_agree_with_the_sound(espeak: Espeak) -> None:
    spoken = espeak.speak(SENTENCE, Voice("en-us"))
    energy = np.abs(spoken.samples)
    comma_start, comma_end = spoken.words[3].end, spoken.words[4].start
    pause = energy[int(comma_start * 16000) + 800 : int(comma_end * 16000) - 160]
    word = energy[int(spoken.words[4].start * 16000) : int(spoken.words[4].end * 16000)]
    assert pause.mean() < 0.1 * word.mean()


def test_a_faster_tempo_shortens_sound_and_times_alike(espeak: Espeak) -> None:
    plain, fast = espeak.speak(SENTENCE, Voice("en-us")), espeak.speak(SENTENCE, Voice("en-us", tempo=1.1))
    assert fast.duration == pytest.approx(plain.duration / 1.1, rel=1e-3)
    assert fast.words[-1].start == pytest.approx(plain.words[-1].start / 1.1, rel=1e-3)


def test_the_same_voice_has_nearly_the_same_times_twice(espeak: Espeak) -> None:
    """espeak-ng draws its breath noise, and with it the last milliseconds, from a generator of its own."""
    first, second = (espeak.speak(SENTENCE, Voice("en-us+f2", rate=150)) for _ in range(2))
    assert [w.start for w in first.words] == pytest.approx([w.start for w in second.words], abs=0.03)


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    _library.cache_clear()
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: None)
    with pytest.raises(ToolError, match="espeak-ng is not installed"):
        Espeak()
    _library.cache_clear()


def test_the_narrator_and_the_judges_are_not_trained_on() -> None:
    assert "m5" not in {*VARIANTS, *HELD_OUT_VARIANTS}
    assert not set(VARIANTS) & set(HELD_OUT_VARIANTS)
