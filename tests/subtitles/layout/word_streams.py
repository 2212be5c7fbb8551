"""Streams of words as recognisers give them at their worst, and what must hold of any layout of them."""

import re
from collections.abc import Callable
from random import Random
from typing import Any

from hypothesis import strategies as st
from wcwidth import wcswidth

from subwhisper.subtitles.layout import Picture, Profile, load_profile
from subwhisper.subtitles.layout.frames import NO_PICTURE
from subwhisper.subtitles.layout.standards import profile_names
from subwhisper.subtitles.track import Cue, Track, to_ms
from subwhisper.transcript import Segment, Transcript, Word

_WORDS = (
    "a the of in to I you is was not and but house country telescope yes No. well, what? Dr. 25 km “oh” it's "
    "Straße l'été über niño … ♪ - — 1,000 \U0001f469\u200d\U0001f467 honorificabilitudinitatibus "
    "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz "
    "https://example.org/a/very/long/address/that/no/line/of/forty-two/columns/can/hold"
)
LATIN = [f" {word}" for word in _WORDS.split()]
GLUED = ["-known", "'t", ".", ",", "’s", "\u0301", "\u200d", "\ufe0f", "%", " ", "", "  two  words ", "\x07"]
SPACELESS = [*"今天天气很好。，「」私はーっヽภาษาไทยเแ๋", "テスト", "東京都", "ကမ္ဘာ", "漢字" * 30, "e\u0301", "！"]
SPACED = [" 안녕하세요", " 세계", " مرحبا", " بالعالم،", " שלום", " Привет,", " мир!", " नमस्ते", " दुनिया।"]
SCRIPTS = [LATIN, LATIN + GLUED, SPACELESS, SPACED, LATIN + GLUED + SPACELESS + SPACED]
STEPS = [0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.5, 4.0, 20.0]
JITTERS = [0.0, 0.0, 0.0, 0.0, -0.05, 0.03, -0.4, -3.0, 9.0]
TURNS = [None, None, 1, 2, 6, 20]  # words after which another speaks; nobody knows
LANGUAGES = ["en", "de", "zh", "ja", "th", "ar", "ko", "und"]


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    """A few words of any script; small, so that a failure is easy to read."""
    texts = draw(st.lists(st.lists(st.sampled_from(draw(st.sampled_from(SCRIPTS))), max_size=25), max_size=3))
    return _transcript(texts, lambda options: draw(st.sampled_from(options)))


def random_transcript(dice: Random) -> Transcript:
    """Up to some 200 words, in a steady or a wild rhythm."""
    script = dice.choice(SCRIPTS)
    texts = [[dice.choice(script) for _ in range(dice.randrange(70))] for _ in range(dice.randrange(4))]
    steady = dice.random() < 0.5
    if not steady:
        return _transcript(texts, dice.choice)
    calm = {id(STEPS): STEPS[3:7], id(JITTERS): JITTERS[:3]}
    return _transcript(texts, lambda options: dice.choice(calm.get(id(options), options)))


