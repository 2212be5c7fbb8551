"""The promises of `lay_out`, on words of every kind and with times of every quality."""

import time
import tracemalloc
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from word_streams import PICTURES, PROFILES, check, random_picture, random_profile, random_transcript, transcripts

from subwhisper.subtitles.layout import Picture, Profile, lay_out
from subwhisper.subtitles.layout.segment import CueCosts
from subwhisper.transcript import Segment, Transcript, Word


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(transcripts(), PROFILES, PICTURES)
def test_every_promise_holds_on_random_words(transcript: Transcript, profile: Profile, picture: Picture) -> None:
    track = lay_out(transcript, profile, picture)
    check(track, transcript, profile, picture)
    assert lay_out(transcript, profile, picture) == track  # the same words give the same captions


@pytest.mark.parametrize(
    "seeds", [range(300), pytest.param(range(300, 10_000), marks=pytest.mark.exhaustive, id="ten thousand")]
)
def test_every_promise_holds_on_long_streams(seeds: range) -> None:
    for seed in seeds:
        dice = Random(seed)
        transcript, profile, picture = random_transcript(dice), random_profile(dice), random_picture(dice)
        check(lay_out(transcript, profile, picture), transcript, profile, picture)


def lecture(n_words: int) -> Transcript:
    """Steady speech, about 9000 words an hour, a sentence every 14 words."""
    words = []
    for index in range(n_words):
        text = f" word{index % 97}" + ("." if index % 14 == 13 else "," if index % 5 == 4 else "")
        words.append(Word(text, index * 0.4, index * 0.4 + 0.33))
    return Transcript((Segment(0.0, n_words * 0.4, "", words=tuple(words)),), "en")


def test_an_hour_is_laid_out_quickly() -> None:
    hour = lecture(9000)
    began = time.process_time()
    lay_out(hour)
    assert time.process_time() - began < 5  # below 1 s on a slow core; loose, for busy machines


def test_few_cues_are_costed_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time goes into those: most ways to begin a cue are too dear before its time and lines are looked at."""
    costed = []
    of = CueCosts.of
    monkeypatch.setattr(CueCosts, "of", lambda costs, *cue: costed.append(cue) or of(costs, *cue))
    lay_out(lecture(1000))
    assert len(costed) < 2000  # of some 15,000 that are no longer than a cue may be


def test_memory_grows_no_faster_than_the_words() -> None:
    def peak(n_words: int) -> int:
        transcript = lecture(n_words)
        tracemalloc.start()
        lay_out(transcript)
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    lay_out(lecture(200))  # fill the caches, which are bounded
    assert peak(4000) < 5 * peak(1000)


def test_all_words_at_one_moment_are_spread_over_the_silence_that_follows() -> None:
    """Alignment that fails gives every word of a window the same time."""
    words = tuple(Word(f" word{index}", 10.0, 10.0) for index in range(100))
    track = lay_out(Transcript((Segment(10.0, 30.0, "", words=words),), "en"))
    assert all(cue.duration_ms > 200 for cue in track.cues)
    assert track.cues[0].start_ms == 10_000
