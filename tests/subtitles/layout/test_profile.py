import math
from pathlib import Path

import pytest

from subwhisper.errors import ConfigError, OptionError
from subwhisper.subtitles.layout.profile import Profile
from subwhisper.subtitles.layout.standards import load_profile, profile_names


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
        {"words_per_minute": 0.0},
        {"shot_margin": -1.0},
        {"languages": {"ja": {"max_line_width": 0}}},
        {"languages": {"ja": {"name": "x"}}},
    ],
)
def test_impossible_values_are_refused_by_name(impossible: dict[str, object]) -> None:
    with pytest.raises(OptionError, match=next(iter(impossible)).replace("languages", "max_line_width|languages")):
        Profile(**impossible)  # type: ignore[arg-type]


def test_limits_follow_the_language_unless_stated() -> None:
    netflix = load_profile("netflix")
    speeds = {code: netflix.in_language(code).reading_speed for code in ("en", "en-GB", "fr", "ja", "pt-BR")}
    assert speeds == {"en": 20, "en-GB": 20, "fr": 17, "ja": 4, "pt-BR": 17}
    assert netflix.in_language("ko").max_line_width == 32  # 16 characters, each two columns wide
    slow = netflix.changed(reading_speed=12.0)
    assert {slow.in_language(code).reading_speed for code in ("en", "ja", "fr")} == {12}
    assert slow.in_language("ja").max_line_width == 26  # what was not stated stays


def test_words_per_line_count_only_without_a_width() -> None:
    assert Profile().limited() == Profile()
    assert Profile().limited(max_line_width=30, max_words_per_line=2) == Profile(max_line_width=30)
    assert Profile().limited(max_line_width=30, max_line_count=1) == Profile(max_line_width=30, max_lines=1)
    assert Profile().limited(max_words_per_line=2) == Profile(max_words_per_line=2, max_lines=1)


def test_every_profile_of_the_issue_is_there_and_names_its_source() -> None:
    wanted = {
        "netflix",
        "netflix-children",
        "bbc",
        "ebu",
        "dcmp",
        "ted",
        "prime",
        "youtube",
        "shorts",
        "one-word",
        "plain",
    }
    assert wanted <= {*profile_names()}
    for name in profile_names():
        profile = load_profile(name)
        assert profile.name == name
        assert profile.source


@pytest.mark.parametrize(
    ("name", "language", "width", "lines", "speed", "gap_frames"),
    [  # captions.md of the project's notes: Netflix 5.1, BBC 5.2, others 5.3
        ("netflix", "en", 42, 2, 20, 2),
        ("netflix-children", "en", 42, 2, 17, 2),
        ("netflix-children", "ar", 42, 2, 17, 2),
        ("netflix-sdh", "hi", 42, 2, 25, 2),
        ("netflix-sdh-children", "ko", 32, 2, 11, 2),
        ("netflix", "zh", 32, 2, 9, 2),
        ("netflix", "th", 35, 2, 17, 2),
        ("netflix-children", "th", 35, 2, 13, 2),
        ("bbc", "en", 37, 2, None, None),
        ("bbc-vertical", "en", 25, 3, None, None),
        ("ted", "en", 42, 2, 21, None),
        ("prime", "fr", 42, 2, 17, 2),
        ("shorts", "en", 24, 2, 25, None),
    ],
)
def test_profiles_have_the_numbers_of_their_standards(
    name: str, language: str, width: int, lines: int, speed: float | None, gap_frames: int | None
) -> None:
    limits = load_profile(name).in_language(language)
    assert (limits.max_line_width, limits.max_lines, limits.reading_speed, limits.gap_frames) == (
        width, lines, speed, gap_frames,
    )  # fmt: skip


def test_a_profile_of_ones_own_starts_from_another(tmp_path: Path) -> None:
    file = tmp_path / "house.toml"
    file.write_text('base = "netflix"\nreading_speed = 15\nmax_pause = 1\n[languages.ja]\nmax_line_width = 32\n')
    profile = load_profile(str(file))
    assert profile.name == "house"
    assert profile.in_language("en").reading_speed == 15  # stated at the top, so for English too
    assert profile.in_language("ja").max_line_width == 32
    assert profile.in_language("ko").max_line_width == 32


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("max_line_widht = 3", "max_line_width"),
        ('max_line_width = "wide"', "whole number"),
        ("max_line_width = 37.5", "whole number"),
        ("max_lines = true", "whole number"),
        ("one_sentence = 1", "true or false"),
        ("max_line_width = 0", "at least 1"),
        ('base = "nteflix"', "base must be one of"),
        ("languages = 3", "tables"),
        ("[languages.ja]\nname = 'x'", "name"),
        ("max_lines =", "TOML"),
    ],
)
def test_a_wrong_profile_file_is_explained(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "house.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_profile(str(file))
    assert said in str(caught.value)
    assert "house.toml" in str(caught.value)


def test_an_unknown_profile_names_the_nearest() -> None:
    with pytest.raises(OptionError, match="netflix"):
        load_profile("netflx")
    with pytest.raises(ConfigError, match="missing"):
        load_profile("missing.toml")
