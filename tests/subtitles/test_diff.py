"""What two tracks share, and what they do not."""

from subwhisper.subtitles.diff import compare, word_changes
from subwhisper.subtitles.edit import Retiming, retime
from subwhisper.subtitles.track import Cue, Track

TRACK = Track(tuple(Cue(4000 * n, 4000 * n + 3000, (f"cue number {n}",)) for n in range(6)))


def test_a_track_is_the_same_as_itself() -> None:
    assert compare(TRACK, TRACK).differences == ()
    assert compare(TRACK, TRACK).to_dict()["same"] is True


def test_words_are_paired_however_far_they_moved() -> None:
    found = compare(TRACK, retime(TRACK, Retiming(offset_ms=60_000)))
    assert found.start_differences_ms == [60_000] * 6
    assert all(pair.same_text for pair in found.pairs)


def test_times_within_the_tolerance_are_the_same() -> None:
    later = retime(TRACK, Retiming(offset_ms=40))
    assert len(compare(TRACK, later, tolerance_ms=39).differences) == 6
    assert compare(TRACK, later, tolerance_ms=40).differences == ()


def test_changed_added_and_missing_cues_are_told_apart() -> None:
    cues = list(TRACK.cues)
    changed = Cue(cues[1].start_ms + 100, cues[1].end_ms, ("cue number one",))
    added = Cue(3200, 3900, ("psst",))
    found = compare(TRACK, Track((cues[0], added, changed, *cues[2:5])))
    assert [(pair.first_number, pair.second_number, pair.same_text) for pair in found.differences] == [
        (None, 2, False),
        (2, 3, False),
        (6, None, False),
    ]
    counts = found.to_dict()["cues"]
    assert counts == {"paired": 5, "other_times": 1, "other_text": 1, "only_in_first": 1, "only_in_second": 1}


def test_other_line_breaks_are_another_text() -> None:
    assert len(compare(Track((Cue(0, 1, ("a b",)),)), Track((Cue(0, 1, ("a", "b")),))).differences) == 1


def test_changes_of_words_are_shown_in_their_place() -> None:
    assert word_changes("the quick fox", "the slow red fox jumps") == "the [-quick-] {+slow red+} fox {+jumps+}"


def test_empty_tracks_compare() -> None:
    assert compare(Track(()), Track(())).pairs == ()
    assert len(compare(Track(()), TRACK).differences) == 6
