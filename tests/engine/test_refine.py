"""Edges of words come to lie on edges of sound, and never the wrong side of silence."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from subwhisper.engine.energy import STEP, Loudness
from subwhisper.engine.refine import refine, refine_segments
from subwhisper.transcript import Segment, Word


def loudness(*sounds: tuple[float, float], seconds: float = 6.0) -> Loudness:
    """Of a recording that is silent but for these stretches."""
    levels = np.full(round(seconds / STEP), -80.0, np.float32)
    for start, end in sounds:
        levels[round(start / STEP) : round(end / STEP)] = -20.0
    return Loudness(levels, levels > -50, np.ones(len(levels), bool))


def edges(words: tuple[Word, ...]) -> list[float]:
    return [edge for word in words for edge in (word.start, word.end)]


def test_a_start_in_silence_moves_on_to_the_onset_and_an_end_back_to_the_last_sound() -> None:
    refined = refine([Word(" one", 0.8, 2.6)], loudness((1.0, 2.0)))
    assert edges(refined) == pytest.approx([1.0, 2.0])


def test_a_start_amid_sound_moves_back_to_where_it_set_in_but_never_over_silence() -> None:
    assert edges(refine([Word(" one", 1.06, 1.9)], loudness((1.0, 2.0)))) == pytest.approx([1.0, 2.0])
    near = refine([Word(" one", 1.0, 2.0)], loudness((0.9, 0.97), (1.0, 2.0)))
    assert near[0].start == pytest.approx(1.0)
    far = refine([Word(" one", 1.3, 2.0)], loudness((1.0, 2.0)))
    assert far[0].start == pytest.approx(1.3)


def test_a_scrap_of_the_neighbour_beyond_a_pause_is_let_go() -> None:
    refined = refine([Word(" one", 0.5, 1.0), Word(" two", 1.0, 3.0)], loudness((0.5, 1.05), (2.0, 3.0)))
    assert edges(refined)[2:] == pytest.approx([2.0, 3.0])


def test_a_word_that_attention_began_before_the_pause_begins_after_it() -> None:
    words = [Word(" garrison", 0.5, 1.3), Word(" but", 1.3, 2.1), Word(" then", 2.1, 2.6)]
    refined = refine(words, loudness((0.5, 1.45), (1.75, 2.6)))
    assert edges(refined)[:4] == pytest.approx([0.5, 1.45, 1.75, 2.1], abs=0.03)


def test_a_word_that_attention_ended_after_the_pause_ends_before_it() -> None:
    words = [Word(" remarkable", 0.5, 1.6), Word(" end", 1.6, 1.9)]
    refined = refine(words, loudness((0.5, 1.2), (1.5, 1.9)))
    assert edges(refined) == pytest.approx([0.5, 1.2, 1.5, 1.9])


def test_a_pause_in_the_middle_of_a_word_stays_in_it() -> None:
    refined = refine([Word(" one", 0.5, 2.5)], loudness((0.5, 1.4), (1.6, 2.5)))
    assert edges(refined) == pytest.approx([0.5, 2.5])


def test_in_noise_no_edge_is_moved_to_what_only_seems_silent() -> None:
    sound = loudness((1.0, 1.4), (1.7, 2.0))
    noisy = Loudness(sound.levels, sound.is_sound, np.zeros(len(sound.levels), bool))
    assert edges(refine([Word(" one", 0.8, 2.6)], noisy)) == pytest.approx([0.8, 2.6])


def test_words_without_a_pause_part_where_it_is_quietest() -> None:
    sound = loudness((0.5, 2.0))
    sound.levels[122] = -35.0
    refined = refine([Word(" one", 0.5, 1.2), Word(" two", 1.2, 2.0)], sound)
    assert edges(refined) == pytest.approx([0.5, 1.22, 1.22, 2.0])


def test_a_word_put_into_silence_shares_the_sound_of_the_next() -> None:
    refined = refine([Word(" She", 0.0, 0.02), Word(" said", 0.02, 2.4)], loudness((1.0, 2.4)))
    assert edges(refined) == pytest.approx([1.0, 1.6, 1.6, 2.4], abs=0.04)


def test_in_a_recording_of_nothing_words_stay() -> None:
    words = (Word(" one", 0.5, 1.0), Word(" two", 1.0, 1.5))
    assert refine(words, loudness()) == words
    assert refine([], loudness()) == ()


@given(
    st.lists(st.floats(0, 6), min_size=2, max_size=14).map(sorted),
    st.lists(st.floats(0, 6), max_size=10).map(sorted),
)
def test_order_is_kept_and_no_start_moves_back_over_silence(times: list[float], sounds: list[float]) -> None:
    sound = loudness(*zip(sounds[::2], sounds[1::2], strict=False))
    words = [Word(f" w{n}", start, end) for n, (start, end) in enumerate(pairwise(times))]
    refined = refine(words, sound)
    assert [word.text for word in refined] == [word.text for word in words]
    assert all(word.start <= word.end for word in refined)
    assert all(a.end <= b.start + 0.011 for a, b in pairwise(refined))
    for before, after in zip(words, refined, strict=True):
        assert sound.is_sound[round(after.start / STEP) : round(before.start / STEP)].all()


def test_segments_begin_and_end_with_their_words() -> None:
    segments = [Segment(0.0, 3.0, " one", words=(Word(" one", 0.0, 3.0),)), Segment(3.0, 4.0, " mute")]
    first, second = refine_segments(segments, loudness((1.0, 2.0)))
    assert (first.start, first.end) == pytest.approx((1.0, 2.0))
    assert second == segments[1]
