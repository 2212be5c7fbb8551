import pytest

from subwhisper.subtitles.layout import Profile
from subwhisper.subtitles.layout.joints import joints_of
from subwhisper.subtitles.layout.lines import LineBreaker
from subwhisper.subtitles.layout.pieces import cut_into_pieces, set_line
from subwhisper.transcript import Segment, Transcript


def broken(text: str, language: str = "en", profile: Profile = Profile()) -> list[str]:  # noqa: B008 - frozen
    """Break a text that fits one cue."""
    pieces = cut_into_pieces(Transcript((Segment(0.0, 9.0, text),), language), profile.max_line_width)
    breaker = LineBreaker(pieces, joints_of(pieces, language), profile)
    return [set_line(pieces[begin:end]) for begin, end in breaker.lines(0, len(pieces) - 1)]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("What does it mean to be human | if we don't have a shared culture?", "en"),  # before a conjunction
        ("Creative Commons is designed | to save the world from failed sharing.", "en"),  # before `to`
        ("So if I take your stuff, | do I have to offer it to the next person", "en"),  # after a comma, however short
        ("Il remix ufficiale del brano vede | la partecipazione del rapper Ludacris.", "it"),
        ("Capturaban esclavos de las tribus enemigas | y la descendencia seguía la línea paterna.", "es"),
        ("A short one.", "en"),  # one line is better when it fits
    ],
)
def test_lines_break_at_the_better_place(text: str, language: str) -> None:
    assert broken(text.replace(" |", ""), language) == text.split(" | ")


@pytest.mark.parametrize("fillers", range(3, 12))
@pytest.mark.parametrize("pair", ["the valley", "Dr. Smith", "an hour", "my mother"])
def test_an_article_or_a_title_never_ends_a_line(pair: str, fillers: int) -> None:
    """Wherever in the text the pair falls."""
    first, *_ = broken("word " * fillers + pair + " word" * (11 - fillers))
    assert not first.endswith(pair.split()[0])


def test_even_lines_are_broken_at_the_bottom_heavy_side() -> None:
    first, second = broken("wwww wwww wwww wwww wwww wwww wwww wwww wwww")  # 44 columns: 4 words + 5, or 5 + 4
    assert len(first) < len(second)


def test_three_narrow_lines() -> None:
    narrow = Profile(max_line_width=24, max_lines=3)
    lines = broken("it was the worst of times, it was the age of wisdom,", profile=narrow)
    assert len(lines) == 3
    assert all(len(line) <= 24 for line in lines)


def test_too_much_text_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        broken("word " * 30)


def test_wide_characters_take_two_columns() -> None:
    word = "안녕하세요"  # 10 columns: three and two spaces are 32, four and three would be 43
    assert broken(f"{word} " * 6) == [f"{word} {word} {word}"] * 2
