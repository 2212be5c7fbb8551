"""Command lines as people type them."""

import pytest

from subwhisper.cli.argv import Grammar, Option, normalise
from subwhisper.errors import OptionError

OPTIONS = {
    "--beam-size": Option("--beam-size", "beam_size", takes_value=True),
    "--language": Option("--language", "language", takes_value=True),
    "-l": Option("-l", "language", takes_value=True),
    "--quiet": Option("--quiet", "quiet", takes_value=False, opposite="--no-quiet"),
    "-q": Option("-q", "quiet", takes_value=False, opposite="--no-quiet"),
    "--no-quiet": Option("--no-quiet", "quiet", takes_value=False, opposite="--quiet", negative=True),
}
PROGRAM = Grammar({}, {"transcribe": Grammar(OPTIONS), "burn": Grammar({})})


def respelt(typed: str) -> str:
    return " ".join(normalise(typed.split(), PROGRAM, none_is_a_value={"--language"}))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("transcribe --beam_size 5 a.mp4", "transcribe --beam-size 5 a.mp4"),
        ("transcribe --beam_size=5", "transcribe --beam-size 5"),
        ("transcribe --beam-size -1", "transcribe --beam-size -1"),
        ("transcribe -l --odd a", "transcribe -l --odd a"),
        ("transcribe --quiet a", "transcribe --quiet a"),
        ("transcribe --quiet True a", "transcribe --quiet a"),
        ("transcribe --quiet=no a", "transcribe --no-quiet a"),
        ("transcribe --quiet 0 a", "transcribe --no-quiet a"),
        ("transcribe --quiet None a", "transcribe a"),
        ("transcribe --no-quiet False a", "transcribe --quiet a"),
        ("transcribe --beam_size None a", "transcribe a"),
        ("transcribe --language None a", "transcribe --language None a"),
        ("transcribe a -- --odd_name.mp4", "transcribe a -- --odd_name.mp4"),
        ("transcribe -", "transcribe -"),
        ("transcribe --beam-size", "transcribe --beam-size"),
        ("", "--help"),
        ("transcribe transcribe", "transcribe transcribe"),
    ],
)
def test_a_command_line_is_respelt(typed: str, meant: str) -> None:
    assert respelt(typed) == meant


@pytest.mark.parametrize(
    ("typed", "culprit", "hint"),
    [
        ("transcribe --lnaguage en", "--lnaguage", "did you mean --language?"),
        ("transcribe --xyzzyx", "--xyzzyx", "--help lists the options"),
        ("trancsribe a.mp4", "trancsribe", "did you mean transcribe?"),
        ("transcribe --quiet=maybe", "maybe", "give True or False, or nothing"),
        ("transcribe --beam_size --quiet", "--beam-size has no value", "--beam-size=--quiet if that is the value"),
        ("xyzzyx", "xyzzyx", "one of transcribe, burn"),
        ("burn --beam_size 5", "--beam_size", "that is an option of: subwhisper transcribe"),
    ],
)
def test_what_does_not_exist_is_refused_with_the_nearest(typed: str, culprit: str, hint: str) -> None:
    with pytest.raises(OptionError) as caught:
        respelt(typed)
    assert culprit in caught.value.message
    assert caught.value.hint == hint


def test_a_configuration_file_cannot_say_no_to_say_yes() -> None:
    """`no-quiet = true` would have set `quiet`."""
    assert PROGRAM.commands["transcribe"].keys() == {
        "beam-size": "beam_size",
        "language": "language",
        "quiet": "quiet",
    }
