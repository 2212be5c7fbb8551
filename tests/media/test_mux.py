import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from subwhisper.errors import OutputError
from subwhisper.media import movtext
from subwhisper.media.extract import extract_subtitles, text_track
from subwhisper.media.mux import SoftTrack, mux
from subwhisper.media.probe import MediaInfo, probe

Make = Callable[..., Path]

SRT = """1
00:00:00,123 --> 00:00:01,457
a < b and c > d & {braces} \\N back\\slash

2
00:00:01,500 --> 00:00:01,999
- второй ♪
- תודה 日本 😀
"""


@pytest.fixture
def srt(tmp_path: Path) -> Path:
    path = tmp_path / "words.srt"
    path.write_text(SRT, encoding="utf-8")
    return path


def text_of(media: MediaInfo, number: int, folder: Path) -> str:
    path = folder / "read.srt"
    extract_subtitles(media, text_track(media, number), path)
    return path.read_text(encoding="utf-8").strip()


def fingerprint(ffmpeg: Path, path: Path) -> bytes:
    """Of the coded picture and sound."""
    command = [str(ffmpeg), "-v", "error", "-i", str(path), "-map", "0:v", "-map", "0:a", "-c", "copy", "-f"]
    return subprocess.run([*command, "streamhash", "-"], check=True, capture_output=True).stdout


def test_a_track_has_the_language_title_and_flags_it_was_given(clip: Path, srt: Path, tmp_path: Path) -> None:
    tracks = [
        SoftTrack(source=srt, language="de", title="Für 'alle': [x]"),
        SoftTrack(source=srt, language="English", flags=("default", "forced")),
        SoftTrack(source=srt, language="xx-unknown", flags=("hearing_impaired",)),
    ]
    mux(probe(clip), tracks, tmp_path / "out.mkv")
    media = probe(tmp_path / "out.mkv")
    found = [(it.codec, it.language, it.title, {*it.flags}) for it in media.subtitles]
    assert found == [
        ("subrip", "deu", "Für 'alle': [x]", set()),
        ("subrip", "eng", None, {"default", "forced"}),
        ("subrip", None, None, {"hearing_impaired"}),
    ]
    assert text_of(media, 2, tmp_path) == SRT.strip()


def test_everything_else_is_the_same_to_the_bit(samples: Path, srt: Path, tmp_path: Path, ffmpeg: Path) -> None:
    video = samples / "video/nasa_13013.mp4"
    before = probe(video)
    mux(before, [SoftTrack.kept(before.subtitles[1])], tmp_path / "out.mp4")
    assert fingerprint(ffmpeg, tmp_path / "out.mp4") == fingerprint(ffmpeg, video)
    after = probe(tmp_path / "out.mp4")
    assert (len(after.video), len(after.audio), len(after.subtitles)) == (2, 2, 1)


def test_chapters_titles_and_fonts_stay(make: Make, clip: Path, srt: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes.ffmeta"
    notes.write_text(";FFMETADATA1\ntitle=A film\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=First\n")
    kept = ["-map", 0, "-map_metadata", 1, "-c", "copy", "-attach", notes, "-metadata:s:t", "mimetype=text/plain"]
    film = make("-i", clip, "-i", notes, *kept, name="film.mkv")
    mux(probe(film), [SoftTrack(source=srt)], tmp_path / "out.mkv")
    after = probe(tmp_path / "out.mkv")
    assert (after.title, after.chapters[0].title, after.others[0].title) == ("A film", "First", "notes.ffmeta")


@pytest.mark.parametrize("binary", ["packaged", "ffmpeg"])
def test_the_run_up_of_a_codec_moves_no_subtitle(
    clip: Path, srt: Path, tmp_path: Path, binary: str, monkeypatch: pytest.MonkeyPatch, ffmpeg: Path
) -> None:
    """AAC begins 23 ms before the film; copied into Matroska, everything else was late by as much."""
    import shutil

    if binary != "packaged" and not shutil.which(binary):
        pytest.skip("this machine has no ffmpeg of its own")
    monkeypatch.setenv("SUBWHISPER_FFMPEG", str(ffmpeg) if binary == "packaged" else binary)
    mux(probe(clip), [SoftTrack(source=srt)], tmp_path / "one.mkv")
    once = probe(tmp_path / "one.mkv")
    assert text_of(once, 0, tmp_path) == SRT.strip()
    mux(once, [SoftTrack.kept(once.subtitles[0])], tmp_path / "two.mkv")
    assert text_of(probe(tmp_path / "two.mkv"), 0, tmp_path) == SRT.strip()


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_cover_art_stays_cover_art(make: Make, clip: Path, tmp_path: Path, suffix: str) -> None:
    """In Matroska it is an attached file; copied as a stream it would be a film of one picture."""
    art = make("-f", "lavfi", "-i", "color=s=64x64", "-frames:v", 1, name="art.png")
    kept = ["-map", 0, "-map", 1, "-c", "copy", "-disposition:v:1", "attached_pic"]
    film = make("-i", clip, "-i", art, *kept, name="film.mp4")
    mux(probe(film), [], tmp_path / "one.mkv")
    mux(probe(tmp_path / "one.mkv"), [], tmp_path / f"two.{suffix}")
    after = probe(tmp_path / f"two.{suffix}")
    assert [(it.codec, it.attached) for it in after.video] == [("h264", False), ("png", True)]


@pytest.mark.parametrize("flags", [((), ()), ((), ("default",))])
@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_no_track_is_shown_unasked_unless_one_is_to_be(
    samples: Path, tmp_path: Path, ffmpeg: Path, suffix: str, flags: tuple[tuple[str, ...], ...]
) -> None:
    """FFmpeg has MP4 show the first where none is marked."""
    film, output = samples / "video/sample_MP4_SRT.mp4", tmp_path / f"out.{suffix}"
    track = SoftTrack.kept(probe(film).subtitles[0])
    mux(probe(film), [replace(track, flags=it) for it in flags], output)
    assert tuple(it.flags for it in probe(output).subtitles) == flags
    assert fingerprint(ffmpeg, output) == fingerprint(ffmpeg, film)


def test_a_container_that_cannot_hold_the_picture_says_so(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"holds a codec that \.webm cannot"):
        mux(probe(clip), [], tmp_path / "out.webm")


def test_mp4_shows_cues_that_overlap_together(tmp_path: Path) -> None:
    cues = [(0, 2000, "one"), (1000, 3000, "two"), (1000, 1500, "three")]
    assert list(movtext.together(cues)) == [
        (0, 1000, "one"),
        (1000, 1500, "one\ntwo\nthree"),
        (1500, 2000, "one\ntwo"),
        (2000, 3000, "two"),
    ]


def test_mp4_keeps_every_character_and_millisecond(clip: Path, tmp_path: Path) -> None:
    vtt = tmp_path / "words.vtt"
    cues = "00:00:00.123 --> 00:00:01.457\na &lt; b &amp; {c} \\N <i>d</i>\n\n00:00:01.457 --> 00:00:01.999\nö\n♪\n\n"
    vtt.write_text("WEBVTT\n\n" + cues, encoding="utf-8")
    movtext.write(vtt, tmp_path / "track.mp4")
    mux(probe(clip), [SoftTrack(source=tmp_path / "track.mp4", language="ja")], tmp_path / "out.mp4")
    media = probe(tmp_path / "out.mp4")
    assert media.subtitles[0].language == "jpn"
    extract_subtitles(media, media.subtitles[0], tmp_path / "out.vtt")
    assert (tmp_path / "out.vtt").read_text(encoding="utf-8") == vtt.read_text(encoding="utf-8")
