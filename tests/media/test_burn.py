import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from subwhisper.errors import InputError, MediaError, OptionError, OutputError, ToolError
from subwhisper.media.burn import burn, dimmed, preview
from subwhisper.media.containers import CONTAINERS
from subwhisper.media.encoders import PictureOptions, settle
from subwhisper.media.ffmpeg import missing
from subwhisper.media.fonts import add_fonts
from subwhisper.media.glyphs import FontLog, condense
from subwhisper.media.probe import probe

Make = Callable[..., Path]

ASS = """[Script Info]
ScriptType: v4.00+
PlayResX: 320
PlayResY: 180

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, OutlineColour, Bold, Outline, Alignment, MarginL, MarginR, MarginV
Style: Default,{font},24,&H00FFFFFF,&H00000000,0,2,2,10,10,10

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def write_ass(
    path: Path, text: str = "Hello", start: str = "0:00:00.00", end: str = "9:00:00.00", font: str = "Arial"
) -> Path:
    event = f"Dialogue: 0,{start},{end},Default,,0,0,0,,{text}\n" if text else ""
    path.write_text(ASS.format(font=font) + event, encoding="utf-8")
    return path


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    return write_ass(tmp_path / "captions.ass")


def frame(ffmpeg: Path, video: Path, at: float) -> np.ndarray:
    """One frame as grey values."""
    media = probe(video)
    width, height = media.moving[0].display_size
    command = [ffmpeg, "-nostdin", "-v", "error", "-i", f"file:{video}", "-ss", at, "-frames:v", 1]
    command += ["-f", "rawvideo", "-pix_fmt", "gray", "-"]
    raw = subprocess.run(list(map(str, command)), check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(height, width).astype(int)


def is_drawn(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether the bottom has white letters with black outlines now, and the top is much as it was."""
    height = len(before)
    bottom = (after - before)[height * 3 // 4 :]
    top = np.abs(after - before)[: height // 2]
    return bool((bottom > 60).sum() > 50 and (bottom < -60).sum() > 50 and top.mean() < 4)


def test_captions_are_in_the_picture_while_they_last(clip: Path, ffmpeg: Path, tmp_path: Path) -> None:
    captions = write_ass(tmp_path / "half.ass", start="0:00:01.00", end="0:00:02.00")
    told: list[float] = []
    report = burn(clip, captions, tmp_path / "out.mp4", on_progress=told.append)
    assert report.fonts
    assert report.missing_glyphs == ()
    assert not is_drawn(frame(ffmpeg, clip, 0.5), frame(ffmpeg, report.output, 0.5))
    assert is_drawn(frame(ffmpeg, clip, 1.5), frame(ffmpeg, report.output, 1.5))
    assert told == sorted(told)
    assert told[-1] == 1.0


def bare(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command where no font and no font configuration of the system can be seen."""
    hidden = " && ".join(f"if [ -d {place} ]; then mount -t tmpfs none {place}; fi" for place in FONT_PLACES)
    outer = ["unshare", "--map-root-user", "--mount", "sh", "-c", f'{hidden} && exec "$@"', "sh", *command]
    return subprocess.run(outer, capture_output=True, text=True, env={**os.environ, **environment})


FONT_PLACES = ["/etc/fonts", "/usr/share/fonts", "/usr/local/share/fonts", "/var/cache/fontconfig"]


@pytest.mark.parametrize("font", ["Arial", "FiraGO"])
def test_a_machine_without_fonts_draws_captions_all_the_same(
    clip: Path, ffmpeg: Path, tmp_path: Path, font: str
) -> None:
    try:
        if bare(["true"]).returncode:
            pytest.skip("this machine does not let a test hide its fonts")
    except OSError:
        pytest.skip("there is no unshare")
    captions = write_ass(tmp_path / "captions.ass", "Hello Привет ♪ 日本", font=font)
    code = "import sys; from pathlib import Path; from subwhisper.media.burn import burn; "
    code += "report = burn(*map(Path, sys.argv[1:])); print(ascii(report.fonts), ascii(report.missing_glyphs))"
    output = tmp_path / "out.mp4"
    home = {"HOME": str(tmp_path), "SUBWHISPER_CACHE": str(tmp_path / "cache")}
    done = bare([sys.executable, "-c", code, *map(str, (clip, captions, output))], **home)
    assert done.returncode == 0, done.stderr
    assert "FiraGO-Regular" in done.stdout
    assert "FiraMono" in done.stdout
    assert ascii(("日", "本")) in done.stdout
    assert is_drawn(frame(ffmpeg, clip, 1), frame(ffmpeg, output, 1))


def test_an_ffmpeg_that_finds_no_font_is_an_error_before_the_work(
    clip: Path, captions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: list[subprocess.Popen[bytes]]
) -> None:
    nothing = tmp_path / "nothing.conf"
    nothing.write_text("<fontconfig></fontconfig>")
    monkeypatch.setattr(
        "subwhisper.media.burn.lay_out_fonts", lambda workspace: {**os.environ, "FONTCONFIG_FILE": str(nothing)}
    )
    with pytest.raises(ToolError, match="no font"):
        burn(clip, captions, tmp_path / "out.mp4")
    assert not any("libx264" in str(process.args) for process in started)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".ass", ".conf", ".mp4"]


def test_what_libass_says_is_understood() -> None:
    log = FontLog()
    for line in [
        "fontselect: (Arial, 400, 0) -> /usr/share/fonts/DejaVu Sans.ttf, 0, DejaVuSans",
        "fontselect: failed to find any fallback with glyph 0x65E5 for font: (Arial, 400, 0)",
        "Glyph 0x672C not found, selecting one more font for (Arial, 400, 0)",
    ]:
        log.hear(line)
    assert (log.fonts, log.lost, log.nothing) == ({"DejaVuSans"}, {"日"}, False)
    log.hear("fontselect: failed to find any fallback with glyph 0x0 for font: (Arial, 400, 0)")
    with pytest.raises(ToolError, match=r"x\.ass"):
        log.require_fonts(Path("x.ass"))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("Hello", 1), ("{\\i1}Hi", 1), ("{\\an8}", 0), ("\\N ", 0), ("{\\p1}m 0 0 l 9 9", 0), ("", 0)],
)
def test_only_captions_with_text_are_looked_at(tmp_path: Path, text: str, seconds: int) -> None:
    path = write_ass(tmp_path / "a.ass", text, "0:00:02.00", "0:00:04.00")
    script, found = condense(path.read_text())
    assert found == seconds
    assert ("Dialogue: 0,0:00:00.00,0:00:01.00,Default" in script) == (seconds > 0)


def test_captions_without_text_are_no_error(clip: Path, tmp_path: Path) -> None:
    report = burn(clip, write_ass(tmp_path / "empty.ass", text=""), tmp_path / "out.mp4")
    assert report.fonts == ()
    assert report.output.is_file()


def test_any_name_can_be_burned(clip: Path, evil_name: str, ffmpeg: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = clip.parent / evil_name
    folder.mkdir()
    monkeypatch.chdir(folder)
    video = Path(evil_name + ".mp4")
    clip.rename(video)
    output = Path(evil_name + ".out.mkv")
    burn(video, write_ass(Path(evil_name + ".ass")), output)
    assert is_drawn(frame(ffmpeg, video.absolute(), 1), frame(ffmpeg, output.absolute(), 1))


def test_a_name_that_is_not_utf8_can_be_burned(clip: Path, captions: Path) -> None:
    odd = clip.with_name("caf\udce9.mp4")  # Latin-1 on disk
    try:
        clip.rename(odd)
    except (OSError, UnicodeError):
        pytest.skip("this file system takes only UTF-8")
    assert burn(odd, captions, odd.with_suffix(".mkv")).output.is_file()


def test_a_turned_picture_stays_turned(samples: Path, ffmpeg: Path, captions: Path, tmp_path: Path) -> None:
    video = samples / "video/nasa_13013_rotated.mp4"
    output = burn(video, captions, tmp_path / "out.mp4").output
    picture = probe(output).moving[0]
    assert (picture.width, picture.height, picture.rotation) == (270, 480, 0)
    bottom = frame(ffmpeg, output, 0.3)[400:] - frame(ffmpeg, video, 0.3)[400:]
    assert (bottom > 150).sum() > 50  # upright at the bottom of what a viewer sees; the picture is black there


@pytest.mark.parametrize(
    ("source", "suffix", "codecs"),
    [
        ("two-audio-tracks-en-de.mkv", ".mkv", ["aac", "opus"]),
        ("two-audio-tracks-en-de.mkv", ".mp4", ["aac", "aac"]),
        ("two-audio-tracks-en-de.mkv", ".webm", ["vorbis", "opus"]),
        ("grid-s1-bbaf2n.mpg", ".MOV", ["aac"]),
        ("sample_MKV_SRT.mkv", ".m4v", []),
    ],
)
def test_the_sound_is_kept(
    samples: Path, captions: Path, tmp_path: Path, source: str, suffix: str, codecs: list[str]
) -> None:
    before = probe(samples / "video" / source)
    after = probe(burn(before.path, captions, tmp_path / f"out{suffix}").output)
    assert [stream.codec for stream in after.audio] == codecs
    assert [stream.language for stream in after.audio] == [stream.language for stream in before.audio]
    assert [stream.channels for stream in after.audio] == [stream.channels for stream in before.audio]
    assert after.duration == pytest.approx(before.duration, abs=0.15)


def test_copied_sound_is_the_same_to_the_bit(clip: Path, captions: Path, tmp_path: Path, ffmpeg: Path) -> None:
    def fingerprint(path: Path) -> bytes:
        command = [str(ffmpeg), "-v", "error", "-i", str(path), "-map", "0:a", "-c", "copy", "-f", "md5", "-"]
        return subprocess.run(command, check=True, capture_output=True).stdout

    assert fingerprint(burn(clip, captions, tmp_path / "out.mp4").output) == fingerprint(clip)


def test_late_sound_stays_late(samples: Path, captions: Path, tmp_path: Path) -> None:
    after = probe(burn(samples / "video/audio-offset-2s.mkv", captions, tmp_path / "out.mkv").output)
    assert after.audio[0].start - after.start == pytest.approx(2.0, abs=0.03)


def test_captions_count_from_the_start_of_the_container(samples: Path, ffmpeg: Path, tmp_path: Path) -> None:
    video = samples / "video/test_non_zero_start.mp4"  # its clock begins at 8.3 s
    captions = write_ass(tmp_path / "start.ass", start="0:00:00.00", end="0:00:01.00")
    output = burn(video, captions, tmp_path / "out.mp4").output
    assert np.abs(frame(ffmpeg, video, 0) - frame(ffmpeg, output, 0)).max() > 60


def test_odd_sizes_are_padded(make: Make, captions: Path, tmp_path: Path) -> None:
    odd = make("-f", "lavfi", "-i", "testsrc=s=161x91:r=5:d=1", "-c:v", "ffv1", name="odd.mkv")
    picture = probe(burn(odd, captions, tmp_path / "out.mp4").output).moving[0]
    assert (picture.width, picture.height) == (162, 92)


def test_missing_characters_are_reported(clip: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    report = burn(clip, write_ass(tmp_path / "odd.ass", "A \U0010fffd B"), tmp_path / "out.mp4")
    assert report.missing_glyphs == ("\U0010fffd",)
    assert "no font here has U+10FFFD" in caplog.text


def test_the_larger_of_two_pictures_counts(make: Make) -> None:
    sources = [word for size in ("80x60", "60x120") for word in ("-f", "lavfi", "-i", f"testsrc=s={size}:r=5:d=1")]
    two = probe(make(*sources, "-map", "0", "-map", "1", "-c:v", "ffv1", name="two.mkv"))
    assert two.picture == two.moving[1]


def test_a_damaged_video_is_burned_as_far_as_it_goes(
    samples: Path, captions: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        output = burn(samples / "broken/truncated.webm", captions, tmp_path / "out.mp4").output
    assert probe(output).duration == pytest.approx(7, abs=0.5)
    assert "seems damaged" in caplog.text


def test_bad_requests_are_refused_and_leave_nothing(samples: Path, clip: Path, captions: Path, tmp_path: Path) -> None:
    binary = tmp_path / "binary.ass"
    binary.write_bytes(b"\xff\xfe\x00")
    script = tmp_path / "script.ass"
    script.write_text("1\n00:00:00,000 --> 00:00:01,000\nI am SubRip\n")
    before = set(tmp_path.iterdir())
    out = tmp_path / "out.mp4"
    cases: list[tuple[Path, Path, Path, type[Exception], str]] = [
        (samples / "speech/jfk.flac", captions, out, MediaError, r"jfk\.flac has no moving picture"),
        (samples / "broken/truncated-half.mp4", captions, out, MediaError, r"truncated-half\.mp4"),
        (tmp_path / "none.mp4", captions, out, MediaError, r"none\.mp4 does not exist"),
        (clip, tmp_path / "none.ass", out, InputError, r"none\.ass"),
        (clip, binary, out, InputError, r"binary\.ass is not"),
        (clip, script, out, InputError, r"script\.ass is not an \.ass file"),
        (clip, captions, clip, OutputError, "is the input itself"),
        (clip, captions, tmp_path / "out.avi", OutputError, r"use one of \.mp4"),
        (clip, captions, tmp_path / "nowhere" / "out.mp4", OutputError, "cannot be written"),
    ]
    for video, subtitles, output, kind, words in cases:
        with pytest.raises(kind, match=words):
            burn(video, subtitles, output)
    assert set(tmp_path.iterdir()) == before


def test_ctrl_c_leaves_no_file_and_no_ffmpeg(make: Make, captions: Path, tmp_path: Path) -> None:
    long = make("-f", "lavfi", "-i", "testsrc=s=1280x720:r=30:d=60", "-c:v", "mpeg4", name="long.mp4")
    output = tmp_path / "out" / "out.mp4"
    output.parent.mkdir()
    code = (
        "import sys; from pathlib import Path; from subwhisper.media.burn import burn; burn(*map(Path, sys.argv[1:]))"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, (long, captions, output))], stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not any(path.stat().st_size for path in output.parent.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=30)
    assert "KeyboardInterrupt" in said
    assert list(output.parent.iterdir()) == []
    commands = [path for path in Path("/proc").glob("[0-9]*/cmdline") if str(output.parent).encode() in _read(path)]
    assert commands == []


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has ended meanwhile
        return b""


SCRIPTS = ["Grüße, čšž Łódź", "Привет, мир! Ёж", "مرحبا بالعالم؟", "हिन्दी क्षत्रिय शीर्षक", "สวัสดี ที่นี่ น้ำ", "♪ la la la ♫"]
EXPECTED = Path(__file__).parents[1] / "data" / "captions-in-six-scripts.png"
"""What they look like: drawn once, read by people, and kept. One caption of 480 by 90 under the other."""


@pytest.fixture
def bare_fonts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No font but those that come along."""
    nothing = tmp_path / "nothing.conf"
    nothing.write_text("<fontconfig></fontconfig>")
    monkeypatch.setenv("FONTCONFIG_FILE", str(nothing))
    monkeypatch.setenv("SUBWHISPER_DATA", str(tmp_path / "data"))


@pytest.mark.usefixtures("bare_fonts")
@pytest.mark.parametrize("binary", ["packaged", "ffmpeg"])
def test_captions_look_as_they_should_in_six_scripts_without_any_font_of_the_system(
    make: Make, tmp_path: Path, ffmpeg: Path, binary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FFmpeg 5 drew Devanagari with its vowels out of place."""
    if binary != "packaged":
        if not shutil.which(binary) or missing(Path(shutil.which(binary) or ""), frozenset({"filter:ass"})):
            pytest.skip("this machine has no ffmpeg of its own that draws captions")
        monkeypatch.setenv("SUBWHISPER_FFMPEG", binary)
    black = make("-f", "lavfi", "-i", "color=c=black:s=480x90:r=5:d=6", "-c:v", "libx264", name="black.mp4")
    head = ASS.format(font="FiraGO").replace("PlayResX: 320\nPlayResY: 180", "PlayResX: 480\nPlayResY: 90")
    times = [(f"0:00:0{n}.00", f"0:00:0{n + 1}.00", said) for n, said in enumerate(SCRIPTS)]
    events = [f"Dialogue: 0,{start},{end},Default,,0,0,0,,{{\\fs48\\an5}}{said}\n" for start, end, said in times]
    (tmp_path / "six.ass").write_text(head + "".join(events), encoding="utf-8")
    report = burn(black, tmp_path / "six.ass", tmp_path / "out.mp4")
    assert report.missing_glyphs == ()
    expected = frame(ffmpeg, EXPECTED, 0).reshape(6, 90, 480)
    for number, said in enumerate(SCRIPTS):
        drawn = frame(ffmpeg, report.output, number + 0.5)
        assert np.abs(drawn - expected[number]).sum() < 0.2 * expected[number].sum(), said
        others = [np.abs(drawn - other).sum() for other in np.delete(expected, number, axis=0)]
        assert min(others) > 0.8 * expected[number].sum(), said  # any two captions are far apart


@pytest.mark.usefixtures("bare_fonts")
def test_missing_glyphs_are_told_by_name_before_the_work(
    clip: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, started: list[subprocess.Popen[bytes]]
) -> None:
    captions = write_ass(tmp_path / "late.ass", "日本 கா", start="0:00:01.90", end="0:00:01.95")
    with pytest.raises(InputError) as caught:
        burn(clip, captions, tmp_path / "out.mp4", strict=True)
    assert "日 U+65E5 CJK UNIFIED IDEOGRAPH-65E5" in caught.value.message
    assert "க U+0B95 TAMIL LETTER KA" in caught.value.message
    assert not any("libx264" in str(process.args) for process in started)
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.usefixtures("bare_fonts")
def test_an_added_font_is_used(clip: Path, tmp_path: Path) -> None:
    fonts = sorted(Path("/usr/share/fonts").rglob("NotoSansCJK-Regular.ttc"))
    if not fonts:
        pytest.skip("fonts-noto-cjk is not installed")
    add_fonts(fonts[0])
    assert burn(clip, write_ass(tmp_path / "a.ass", "汉语 日本語 한국어"), tmp_path / "out.mp4").missing_glyphs == ()


def test_a_preview_is_the_frame_that_the_burn_will_give(clip: Path, ffmpeg: Path, tmp_path: Path) -> None:
    captions = write_ass(tmp_path / "half.ass", start="0:00:01.00", end="0:00:02.00")
    for moment, shown in ((0.5, False), (1.5, True)):
        preview(clip, captions, tmp_path / "frame.png", moment)
        assert is_drawn(frame(ffmpeg, clip, moment), frame(ffmpeg, tmp_path / "frame.png", 0)) == shown
    burned = frame(ffmpeg, burn(clip, captions, tmp_path / "out.mp4").output, 1.5)
    assert np.abs(burned - frame(ffmpeg, tmp_path / "frame.png", 0)).mean() < 3
    with pytest.raises(InputError, match=r"no picture at 7\.000 s of .*, which lasts 2\.\d+ s"):
        preview(clip, captions, tmp_path / "late.png", 7)
    assert not (tmp_path / "late.png").exists()


def test_a_preview_counts_from_the_start_of_the_container(samples: Path, ffmpeg: Path, tmp_path: Path) -> None:
    video = samples / "video/test_non_zero_start.mp4"  # its clock begins at 8.3 s
    captions = write_ass(tmp_path / "start.ass", start="0:00:00.00", end="0:00:00.20")
    preview(video, captions, tmp_path / "a.png", 0.1)
    preview(video, captions, tmp_path / "b.png", 0.3)
    assert np.abs(frame(ffmpeg, video, 0.1) - frame(ffmpeg, tmp_path / "a.png", 0)).max() > 60
    assert np.abs(frame(ffmpeg, video, 0.3) - frame(ffmpeg, tmp_path / "b.png", 0)).max() < 60


@pytest.mark.parametrize(
    ("options", "suffix", "codec"),
    [
        ({"codec": "hevc", "quality": 30}, ".mp4", "hevc"),
        ({"codec": "vp9"}, ".mkv", "vp9"),
        ({"codec": "av1"}, ".webm", "av1"),
    ],
)
def test_the_codec_is_the_one_that_was_asked_for(
    clip: Path, captions: Path, tmp_path: Path, options: dict[str, Any], suffix: str, codec: str
) -> None:
    output = burn(clip, captions, tmp_path / f"out{suffix}", picture=PictureOptions(**options)).output
    assert probe(output).video[0].codec == codec


def test_a_lower_quality_makes_a_smaller_file(make: Make, captions: Path, tmp_path: Path) -> None:
    video = make("-f", "lavfi", "-i", "testsrc2=s=320x180:d=2", "-c:v", "ffv1", name="busy.mkv")
    sizes = [
        burn(video, captions, tmp_path / f"{quality}.mp4", picture=PictureOptions(quality=quality))
        .output.stat()
        .st_size
        for quality in (10, 40)
    ]
    assert sizes[0] > 2 * sizes[1]


def test_codecs_that_cannot_be_are_refused(clip: Path, captions: Path, tmp_path: Path) -> None:
    for options in ({"codec": "divx"}, {"quality": -1}, {"codec": "h264", "quality": 52}):
        with pytest.raises(OptionError):
            PictureOptions(**options)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match=r"\.webm cannot hold h264"):
        burn(clip, captions, tmp_path / "out.webm", picture=PictureOptions(codec="h264"))


def test_hardware_that_does_not_work_is_told_and_done_without(
    clip: Path, captions: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    if Path("/dev/dri").exists() or Path("/dev/nvidia0").exists() or sys.platform != "linux":
        pytest.skip("there may be a graphics card")
    output = burn(clip, captions, tmp_path / "out.mp4", picture=PictureOptions(hardware=True, quality=30)).output
    assert probe(output).video[0].codec == "h264"
    (said,) = [record.getMessage() for record in caplog.records]
    assert "no graphics card here encodes h264 (h264_nvenc: Cannot load libcuda.so.1" in said  # ffmpeg's own word
    assert said.endswith("the processor does it")


def test_the_first_hardware_that_works_is_chosen(clip: Path, program: Callable[[str], Path]) -> None:
    """With an ffmpeg that knows two kinds, of which one has a card."""
    lists = 'case "$*" in *-encoders*) echo " V....D hevc_nvenc x"; echo " V....D hevc_qsv x"; exit 0;; esac'
    fails = 'case "$*" in *hevc_nvenc*) echo "[error] No capable devices found" >&2; exit 1;; esac'
    binary = program(f"{lists}\n{fails}")
    wanted = PictureOptions(codec="hevc", hardware=True, quality=28)
    found = settle("hevc", wanted, CONTAINERS[".mp4"], probe(clip).moving[0], binary)
    assert found.options == {"c": "hevc_qsv", "global_quality": 28, "pix_fmt": "yuv420p", "tag": "hvc1"}


@pytest.fixture
def hdr(make: Make) -> Path:
    """A picture in PQ whose paper is white at 203 nits."""
    colours = "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc"
    coded = ["-vf", colours, "-c:v", "libx265", "-x265-params", "log-level=none", "-pix_fmt", "yuv420p10le"]
    return make("-f", "lavfi", "-i", "color=c=0x404040:s=320x180:r=5:d=1", *coded, name="hdr.mkv")


def test_high_dynamic_range_stays_and_captions_do_not_dazzle(
    hdr: Path, captions: Path, tmp_path: Path, ffmpeg: Path
) -> None:
    picture = probe(burn(hdr, captions, tmp_path / "out.mp4").output).video[0]
    assert (picture.codec, picture.bit_depth, picture.hdr) == ("hevc", 10, "pq")
    command = [str(ffmpeg), "-v", "error", "-i", str(tmp_path / "out.mp4"), "-frames:v", "1", "-vf", "extractplanes=y"]
    raw = subprocess.run([*command, "-f", "rawvideo", "-pix_fmt", "gray10le", "-"], check=True, capture_output=True)
    brightest = int(np.frombuffer(raw.stdout, "<u2").max())
    assert brightest == pytest.approx(64 + 0.58 * 876, rel=0.1)  # of 940


def test_high_dynamic_range_becomes_ordinary_for_codecs_without(hdr: Path, captions: Path, tmp_path: Path) -> None:
    picture = probe(burn(hdr, captions, tmp_path / "out.mp4", picture=PictureOptions(codec="h264")).output).video[0]
    assert (picture.codec, picture.bit_depth, picture.hdr) == ("h264", 8, None)


def test_dimming_touches_colours_only() -> None:
    script = "Style: A,&H00FFFFFF,&H80000000\nDialogue: 0,x,{\\c&HFFFFFF&\\alpha&HFF&\\fs20}&HFFFFFF said\n"
    dim = "Style: A,&H00808080,&H80000000\nDialogue: 0,x,{\\c&H808080&\\alpha&HFF&\\fs20}&HFFFFFF said\n"
    assert dimmed(script, 0.5) == dim


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_cover_chapters_fonts_and_titles_are_kept(
    make: Make, clip: Path, captions: Path, tmp_path: Path, suffix: str
) -> None:
    notes = tmp_path / "notes.ffmeta"
    notes.write_text(";FFMETADATA1\ntitle=A film\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=First\n")
    art = make("-f", "lavfi", "-i", "color=s=64x64", "-frames:v", 1, name="art.png")
    kept = ["-map", 0, "-map", 2, "-map_metadata", 1, "-c", "copy", "-disposition:v:1", "attached_pic"]
    film = make("-i", clip, "-i", notes, "-i", art, *kept, name="film.mp4")
    after = probe(burn(film, captions, tmp_path / f"out.{suffix}").output)
    assert (after.title, [chapter.title for chapter in after.chapters]) == ("A film", ["First"])
    assert [it.attached for it in after.video] == [False, True]


def test_what_a_camera_says_of_its_picture_is_kept(make: Make, clip: Path, captions: Path, tmp_path: Path) -> None:
    said = ["-timecode", "01:02:03:04", "-metadata:s:v", "language=fra"]
    film = make("-i", clip, "-c", "copy", *said, name="film.mov")
    before, after = (probe(it).video[0] for it in (film, burn(film, captions, tmp_path / "out.mov").output))
    assert after.timecode is not None
    assert after.timecode.startswith("01:02:03")
    assert (after.timecode, after.language) == (before.timecode, "fra")


def test_letters_keep_their_shape_where_pixels_are_no_squares(
    make: Make, clip: Path, ffmpeg: Path, tmp_path: Path
) -> None:
    """Drawn for square pixels they would be half as wide as they should."""
    narrow = ["-vf", "scale=160:180,setsar=2", "-c:v", "libx264", "-preset", "ultrafast"]
    stretched = make("-i", clip, *narrow, name="narrow.mp4")
    captions = write_ass(tmp_path / "o.ass", text="OOOOO")
    preview(clip, captions, tmp_path / "square.png", 1.0)
    preview(stretched, captions, tmp_path / "shown.png", 1.0)
    film = burn(stretched, captions, tmp_path / "film.mp4").output
    assert probe(film).video[0].pixel_aspect == 2
    shown = make("-i", film, "-ss", 1, "-vf", "scale=320:180,setsar=1", "-frames:v", 1, name="film.png")
    wanted = frame(ffmpeg, tmp_path / "square.png", 0)
    for picture in (tmp_path / "shown.png", shown):
        found = frame(ffmpeg, picture, 0)
        assert found.shape == wanted.shape
        assert np.abs(_width(found) - _width(wanted)) <= 4


def _width(picture: np.ndarray) -> int:
    """Of what is white."""
    columns = np.flatnonzero((picture > 200).any(axis=0))
    return int(columns[-1] - columns[0])


def test_pictures_at_uneven_times_stay_at_theirs(make: Make, captions: Path, tmp_path: Path) -> None:
    """As phones and recorders of screens write them; at an even rate most would be copies of those before."""
    source = ["-f", "lavfi", "-i", "testsrc2=s=160x120:r=30:d=2"]
    uneven = ["-vf", "select='not(mod(n,3))+between(n,20,30)'", "-c:v", "libx264"]
    film = make(*source, *uneven, "-preset", "ultrafast", name="uneven.mkv")
    assert _moments(burn(film, captions, tmp_path / "out.mp4").output) == _moments(film)


def _moments(film: Path) -> list[float]:
    with av.open(str(film)) as container:
        times = [float(packet.pts * packet.time_base) for packet in container.demux(video=0) if packet.pts is not None]
    return sorted(round(time - min(times), 3) for time in times)


def test_interlaced_pictures_become_whole_ones(make: Make, captions: Path, ffmpeg: Path, tmp_path: Path) -> None:
    """Two moments on alternate lines look torn, and captions would be with them."""
    source = ["-f", "lavfi", "-i", "testsrc=s=320x240:r=50:d=1", "-vf", "hue=s=0,scroll=h=0.1,interlace"]
    film = make(*source, "-c:v", "mpeg2video", "-flags", "+ildct+ilme", "-q:v", 2, name="tv.mpg")
    assert probe(film).video[0].interlaced
    after = burn(film, captions, tmp_path / "out.mp4").output
    assert not probe(after).video[0].interlaced
    assert _torn(frame(ffmpeg, after, 0.5)) < _torn(frame(ffmpeg, film, 0.5)) / 3


def _torn(picture: np.ndarray) -> float:
    """How much lines differ from those between which they lie, where these are alike."""
    top = picture[: len(picture) // 2]
    return float(np.abs(top[1:-1] - (top[:-2] + top[2:]) / 2)[np.abs(top[:-2] - top[2:]) < 10].mean())
