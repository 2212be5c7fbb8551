import os
from collections.abc import Callable
from pathlib import Path

import pytest

from subwhisper.errors import MediaError
from subwhisper.media.probe import probe

Make = Callable[..., Path]


def test_streams_are_described(samples: Path) -> None:
    media = probe(samples / "video/two-audio-tracks-en-de.mkv")
    assert [(stream.codec, stream.language) for stream in media.audio] == [("aac", "eng"), ("opus", "deu")]
    assert media.video[0].display_size == (360, 288)
    assert media.video[0].frame_rate == 25
    assert media.duration == pytest.approx(5.28)


def test_codecs_have_their_general_names(samples: Path) -> None:
    media = probe(samples / "media/sonnet-line-p001.mp3")
    assert media.audio[0].codec == "mp3"  # the decoder is called mp3float
    assert media.audio[0].start == pytest.approx(0.025, abs=0.001)


def test_rotation_turns_the_size_a_viewer_sees(samples: Path) -> None:
    stream = probe(samples / "video/nasa_13013_rotated.mp4").video[0]
    assert stream.rotation == 270  # ffmpeg: "displaymatrix: rotation of 90 degrees", counter-clockwise
    assert (stream.width, stream.height) == (480, 270)
    assert stream.display_size == (270, 480)


def test_a_late_start_is_told(samples: Path) -> None:
    media = probe(samples / "video/audio-offset-2s.mkv")
    assert media.start == 0
    assert media.audio[0].start == pytest.approx(2.0, abs=0.01)
    assert probe(samples / "video/test_non_zero_start.mp4").start == pytest.approx(8.333, abs=0.001)


def test_cover_art_is_not_a_moving_picture(make: Make) -> None:
    art = make("-f", "lavfi", "-i", "color=s=64x64", "-frames:v", 1, name="art.png")
    inputs = ["-f", "lavfi", "-i", "sine=d=1", "-i", art]
    song = make(*inputs, "-map", 0, "-map", 1, "-c:v", "copy", "-disposition:v", "attached_pic", name="song.mp3")
    media = probe(song)
    assert media.video[0].attached
    assert media.moving == ()


def test_soft_subtitles_are_listed(samples: Path) -> None:
    streams = probe(samples / "video/nasa_13013.mp4").subtitles
    assert [(stream.codec, stream.language) for stream in streams] == [("mov_text", "eng")] * 2


@pytest.mark.parametrize("name", ["aeneas-mono.invalid.wav", "pocketsphinx-bad.wav", "truncated-half.mp4"])
def test_a_broken_file_is_named(samples: Path, name: str) -> None:
    with pytest.raises(MediaError, match=f"{name} is not audio or video"):
        probe(samples / "broken" / name)


def test_what_is_no_media_file_is_told_apart(tmp_path: Path) -> None:
    empty, text, pipe = tmp_path / "empty.mp4", tmp_path / "notes.txt", tmp_path / "pipe"
    empty.touch()
    text.write_text("These are notes.\n" * 50)
    os.mkfifo(pipe)
    expected = {
        tmp_path / "nothing.mp3": "does not exist",
        tmp_path: "is a directory",
        empty: "is empty",
        text: "is not audio or video",
        pipe: "not a regular file",
    }
    for path, words in expected.items():
        with pytest.raises(MediaError, match=words):
            probe(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_says_so(clip: Path) -> None:
    clip.chmod(0)
    with pytest.raises(MediaError, match="could not be read: Permission denied"):
        probe(clip)
