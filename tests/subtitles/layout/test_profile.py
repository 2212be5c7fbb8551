import math

import pytest

from subwhisper.errors import OptionError
from subwhisper.subtitles.layout.profile import Profile


@pytest.mark.parametrize(
    "impossible",
    [
        {"max_line_width": 0},
        {"max_lines": 0},
        {"max_words_per_line": 0},
        {"min_duration": -1.0},
        {"max_duration": 0.5},
        {"max_duration": 0.0, "min_duration": 0.0},
        {"min_gap": math.nan},
        {"linger": math.inf},
        {"max_pause": -0.1},
        {"reading_speed": 0.0},
    ],
)
def test_impossible_values_are_refused_by_name(impossible: dict[str, float]) -> None:
    with pytest.raises(OptionError, match=next(iter(impossible))):
        Profile(**impossible)  # type: ignore[arg-type]


def test_reading_speed_follows_the_language_unless_stated() -> None:
    assert [Profile().speed_for(code) for code in ("en", "en-GB", "fr", "ja")] == [20, 20, 17, 4]
    assert Profile(reading_speed=12).speed_for("en") == 12


def test_words_per_line_count_only_without_a_width() -> None:
    assert Profile().limited() == Profile()
    assert Profile().limited(max_line_width=30, max_words_per_line=2) == Profile(max_line_width=30)
    assert Profile().limited(max_line_width=30, max_line_count=1) == Profile(max_line_width=30, max_lines=1)
    assert Profile().limited(max_words_per_line=2) == Profile(max_words_per_line=2, max_lines=1)