def _transcript(segments: list[list[str]], pick: Callable[[list[Any]], Any]) -> Transcript:
    """Give words times that may stand still, overlap, run backwards or be missing."""
    clock, said = pick([0.0, 0.3, 3599.9]), []
    for texts in segments:
        begin, words, turn = clock, [], pick(TURNS)
        for index, text in enumerate(texts):
            start, length = clock + pick(JITTERS), pick(STEPS)
            speaker = "AB"[index // turn % 2] if turn else None
            words.append(Word(text, start, start + length + pick(JITTERS), speaker=speaker))
            clock += length
        aligned = pick([True, True, True, False])
        said.append(Segment(begin, clock, "".join(texts), words=tuple(words) if aligned else ()))
    return Transcript(tuple(said), pick(LANGUAGES))


PICTURES = st.builds(
    Picture,
    frame_rate=st.sampled_from([None, 24000 / 1001, 25.0, 30000 / 1001, 60.0]),
    shots=st.sampled_from([(), (0.5, 1.0, 1.2, 3.0, 4.5, 7.7), (3600.1, 3601.0, 3602.5)]),
)
PROFILES = st.sampled_from([load_profile(name) for name in profile_names()]) | st.builds(
    Profile,
    max_line_width=st.sampled_from([42, 42, 42, 24, 16, 5, 1]),
    max_lines=st.sampled_from([2, 2, 1, 3]),
    max_words_per_line=st.sampled_from([None, None, 1, 3]),
    min_gap=st.sampled_from([2 / 24, 0.0, 0.5]),
    linger=st.sampled_from([0.5, 0.0]),
)


def random_profile(dice: Random) -> Profile:
    return Profile(
        max_line_width=dice.choice([42, 42, 42, 24, 16, 5, 1]),
        max_lines=dice.choice([2, 2, 1, 3]),
        max_words_per_line=dice.choice([None, None, 1, 3]),
        min_gap=dice.choice([2 / 24, 0.0, 0.5]),
        linger=dice.choice([0.5, 0.0]),
    )


def random_picture(dice: Random) -> Picture:
    shots = sorted(dice.uniform(0, 60) for _ in range(dice.randrange(20)))
    return Picture(dice.choice([None, 24000 / 1001, 25.0, 60.0]), tuple(shots))


def letters(text: str) -> str:
    """What must never be lost or moved: everything but white space and control characters."""
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f]", "", text)


def spoken(transcript: Transcript) -> list[tuple[str, float]]:
    """Every visible character, with the start of the word it belongs to."""
    marks = []
    for segment in transcript.segments:
        for word in segment.words or (Word(segment.text, segment.start, segment.end),):
            marks += [(letter, word.start) for letter in letters(word.text)]
    return marks


def without_dashes(cue: Cue, profile: Profile) -> list[str]:
    """The lines of a cue as they are said."""
    if len(cue.voices) < 2:
        return list(cue.lines)
    assert len(cue.lines) == 2, "each speaker has a line"
    assert all(line.startswith(profile.dash(number)) for number, line in enumerate(cue.lines))
    return [line.removeprefix(profile.dash(number)) for number, line in enumerate(cue.lines)]


def check(track: Track, transcript: Transcript, profile: Profile, picture: Picture = NO_PICTURE) -> None:
    """Assert every promise that `lay_out` makes."""
    profile = profile.in_language(transcript.language)
    frame = round(1000 / picture.frame_rate) + 1 if picture.frame_rate else 0  # ms
    marks = spoken(transcript)
    shown = [without_dashes(cue, profile) for cue in track.cues]
    assert letters("".join(line for lines in shown for line in lines)) == "".join(mark[0] for mark in marks)
    said = 0
    for cue, bare in zip(track.cues, shown, strict=True):
        assert len(cue.voices) <= 2
        assert 0 < cue.duration_ms <= to_ms(profile.max_duration) + frame // 2
        earliest = to_ms(marks[said][1] - profile.shot_lead)
        assert cue.start_ms >= earliest, "a cue comes before its first word"
        assert len(cue.lines) <= profile.max_lines
        for index, line in enumerate(cue.lines):
            words = [word for word in cue.words if word.line == index]
            assert len(words) <= (profile.max_words_per_line or len(words))
            assert wcswidth(line) <= profile.max_line_width or len(words) == 1, "too wide, and not one long word"
            assert line == line.strip()
            assert all(line[word.first : word.stop].strip() for word in words)
        said += len(letters("".join(bare)))
    for before, after in zip(track.cues, track.cues[1:], strict=False):
        room = after.start_ms - before.start_ms
        gap = to_ms(profile.gap_seconds(picture.frame_rate))
        assert before.end_ms <= after.start_ms - max(min(gap - bool(frame), room // 2 - frame), 0)
