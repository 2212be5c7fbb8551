"""What good captions look like: whole layouts, checked by eye once and kept."""

from dataclasses import replace

import pytest

from subwhisper.subtitles.layout import Profile, lay_out, load_profile
from subwhisper.subtitles.layout.reflow import as_transcript
from subwhisper.subtitles.track import Track
from subwhisper.transcript import Segment, Transcript, Word


def speak(text: str, *, language: str = "en", pace: float = 14.0, pauses: dict[str, float] | None = None) -> Transcript:
    """Say a text at `pace` characters a second; after a word in `pauses` comes so much silence, in seconds."""
    clock, words = 0.5, []
    for word in text.split():
        end = clock + len(word) / pace
        words.append(Word(f" {word}", clock, end))
        clock = end + 0.02 + (pauses or {}).get(word, 0.4 if word[-1] in ".?!" else 0.15 if word[-1] in ",;" else 0.0)
    return Transcript((Segment(0.5, clock, f" {text}", words=tuple(words)),), language)


def shown(track: Track) -> list[str]:
    return [" / ".join(cue.lines) for cue in track.cues]


@pytest.mark.parametrize(
    ("text", "cues"),
    [
        (
            "And so, my fellow Americans, ask not what your country can do for you, "
            "ask what you can do for your country.",
            [
                "And so, my fellow Americans, / ask not what your country can do for you,",
                "ask what you can do for your country.",
            ],
        ),
        (
            "Dr. Smith said that the quick brown fox, which had never before been seen in this part of the country, "
            "jumped over 25 lazy dogs.",
            [
                "Dr. Smith said that the quick brown fox,",
                "which had never before been seen / in this part of the country,",
                "jumped over 25 lazy dogs.",
            ],
        ),
        (
            "We went to the house of the old man who lived at the end of the street because he had promised to tell us "
            "the story of how his ship was lost in a great storm off the coast of Newfoundland.",
            [
                "We went to the house of the old man / who lived at the end of the street",
                "because he had promised / to tell us the story",
                "of how his ship was lost in a great storm / off the coast of Newfoundland.",
            ],
        ),
        (
            "The James Webb Space Telescope will look back in time to when the first galaxies formed "
            "after the Big Bang.",
            [
                "The James Webb Space Telescope / will look back in time",
                "to when the first galaxies formed / after the Big Bang.",
            ],
        ),
    ],
)
def test_english_breaks_where_a_reader_would(text: str, cues: list[str]) -> None:
    assert shown(lay_out(speak(text))) == cues


def test_german_breaks_at_its_clauses() -> None:
    text = (
        "Der alte Mann, der am Ende der Straße wohnte, hatte versprochen, "
        "uns die Geschichte von seinem Schiff zu erzählen."
    )
    assert shown(lay_out(speak(text, language="de"))) == [
        "Der alte Mann, / der am Ende der Straße wohnte,",
        "hatte versprochen, uns die Geschichte / von seinem Schiff zu erzählen.",
    ]


def test_chinese_characters_break_at_punctuation_and_never_before_it() -> None:
    text = (
        "今天天气很好，我们一起去公园散步吧。"
        "昨天晚上我看了一部非常有意思的电影，讲的是一个年轻人在大城市里寻找梦想的故事。"
    )
    words = tuple(Word(letter, index * 0.27, index * 0.27 + 0.27) for index, letter in enumerate(text))
    for spelled in (words, ()):  # one word per character, as the tokenizer gives it; and no words at all
        track = lay_out(Transcript((Segment(0.0, 15.4, text, words=spelled),), "zh"))
        assert shown(track) == [
            "今天天气很好， / 我们一起去公园散步吧。",
            "昨天晚上我看了一部 / 非常有意思的电影，",
            "讲的是一个年轻人在 / 大城市里寻找梦想的故事。",
        ]


def test_japanese_breaks_between_phrases() -> None:
    text = "昨日の夜、私はとても面白い映画を見ました。それは若い男が大都会で夢を探す物語です。"
    words = tuple(Word(letter, index * 0.15, index * 0.15 + 0.15) for index, letter in enumerate(text))
    track = lay_out(Transcript((Segment(0.0, 6.0, text, words=words),), "ja"))
    assert shown(track) == [
        "昨日の夜、私はとても / 面白い映画を見ました。",
        "それは若い男が / 大都会で夢を探す",
        "物語です。",
    ]


def test_thai_breaks_between_words() -> None:
    text = "เมื่อคืนนี้ฉันดูหนังที่น่าสนใจมากเรื่องหนึ่งเกี่ยวกับชายหนุ่มที่ตามหาความฝันในเมืองใหญ่"
    words = tuple(Word(letter, index * 0.07, index * 0.07 + 0.07) for index, letter in enumerate(text))
    track = lay_out(Transcript((Segment(0.0, 9.0, text, words=words),), "th"))
    assert shown(track) == ["เมื่อคืนนี้ฉันดูหนังที่น่าสนใจมากเรื่องหนึ่ง / เกี่ยวกับชายหนุ่มที่ตามหาความฝันในเมืองใหญ่"]


def test_right_to_left_text_keeps_its_logical_order() -> None:
    text = "قال الرجل العجوز الذي يعيش في نهاية الشارع إنه سيحكي لنا قصة سفينته"
    track = lay_out(speak(text, language="ar"))
    assert track.text == text
    assert all(line.split()[-1] not in {"في", "الذي", "إنه"} for cue in track.cues for line in cue.lines)


