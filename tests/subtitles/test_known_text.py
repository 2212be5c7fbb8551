"""Texts cut into words, and cues put where their words are spoken."""

from subwhisper.subtitles.known_text import retimed_to_words, words_of_cues, words_of_text
from subwhisper.subtitles.markup import CueSpan, Style
from subwhisper.subtitles.track import Cue, Track
from subwhisper.transcript import Word


def test_words_know_where_they_stand() -> None:
    words = words_of_text("One two,\n\n  three – 4")
    assert [(word.text, word.group, word.spoken) for word in words] == [
        (" One", 0, True),
        (" two,", 0, True),
        (" three", 2, True),
        (" –", 2, False),
        (" 4", 2, True),
    ]


def test_scripts_without_spaces_are_cut_finer() -> None:
    assert [word.text for word in words_of_text("你好 world")] == [" 你", "好", " world"]


def test_sounds_in_brackets_are_not_spoken_even_over_two_lines() -> None:
    track = Track((Cue(0, 1, ("[a door", "creaks] Who's there?")), Cue(2, 3, ("♪ la la ♪",))))
    assert [word.text for word in words_of_cues(track) if word.spoken] == [" Who's", " there?", " la", " la"]


def test_cues_come_to_their_words_and_nothing_else_about_them_changes() -> None:
    old = Track(
        (
            Cue(10_000, 12_000, ("Hello there.",), spans=(CueSpan(0, 0, 5, Style(italic=True)),)),
            Cue(12_100, 13_000, ("[silence]",)),
            Cue(14_000, 15_000, ("General", "Kenobi.")),
        )
    )
    words = words_of_cues(old)
    times = {" Hello": (1.0, 1.5), " there.": (1.5, 2.0), " General": (5.0, 5.6), " Kenobi.": (5.7, 6.9)}
    timed = [Word(w.text, *times[w.text]) if w.text in times else None for w in words]
    new = retimed_to_words(old, words, timed)
    assert [(cue.start_ms, cue.end_ms) for cue in new.cues] == [(1000, 3000), (3100, 4000), (5000, 6900)]
    assert [(cue.lines, cue.spans) for cue in new.cues] == [(cue.lines, cue.spans) for cue in old.cues]
    assert [new.cues[2].lines[word.line][word.first : word.stop] for word in new.cues[2].words] == [
        "General",
        "Kenobi.",
    ]


def test_a_cue_does_not_linger_into_the_next() -> None:
    old = Track((Cue(0, 5000, ("one",)), Cue(5000, 6000, ("two",))))
    new = retimed_to_words(old, words_of_cues(old), [Word(" one", 1.0, 1.4), Word(" two", 2.0, 2.2)])
    assert [(cue.start_ms, cue.end_ms) for cue in new.cues] == [(1000, 2000), (2000, 3000)]
    assert not new.overlapping
