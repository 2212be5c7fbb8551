"""Which words share a window, and which were not spoken."""

from itertools import pairwise

import numpy as np
import pytest

from subwhisper.engine.energy import STEP, Loudness
from subwhisper.engine.forced import Place, spoken_words, stretches


def talking(seconds: float) -> Loudness:
    levels = np.full(round(seconds / STEP), -20.0, np.float32)
    return Loudness(levels, np.ones(len(levels), bool), np.ones(len(levels), bool))


def places(*indices: int, pace: float = 0.5) -> list[Place]:
    """Words heard at an even pace."""
    return [Place(index, index * pace, (index + 1) * pace) for index in indices]


def test_a_passage_without_time_for_it_was_not_spoken() -> None:
    text = ["hello"] * 10 + ["interpolated"] * 20 + ["hello"] * 10
    heard = [*places(*range(10)), *(Place(30 + n, 5.2 + n / 2, 5.6 + n / 2) for n in range(10))]
    assert spoken_words(text, heard, talking(11.0), 11.0) == [*range(10), *range(30, 40)]


def test_a_passage_that_was_only_not_recognised_is_kept() -> None:
    assert spoken_words(["hello"] * 20, places(*range(5), *range(12, 20)), talking(10.0), 10.0) == [*range(20)]


@pytest.mark.parametrize("heard", [places(*range(400)), places(0, 150, 399), places(17), places(3, 4, 5, 390)])
def test_every_spoken_word_is_in_one_stretch_that_fits(heard: list[Place]) -> None:
    found = [*stretches(range(400), heard, talking(200.0), 200.0, longest=9.0)]
    assert [index for stretch in found for index in stretch.words] == [*range(400)]
    assert all(0 < stretch.end - stretch.start <= 9.0 for stretch in found)
    assert all(a.start <= b.start for a, b in pairwise(found))
    known = {place.index: place for place in heard}
    for stretch in found:
        for index in stretch.words:
            if index in known:
                assert stretch.start - 0.01 <= known[index].start
                assert known[index].end <= stretch.end + 0.01


def test_a_stretch_ends_before_the_longest_pause() -> None:
    heard = [Place(n, n * 0.5 + (2.0 if n > 12 else 0.0), n * 0.5 + 0.5 + (2.0 if n > 12 else 0.0)) for n in range(40)]
    first = next(stretches(range(40), heard, talking(22.0), 22.0, longest=10.0))
    assert first.words[-1] == 12


def test_nothing_known_gives_no_stretches_of_nothing() -> None:
    assert [*stretches([], [], talking(5.0), 5.0, longest=9.0)] == []
