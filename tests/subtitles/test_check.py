"""Every rule of a certificate, broken once."""

from collections.abc import Callable
from dataclasses import replace
from math import ceil, floor
from random import Random
from typing import Any

import pytest

from subwhisper.subtitles.check import Certificate, check
from subwhisper.subtitles.check_frames import RATES
from subwhisper.subtitles.check_html import certificate_page
from subwhisper.subtitles.layout import Picture, Profile, lay_out, load_profile
from subwhisper.subtitles.track import Cue, Track
from subwhisper.transcript import Segment, Transcript, Word

GOOD = (
    Cue(1000, 3000, ("We went to the house",)),
    Cue(3083, 5700, ("of the old man who lived", "at the end of the street.")),
    Cue(8000, 9500, ("Nobody was there.",)),
)


def broken(certificate: Certificate) -> dict[str, list[int]]:
    return {v.rule: [finding.cue for finding in v.findings] for v in certificate.verdicts if v.findings}


def test_good_captions_pass() -> None:
    certificate = check(Track(GOOD, "en"))
    assert certificate.passes
    assert certificate.rate == 1.0
    assert broken(certificate) == {}
    assert certificate.profile == "netflix"


@pytest.mark.parametrize(
    ("cues", "profile", "expected"),
    [
        ([Cue(0, 5000, ("a" * 43,))], "netflix", {"line-width": [1]}),
        ([Cue(0, 5000, ("好" * 17,))], "netflix", {}),  # 34 columns are fine in English captions
        ([Cue(0, 5000, ("One.", "Two.", "Six."))], "netflix", {"line-count": [1]}),
        ([Cue(0, 1000, ("twenty-one characters",))], "netflix", {"reading-speed": [1]}),
        ([Cue(0, 1000, ("twenty characters on",))], "netflix", {}),
        ([Cue(0, 1000, ("five words in one second",))], "bbc", {"words-per-minute": [1]}),
        ([Cue(0, 800, ("No.",))], "netflix", {"min-duration": [1]}),
        ([Cue(0, 7100, ("No.",))], "netflix", {"max-duration": [1]}),
        ([Cue(0, 1000, ("One.",)), Cue(1020, 3000, ("Two.",))], "netflix", {"gap": [1]}),
        ([Cue(0, 1000, ("One.",)), Cue(1300, 3000, ("Two.",))], "netflix", {"flicker": [1]}),
        ([Cue(0, 1000, ("One.",)), Cue(1500, 3000, ("Two.",))], "netflix", {}),
        ([Cue(0, 1000, ("One.",)), Cue(900, 3000, ("Two.",))], "netflix", {"overlap": [1]}),
        ([Cue(0, 1000, ("two words",))], "one-word", {"words-per-line": [1]}),
        ([Cue(0, 3000, ("this is the house of the", "very old man"))], "netflix", {"line-breaks": [1]}),
        ([Cue(0, 2000, ("I saw Dr.",)), Cue(2083, 4000, ("Smith.",))], "netflix", {"cue-breaks": [1]}),
        ([Cue(0, 4000, ("He had promised to tell us everything", "again."))], "netflix", {"shape": [1]}),
        ([Cue(0, 3000, ("We went home. It rained.",))], "bbc", {"sentences": [1]}),
        ([Cue(0, 100, ("anything " * 4,))], "plain", {}),
    ],
)
def test_each_rule_finds_the_cue_that_breaks_it(cues: list[Cue], profile: str, expected: dict[str, Any]) -> None:
    overlapping = "overlap" in expected
    assert broken(check(Track(tuple(cues), "en", overlapping=overlapping), load_profile(profile))) == expected


@pytest.mark.parametrize(
    ("cue", "expected"),
    [
        (Cue(1000, 4000, ("Hello.",)), {}),
        (Cue(4800, 7000, ("Hello.",)), {"shots": [1]}),  # begins 0.2 s before the shot change at 5 s
        (Cue(3000, 5000, ("Hello.",)), {"shots": [1]}),  # ends on it, and not two frames before
        (Cue(3000, 4917, ("Hello.",)), {}),
        (Cue(3000, 5300, ("Hello.",)), {"shots": [1]}),
        (Cue(3000, 5600, ("Hello.",)), {}),
    ],
)
def test_shot_changes_are_kept(cue: Cue, expected: dict[str, Any]) -> None:
    assert broken(check(Track((cue,), "en"), picture=Picture(shots=(5.0,)))) == expected
    assert broken(check(Track((cue,), "en"))) == {}


