import pytest

from subwhisper.media.movtext import decode, encode


@pytest.mark.parametrize(
    "cue",
    [
        "plain",
        "two\nlines ♪ 日本 😀 \u202bתודה\u202c",
        "a &lt; b &amp; c &gt; d {braces} \\N back\\slash &amp;amp;",
        "<b>bold</b> and <i>italic</i> and <u>under</u>",
        "<b>bold <i></i></b>😀<b><i>both</i></b>",
    ],
)
def test_text_and_faces_survive(cue: str) -> None:
    once = decode(encode(cue))
    assert decode(encode(once)) == once
    assert once.replace("<i></i>", "") == cue.replace("<i></i>", "")


def test_markup_that_mp4_has_no_place_for_leaves_its_text() -> None:
    assert decode(encode("<v Bob>Hi <c.yellow>there</c> <00:01.000>you</v>")) == "Hi there you"


def test_what_other_writers_write_is_read() -> None:
    assert decode(b"\x00\x06\xff\xfeH\x00i\x00") == "Hi"  # UTF-16
    assert decode(b"\x00\x02Hi\x00\x00\x00\x00styl") == "Hi"  # a box of no length
    assert decode(b"\x00\x02Hi\x00\x00\x00\x16styl\x00\x01\x00\x00\x00\x09") == "Hi"  # a box cut off
    assert decode(b"") == decode(b"\x00\x00") == ""
    assert decode(b"\x00\x02\xff\xfa") == "��"


def test_text_beyond_what_fits_is_cut_between_characters() -> None:
    assert decode(encode("é" * 40_000)) == "é" * 32_767