def converse(*turns: tuple[str, str], language: str = "en", pause: float = 0.1) -> Transcript:
    """Turns of talk, each a speaker and what is said, at 15 characters a second."""
    clock, words = 0.5, []
    for speaker, text in turns:
        for word in text.split():
            end = clock + (len(word) + 1) / 15
            words.append(Word(f" {word}", clock, end, speaker=speaker))
            clock = end
        clock += pause
    return Transcript((Segment(0.5, clock, "", words=tuple(words)),), language)


QUICK = (("A", "Are you coming?"), ("B", "No."), ("A", "Why not? The weather is fine."))


@pytest.mark.parametrize(
    ("language", "profile", "first"),
    [  # as Netflix has it in each language
        ("en", "netflix", ["-Are you coming? / -No.", "Why not? The weather is fine."]),
        ("fr", "netflix", ["- Are you coming? / - No.", "Why not? The weather is fine."]),
        ("nl", "netflix", ["Are you coming? / -No.", "Why not? The weather is fine."]),
        ("en", "bbc", ["Are you coming?", "No.", "Why not? The weather is fine."]),  # there, colours tell them apart
    ],
)
def test_a_quick_exchange_is_a_dialogue_with_a_line_for_each(language: str, profile: str, first: list[str]) -> None:
    track = lay_out(converse(*QUICK, language=language), load_profile(profile))
    assert shown(track) == first
    assert [cue.voices for cue in track.cues][-1] == ("A",)
    said = [cue.lines[word.line][word.first : word.stop] for cue in track.cues for word in cue.words]
    assert said == " ".join(text for _, text in QUICK).split()


def test_speakers_with_time_for_it_have_a_cue_each() -> None:
    track = lay_out(converse(*QUICK, pause=1.0))
    assert shown(track) == ["Are you coming?", "No.", "Why not? The weather is fine."]
    assert [cue.voices for cue in track.cues] == [("A",), ("B",), ("A",)]


def test_no_one_is_cut_off_for_a_dialogue() -> None:
    long = "I thought that we might go and see the house of the old man, and the garden behind it as well,"
    track = lay_out(converse(("A", long), ("B", "No."), ("A", "if you like.")))
    for cue in track.cues:
        assert len(cue.voices) <= 2
        assert len(cue.voices) < 2 or cue.lines[0].endswith(("No.", "like."))


def test_captions_with_voices_are_laid_out_again_as_they_were() -> None:
    """Dashes do not double, with word times or without."""
    track = lay_out(converse(*QUICK))
    without = Track(tuple(replace(cue, words=()) for cue in track.cues), "en")
    assert lay_out(as_transcript(track, "en")) == track
    assert shown(lay_out(as_transcript(without, "en"))) == shown(track)


def test_a_bbc_cue_holds_one_sentence() -> None:
    text = "We went home. It rained all day. Nobody came to see us."
    assert shown(lay_out(speak(text, pace=12))) != text.split(". ")
    track = lay_out(speak(text, pace=12, pauses={"home.": 1.0, "day.": 1.0}), load_profile("bbc"))
    assert shown(track) == ["We went home.", "It rained all day.", "Nobody came to see us."]


def test_a_long_pause_always_ends_a_cue() -> None:
    track = lay_out(speak("wait for it now", pauses={"it": 2.5}))
    assert shown(track) == ["wait for it", "now"]
    assert track.cues[1].start_ms - track.cues[0].end_ms > 1000


def test_a_word_wider_than_a_line_is_kept_whole_on_its_own_line() -> None:
    address = "https://example.org/" + "a" * 40
    track = lay_out(speak(f"see {address} for more"))
    assert address in [line for cue in track.cues for line in cue.lines]


def test_parts_of_a_word_stay_together() -> None:
    """The tokenizer gives `well-known` as two words, the second without a space before it."""
    words = [Word(" a", 0.0, 0.1), Word(" very", 0.1, 0.3), Word(" well", 0.3, 0.5), Word("-known", 0.5, 0.8)]
    track = lay_out(Transcript((Segment(0.0, 1.0, "", words=tuple(words)),), "en"), Profile(max_line_width=12))
    assert [line for cue in track.cues for line in cue.lines] == ["a very", "well-known"]


def test_text_without_word_times_is_shared_out_over_its_segment() -> None:
    said = Segment(10.0, 16.0, " Ask not what your country can do for you, ask what you can do for your country.")
    track = lay_out(Transcript((said,), "en"))
    assert shown(track)[0].startswith("Ask not what your country can do for you,")
    assert track.cues[0].start_ms == 10_000
    assert all(10_000 <= cue.start_ms < 16_000 for cue in track.cues)


def test_segments_without_a_leading_space_do_not_run_together() -> None:
    track = lay_out(Transcript((Segment(0.0, 1.0, "First."), Segment(1.0, 2.0, "Second.")), "en"))
    assert track.text == "First. Second."


def test_no_speech_gives_no_cues() -> None:
    assert lay_out(Transcript((), "en")) == Track((), "en")
    assert lay_out(Transcript((Segment(0.0, 30.0, "  "),), "en")).cues == ()


def test_words_keep_their_times_and_places_in_the_cue() -> None:
    (cue,) = lay_out(speak("yes we can")).cues
    assert [cue.lines[word.line][word.first : word.stop] for word in cue.words] == ["yes", "we", "can"]
    assert [word.start_ms for word in cue.words] == [500, 734, 897]


def test_limits_of_other_tools_are_honoured() -> None:
    track = lay_out(speak("one two three four five six seven"), Profile().limited(max_words_per_line=3))
    assert all(len(cue.lines) == 1 and len(cue.text.split()) <= 3 for cue in track.cues)
