import json
import os
import shutil
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from subwhisper.errors import MediaError
from subwhisper.media.probe import Stream, probe, probe_subtitles

Make = Callable[..., Path]


# Per sample: the kind, codec and language of each stream, and when it starts and how long it lasts, in seconds.
# As ffprobe (of FFmpeg 5.1) tells, except where it says nothing: durations of tracks in Matroska.
SAMPLES = {
    "ai-explained.webm": [("video", "vp8", None, 0, 16.64), ("audio", "vorbis", "deu", 0, 16.65)],
    "audio-offset-2s.mkv": [("video", "h264", None, 0, 3.0), ("audio", "vorbis", None, 2.0, 2.98)],
    "big_buck_bunny_small.mp4": [("video", "h264", None, 0, 5.28), ("audio", "aac", None, 0, 5.31)],
    "grid-s1-bbaf2n.mpg": [("video", "mpeg1video", None, 0, 3.0), ("audio", "mp2", None, 0, 2.95)],
    "h265_video.mp4": [("video", "hevc", None, 0, 1.0)],
    "nasa_13013.mp4": [
        ("video", "h264", "eng", 0, 13.0), ("audio", "aac", "eng", 0, 13.06),
        ("subtitles", "mov_text", "eng", 0, 16.57), ("video", "h264", "eng", 0, 13.01),
        ("audio", "aac", "eng", 0, 13.06), ("subtitles", "mov_text", "eng", 0, 16.57),
    ],
    "nasa_13013_rotated.mp4": [("video", "h264", "eng", 0, 0.57)],
    "rotated-90-webb.mp4": [("video", "h264", "eng", 0, 13.0), ("audio", "aac", "eng", 0, 13.06)],
    "sample_MKV_SRT.mkv": [("video", "mpeg4", "eng", 0, 4.93), ("subtitles", "subrip", None, 1.0, 4.02)],
    "sample_MKV_delayed.mkv": [("audio", "aac", "eng", 0.5, 4.99), ("video", "mpeg4", "eng", 0, 4.97)],
    "sample_MP4_SRT.mp4": [
        ("audio", "aac", "eng", 0, 4.97), ("video", "mpeg4", "eng", 0, 4.97), ("subtitles", "mov_text", None, 0, 5.02),
    ],
    "sample_XSUB.avi": [("video", "mpeg4", None, 0, 10.0), ("subtitles", "xsub", None, 0, 3.0)],
    "test_non_zero_start.mp4": [("video", "h264", None, 8.333, 0.4)],
    "two-audio-tracks-en-de.mkv": [
        ("video", "h264", None, 0.02, 3.0), ("audio", "aac", "eng", 0, 3.0), ("audio", "opus", "deu", 0.02, 5.26),
    ],
    "vfr-webb.mp4": [("video", "h264", "eng", 0, 12.81), ("audio", "aac", "eng", 0, 13.06)],
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_every_video_sample_is_probed_right(samples: Path, name: str) -> None:
    media = probe(samples / "video" / name)
    kinds = {"video": media.video, "audio": media.audio, "subtitles": media.subtitles}
    streams = sorted(((kind, it) for kind, its in kinds.items() for it in its), key=lambda pair: pair[1].index)
    assert [(kind, it.codec, it.language) for kind, it in streams] == [row[:3] for row in SAMPLES[name]]
    assert [it.start for _, it in streams] == pytest.approx([row[3] for row in SAMPLES[name]], abs=0.011)
    assert [it.duration for _, it in streams] == pytest.approx([row[4] for row in SAMPLES[name]], abs=0.025)


def test_no_video_sample_is_left_out(samples: Path) -> None:
    assert {path.name for path in (samples / "video").iterdir()} == {*SAMPLES}


def test_tracks_that_are_pictures_are_told_from_text(samples: Path) -> None:
    assert not probe(samples / "video/sample_XSUB.avi").subtitles[0].is_text
    assert probe(samples / "video/sample_MKV_SRT.mkv").subtitles[0].is_text


def test_channels_and_flags_are_told(samples: Path) -> None:
    sound = probe(samples / "video/big_buck_bunny_small.mp4").audio[0]
    assert (sound.channels, sound.layout, sound.sample_rate, sound.flags) == (6, "5.1", 48_000, ("default",))


def test_ten_bits_and_hdr_are_told(make: Make) -> None:
    colours = ["-vf", "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc"]
    coded = ["-c:v", "libx265", "-x265-params", "log-level=none", "-pix_fmt", "yuv420p10le", *colours]
    picture = probe(make("-f", "lavfi", "-i", "testsrc=s=64x64:d=0.2", *coded, name="hdr.mkv")).video[0]
    assert (picture.bit_depth, picture.hdr) == (10, "pq")


def test_chapters_titles_and_attachments_are_told(make: Make, tmp_path: Path) -> None:
    notes = tmp_path / "notes.ffmeta"
    notes.write_text(";FFMETADATA1\ntitle=A film\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=First\n")
    extras = ["-map", 0, "-map_metadata", 1, "-metadata:s:0", "title=Tone", "-attach", notes]
    kind = ["-metadata:s:t", "mimetype=text/plain"]
    media = probe(make("-f", "lavfi", "-i", "sine=d=1", "-i", notes, *extras, *kind, name="film.mkv"))
    assert media.title == "A film"
    assert [(chapter.start, chapter.end, chapter.title) for chapter in media.chapters] == [(0, 0.5, "First")]
    assert [(other.kind, other.title) for other in media.others] == [("attachment", "notes.ffmeta")]
    assert media.audio[0].title == "Tone"


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


def test_pixels_that_are_no_squares_and_interlacing_are_told(make: Make) -> None:
    source = ["-f", "lavfi", "-i", "testsrc=s=144x128:r=50:d=0.2", "-vf", "interlace,setdar=16/9"]
    stream = probe(make(*source, "-c:v", "mpeg2video", "-flags", "+ildct+ilme", name="dvd.mpg")).video[0]
    assert (stream.width, stream.height, stream.display_size) == (144, 128, (228, 128))
    assert stream.interlaced


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


@pytest.mark.parametrize("name", SAMPLES)
def test_a_glance_at_the_tracks_sees_what_a_long_look_does(samples: Path, name: str) -> None:
    def seen(stream: Stream) -> tuple[object, ...]:
        return stream.index, stream.codec, stream.language, stream.flags

    path = samples / "video" / name
    assert [seen(one) for one in probe_subtitles(path)] == [seen(one) for one in probe(path).subtitles]


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


def recordings(samples: Path) -> list[dict[str, Any]]:
    """What was noted by hand of each sample that is media, and not headerless."""
    clips = json.loads((samples / "manifest.json").read_text(encoding="utf-8"))["clips"]
    return [one for one in clips if one["kind"] not in {"broken", "subtitle"} and not one["path"].endswith(".raw")]


def test_every_sample_is_what_was_noted_by_hand(samples: Path) -> None:
    for noted in recordings(samples):
        media = probe(samples / noted["path"])
        if "sample_rate" in noted:
            found = [(it.codec, it.sample_rate, it.channels) for it in media.audio]
            assert (noted["codec"], noted["sample_rate"], noted["channels"]) in found, noted["path"]
        if "streams" in noted:
            tracks = [*(("video", it) for it in media.video), *(("audio", it) for it in media.audio)]
            tracks += [("subtitle", it) for it in media.subtitles]
            kinds = [f"{kind}:{it.codec}" for kind, it in sorted(tracks, key=lambda pair: pair[1].index)]
            assert kinds == noted["streams"], noted["path"]
        if noted["kind"] != "video":  # of a video the note is of its sound
            assert media.duration == pytest.approx(noted["duration"], abs=0.05), noted["path"]


def test_ffprobe_says_the_same(samples: Path) -> None:
    ffprobe = shutil.which("ffprobe")
    if ffprobe is None:
        pytest.skip("this machine has no ffprobe")
    for noted in recordings(samples):
        path = samples / noted["path"]
        command = [ffprobe, "-v", "error", "-of", "json", "-show_streams", "-show_format", path]
        told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        media = probe(path)
        assert media.format == told["format"]["format_name"]
        if not media.subtitles and not media.start:  # its versions differ on what else is part of the duration
            assert media.duration == pytest.approx(float(told["format"]["duration"]), abs=0.06), path.name
        streams = {one["index"]: one for one in told["streams"]}
        assert {it.index for it in (*media.video, *media.audio, *media.subtitles, *media.others)} == {*streams}
        for it in (*media.video, *media.audio, *media.subtitles):
            other = streams[it.index]
            assert it.codec == other["codec_name"]
            assert it.language in {other.get("tags", {}).get("language"), None}
            assert ("default" in it.flags, "forced" in it.flags) == tuple(
                bool(other["disposition"][name]) for name in ("default", "forced")
            )
        for sound in media.audio:
            other = streams[sound.index]
            assert (sound.channels, sound.sample_rate) == (other["channels"], int(other["sample_rate"])), path.name
            assert sound.layout == other.get("channel_layout"), path.name
        for picture in media.video:
            other = streams[picture.index]
            assert (picture.width, picture.height) == (other["width"], other["height"]), path.name
            assert picture.frame_rate == pytest.approx(float(Fraction(other["avg_frame_rate"])), rel=0.01), path.name
            turns = [side["rotation"] for side in other.get("side_data_list", ()) if "rotation" in side]
            assert picture.rotation == -sum(turns) % 360, path.name
