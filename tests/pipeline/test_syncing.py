"""Old subtitles brought onto a real recording."""

import json
from pathlib import Path

import pytest

from subwhisper.errors import InputError
from subwhisper.pipeline.edit import Destination
from subwhisper.pipeline.sync import SyncOptions, sync_file
from subwhisper.subtitles.edit import Retiming, retime
from subwhisper.subtitles.formats import read_track, write_track
from subwhisper.subtitles.track import Cue, Track, to_ms

SONNET = "speech/shakespeare-sonnet-1.mp3"


@pytest.fixture
def sonnet(samples: Path) -> Track:
    """The lines of a poem with times from its reader's own subtitle file."""
    clips = json.loads((samples / "manifest.json").read_text(encoding="utf-8"))["clips"]
    (clip,) = (clip for clip in clips if clip["path"] == SONNET)
    rows = clip["segments"]
    return Track(tuple(Cue(to_ms(row["start"]), to_ms(row["end"]), (row["text"],)) for row in rows))


def texts(track: Track) -> list[tuple[str, ...]]:
    return [cue.lines for cue in track.cues]


@pytest.mark.parametrize(
    "wrong",
    [Retiming(), Retiming(offset_ms=60_000), Retiming.between_rates(25, 23.976), Retiming(24 / 25, 12_340)],
    ids=["right", "a minute late", "for film instead of PAL", "too fast and late"],
)
def test_subtitles_come_to_lie_where_they_are_spoken(
    samples: Path, sonnet: Track, tmp_path: Path, wrong: Retiming
) -> None:
    write_track(retime(sonnet, wrong), tmp_path / "old.srt")
    synced = sync_file(tmp_path / "old.srt", samples / SONNET, Destination(), SyncOptions(min_confidence=0.9))
    moved = read_track(synced.output)
    assert synced.output == tmp_path / "old.synced.srt"
    assert texts(moved) == texts(sonnet)
    # The first line is at 0 and has nowhere to go.
    errors = [cue.start_ms - true.start_ms for cue, true in zip(moved.cues[1:], sonnet.cues[1:], strict=True)]
    assert max(map(abs, errors)) <= 50


def test_subtitles_of_something_else_are_refused_and_nothing_is_written(
    samples: Path, sonnet: Track, tmp_path: Path
) -> None:
    other = Track(tuple(Cue(1000 * n**2, 1000 * n**2 + 700, ("no",)) for n in range(1, 8)))
    write_track(other, tmp_path / "other.srt")
    with pytest.raises(InputError, match="does not seem to belong"):
        sync_file(tmp_path / "other.srt", samples / SONNET, Destination())
    assert [path.name for path in tmp_path.iterdir()] == ["other.srt"]
