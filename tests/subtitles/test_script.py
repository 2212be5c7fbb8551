import pytest

from subwhisper.subtitles.script import clean, display_width, split_spaceless, split_words


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("plain", 5),
        ("你好", 4),
        ("カ", 2),
        ("e\u0301", 1),
        ("👩\u200d👩\u200d👧\u200d👦", 2),
        ("안녕", 4),
        ("", 0),
    ],
)
def test_width_is_counted_in_columns(text: str, columns: int) -> None:
    assert display_width(text) == columns


def test_cleaning_keeps_text_and_unbreakable_spaces() -> None:
    assert clean("a \n\t b\x00\x07\u2028c") == "a b c"
    assert clean("10\u00a0000") == "10\u00a0000"
    assert clean("x\ud800y") == "x\ufffdy"


def test_words_keep_the_space_before_them() -> None:
    assert split_words(" one two") == [" one", " two"]
    assert split_words("one  two ") == ["one", " two"]
    assert split_words(" ") == []


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("unbreakable", ["unbreakable"]),
        ("好，他说「对」。", ["好，", "他", "说", "「对」。"]),
        ("ちょっと", ["ちょっ", "と"]),
        ("Python语言", ["Python", "语", "言"]),
        ("เป็น", ["เป็", "น"]),
    ],
)
def test_scripts_without_spaces_break_between_letters_but_not_everywhere(word: str, parts: list[str]) -> None:
    assert split_spaceless(word) == parts
