"""Old subtitles brought onto a real recording."""

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from subwhisper.audio import SAMPLE_RATE
from subwhisper.errors import InputError
from subwhisper.media.decode import open_audio
from subwhisper.pipeline.edit import Destination
from subwhisper.pipeline.inputs import Source
from subwhisper.pipeline.sync import sync_file
from subwhisper.subtitles.edit import Retiming, retime
from subwhisper.subtitles.formats import read_track, write_track
from subwhisper.subtitles.track import Cue, Track, to_ms

SONNET = "speech/shakespeare-sonnet-1.mp3"
MUSIC = "nonspeech/music-sir_duke_slow.ogg"


@pytest.fixture
def sonnet(samples: Path) -> Track:
    """The lines of a poem with times from its reader's own subtitle file."""
    clips = json.loads((samples / "manifest.json").read_text(encoding="utf-8"))["clips"]
    (clip,) = (clip for clip in clips if clip["path"] == SONNET)
    rows = clip["segments"]
    return Track(tuple(Cue(to_ms(row["start"]), to_ms(row["end"]), (row["text"],)) for row in rows))


def texts(track: Track) -> list[tuple[str, ...]]:
    return [cue.lines for cue in track.cues]


def worst_error_ms(found: Track, true: Track) -> int:
    """Of all starts but the first line's, which is at 0 and has nowhere to go."""
    pairs = zip(found.cues[1:], true.cues[1:], strict=True)
    return max(abs(cue.start_ms - right.start_ms) for cue, right in pairs)


@pytest.mark.parametrize(
    "wrong",
    [Retiming(), Retiming(offset_ms=60_000), Retiming.between_rates(25, 23.976), Retiming(24 / 25, 12_340)],
    ids=["right", "a minute late", "for film instead of PAL", "too fast and late"],
)
def test_subtitles_come_to_lie_where_they_are_spoken(
    samples: Path, sonnet: Track, tmp_path: Path, wrong: Retiming
) -> None:
    write_track(retime(sonnet, wrong), tmp_path / "old.srt")
    synced = sync_file(tmp_path / "old.srt", Source(samples / SONNET), Destination())
    moved = read_track(synced.output)
    assert synced.output == tmp_path / "old.synced.srt"
    assert texts(moved) == texts(sonnet)
    assert worst_error_ms(moved, sonnet) <= 50


def test_music_behind_the_speech_does_not_matter(samples: Path, sonnet: Track, tmp_path: Path) -> None:
    speech, music = (np.concatenate([*open_audio(samples / name).blocks()]) for name in (SONNET, MUSIC))
    music = np.resize(music, len(speech))
    mixed = speech + music * np.std(speech) / np.std(music) / 2
    with wave.open(str(tmp_path / "mixed.wav"), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes((mixed / np.abs(mixed).max() * 30_000).astype("<i2").tobytes())
    write_track(retime(sonnet, Retiming(offset_ms=20_000)), tmp_path / "old.srt")
    synced = sync_file(tmp_path / "old.srt", Source(tmp_path / "mixed.wav"), Destination())
    assert worst_error_ms(read_track(synced.output), sonnet) <= 50


def test_subtitles_of_something_else_are_refused_and_nothing_is_written(
    samples: Path, sonnet: Track, tmp_path: Path
) -> None:
    other = Track(tuple(Cue(1000 * n**2, 1000 * n**2 + 700, ("no",)) for n in range(1, 8)))
    write_track(other, tmp_path / "other.srt")
    with pytest.raises(InputError, match="does not seem to belong"):
        sync_file(tmp_path / "other.srt", Source(samples / SONNET), Destination())
    assert [path.name for path in tmp_path.iterdir()] == ["other.srt"]
