from pathlib import Path

import numpy as np
import pytest

from subwhisper.training.forced import Timing, best_path, load_timings, save_timings

SILENCE, A, B, C = range(4)


def scores_of(path: list[int]) -> np.ndarray:
    """Log-scores of a classifier that is mostly right."""
    scores = np.full((len(path), 4), -3.0, np.float32)
    scores[np.arange(len(path)), path] = -0.2
    return scores


def test_sounds_are_found_where_they_were_planted() -> None:
    heard = [SILENCE] * 3 + [A] * 4 + [B] * 2 + [SILENCE] * 5 + [C] * 6 + [SILENCE] * 2
    timing = best_path(scores_of(heard), [[A, B], [C]])
    assert timing is not None
    assert timing.starts.tolist() == [3, 7, 14]
    assert timing.ends.tolist() == [7, 9, 20]


def test_words_may_follow_without_a_pause_and_fill_everything() -> None:
    timing = best_path(scores_of([A, A, B, C, C]), [[A], [B, C]])
    assert timing is not None
    assert timing.starts.tolist() == [0, 2, 3]
    assert timing.ends.tolist() == [2, 3, 5]


def test_a_wrong_position_does_not_move_the_words() -> None:
    heard = [A] * 4 + [C] + [A] * 3 + [B] * 4
    timing = best_path(scores_of(heard), [[A], [B]])
    assert timing is not None
    assert timing.starts.tolist() == [0, 8]


def test_more_sounds_than_positions_have_no_times() -> None:
    assert best_path(scores_of([A, B]), [[A, B], [C]]) is None


def test_a_text_that_is_not_said_scores_worse() -> None:
    heard = scores_of([A] * 5 + [B] * 5)
    right, wrong = best_path(heard, [[A], [B]]), best_path(heard, [[C], [A]])
    assert right is not None
    assert wrong is not None
    assert right.score > wrong.score


def test_times_come_back_from_their_file(tmp_path: Path) -> None:
    timing = Timing(np.array([1, 4], np.int32), np.array([3, 9], np.int32), -0.5)
    save_timings([timing, None, timing], tmp_path / "timings.npz")
    back = load_timings(tmp_path / "timings.npz")
    assert back[1] is None
    for one in (back[0], back[2]):
        assert one is not None
        assert (one.starts.tolist(), one.ends.tolist(), one.score) == ([1, 4], [3, 9], pytest.approx(-0.5))