def test_advice_does_not_decide() -> None:
    certificate = check(Track((Cue(0, 3000, ("this is the house of the", "old man")),), "en"))
    assert certificate.passes
    assert broken(certificate)


def test_a_line_break_is_explained_by_what_it_parts() -> None:
    certificate = check(Track((Cue(0, 3000, ("this is the house of the", "old man")),), "en"))
    (finding,) = next(verdict for verdict in certificate.verdicts if verdict.findings).findings
    assert finding.what == "a line ends with an article: the | old"


def test_what_the_words_made_impossible_is_said() -> None:
    words = [Word(f" word{index}", index * 0.1, index * 0.1 + 0.1) for index in range(20)]
    words.append(Word(" Incomprehensibilities" * 3, 10.0, 14.0))
    transcript = Transcript((Segment(0.0, 14.0, "", words=tuple(words)),), "en")
    certificate = check(lay_out(transcript))
    speed = next(verdict for verdict in certificate.verdicts if verdict.rule == "reading-speed")
    assert speed.findings
    assert all(finding.cause and "said at" in finding.cause for finding in speed.findings)


def test_limits_are_those_of_the_language() -> None:
    track = Track((Cue(0, 2000, ("今天天气很好我们一起去公园散步吧好",)),))
    assert broken(check(track, language="zh")) == {"line-width": [1]}  # 17 characters a line, 8.5 a second
    assert broken(check(track, language="ja")) == {"line-width": [1], "reading-speed": [1]}


@pytest.mark.parametrize(("rate", "expected"), [(24.0, {"gap": [1]}), (50.0, {}), (None, {})])
def test_gaps_are_counted_in_frames_of_the_video(rate: float | None, expected: dict[str, Any]) -> None:
    """Where frames may be of any length, only what is too short in frames of all lengths is."""
    pair = (Cue(0, 1000, ("One.",)), Cue(1045, 3000, ("Two.",)))
    assert broken(check(Track(pair, "en"), picture=Picture(frame_rate=rate))) == expected


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("rounded", [floor, round, ceil])
def test_captions_on_frames_tell_their_frame_rate(rate: float, rounded: Callable[[float], int]) -> None:
    cues = tuple(
        Cue(rounded(frame * 1000 / rate), rounded((frame + 60) * 1000 / rate), ("Yes.",))
        for frame in range(100, 5000, 203)
    )
    assert check(Track(cues, "en")).frame_rate == rate


@pytest.mark.parametrize("step", [1, 10, 50, 100, 500])
def test_captions_not_on_frames_tell_none(step: int) -> None:
    """Tenths of a second are all on the frames of 30 a second, and yet tell nothing."""
    dice = Random(step)
    starts = [index * 5000 + dice.randrange(0, 2000, step) for index in range(40)]
    cues = tuple(Cue(start, start + 1000 + dice.randrange(0, 1000, step), ("Yes.",)) for start in starts)
    assert check(Track(cues, "en")).frame_rate is None


def test_a_start_just_after_a_shot_change_is_advised_against() -> None:
    certificate = check(Track((Cue(5200, 7000, ("Hello.",)),), "en"), picture=Picture(shots=(5.0,)))
    assert broken(certificate) == {"late-starts": [1]}
    assert certificate.passes


def test_the_dashes_of_two_speakers_are_no_words() -> None:
    track = Track((Cue(0, 1200, ("- Are you here?", "- Yes.")),), "en")
    assert broken(check(track, load_profile("bbc"))) == {"sentences": [1]}  # 4 words in 1.2 s are its limit


def test_the_page_escapes_what_captions_hold() -> None:
    cue = Cue(0, 100, ("<script>alert('&')</script>",))
    page = certificate_page(check(Track((cue,), "en")), "<file>.srt")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "&lt;file&gt;.srt" in page


def test_a_certificate_of_nothing_passes() -> None:
    assert check(Track(())).passes
    assert check(Track(())).rate == 1.0


def test_the_report_has_every_rule_that_the_profile_has() -> None:
    document = check(Track(GOOD, "en"), replace(Profile(), reading_speed=None)).to_dict()
    rules = [row["rule"] for row in document["rules"]]
    assert "reading-speed" not in rules
    assert "gap" in rules
    assert document["passes"] is True
