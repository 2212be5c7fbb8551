"""A translation in the cues of the original."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subwhisper.subtitles.layout import lay_out
from subwhisper.subtitles.layout.beside import lay_out_beside
from subwhisper.subtitles.track import Cue, Track
from subwhisper.transcript import Segment, Transcript

CUES = ((0, 2000), (2000, 4500), (5000, 8000))
ORIGINAL = Track(cues=tuple(Cue(start, end, ("Wort",)) for start, end in CUES), language="de")


def english(*segments: tuple[float, float, str]) -> Transcript:
    return Transcript(tuple(Segment(start, end, f" {text}") for start, end, text in segments), language="en")


def shared(*segments: tuple[float, float, str]) -> list[tuple[int, str]]:
    track = lay_out_beside(ORIGINAL, english(*segments))
    assert track.language == "en"
    assert {(cue.start_ms, cue.end_ms) for cue in track.cues} <= {*CUES}
    return [(cue.start_ms, " ".join(cue.lines)) for cue in track.cues]


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        pytest.param(
            [(0.0, 2.0, "Good morning."), (2.1, 4.4, "How are you?"), (5.0, 8.0, "I am well.")],
            [(0, "Good morning."), (2000, "How are you?"), (5000, "I am well.")],
            id="segment by segment",
        ),
        pytest.param(
            [(0.0, 4.5, "Good morning, how are you today?"), (5.2, 7.9, "I am well.")],
            [(0, "Good morning,"), (2000, "how are you today?"), (5000, "I am well.")],
            id="one segment over two cues parts at the comma",
        ),
        pytest.param(
            [(0.2, 2.4, "Good morning."), (2.6, 4.4, "How are you?"), (4.8, 8.3, "I am well.")],
            [(0, "Good morning."), (2000, "How are you?"), (5000, "I am well.")],
            id="times a little off move no words",
        ),
        pytest.param([(5.0, 8.0, "Yes.")], [(5000, "Yes.")], id="a cue without words has no counterpart"),
        pytest.param([], [], id="nothing to share out"),
    ],
)
def test_words_stand_in_the_cue_of_their_time(
    segments: list[tuple[float, float, str]], expected: list[tuple[int, str]]
) -> None:
    assert shared(*segments) == expected


def test_a_long_translation_keeps_to_the_lines_where_it_can() -> None:
    """All of it is said during the first cue, but it fits only into two."""
    words = "the quick brown fox jumps over the lazy dog and runs away into the dark green forest behind the old mill"
    track = lay_out_beside(ORIGINAL, english((0.0, 2.0, words)))
    assert len(track.cues) > 1
    assert all(len(cue.lines) <= 2 and len(line) <= 42 for cue in track.cues for line in cue.lines)


texts = st.lists(st.sampled_from(["so", "it", "goes,", "and", "ends.", "incomprehensibly", "—", "42"]), min_size=1)
spans = st.lists(st.tuples(st.floats(0, 40), st.floats(0.1, 6)), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(spans, st.lists(texts, min_size=8, max_size=8), st.lists(texts, min_size=8, max_size=8))
def test_every_word_is_there_and_in_order(
    when: list[tuple[float, float]], said: list[list[str]], meant: list[list[str]]
) -> None:
    times = [(start, start + length) for start, length in sorted(when)]
    german = Transcript(
        tuple(Segment(*time, " " + " ".join(text)) for time, text in zip(times, said, strict=False)), language="de"
    )
    translation = english(*((*time, " ".join(text)) for time, text in zip(times, meant, strict=False)))
    track = lay_out(german)
    beside = lay_out_beside(track, translation)
    assert " ".join(" ".join(cue.lines) for cue in beside.cues).split() == translation.text.split()
    assert {(cue.start_ms, cue.end_ms) for cue in beside.cues} <= {(cue.start_ms, cue.end_ms) for cue in track.cues}
