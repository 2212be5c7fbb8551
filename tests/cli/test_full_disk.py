"""A disk that is full, in truth: every command that writes says so in a line and leaves nothing half-written."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command_line import QUICK, Run, write_tone
from website import CLIP, serving

from subwhisper.media.ffmpeg import VARIABLE, find_ffmpeg, packaged_ffmpeg, run, system_ffmpeg

pytestmark = [  # yt-dlp leaves files of a failed download to the garbage collector
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

Fill = Callable[[int], Path]


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Fill]:
    """A disk of a megabyte that can be filled up to some bytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)]
    if sys.platform != "linux" or subprocess.run(mounting, stderr=subprocess.DEVNULL).returncode:
        pytest.skip("this machine does not let a test mount a small disk")

    def fill(left: int) -> Path:
        state = os.statvfs(disk)
        (disk / "ballast").write_bytes(bytes(state.f_bavail * state.f_frsize - left))
        return disk

    yield fill
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.fixture(scope="session")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip that is larger than what is left on the disk, and long subtitles."""
    folder = tmp_path_factory.mktemp("material")
    clip, cues = folder / CLIP, folder / "long.srt"
    cues.write_text("".join(f"{n}\n{_time(2 * n)} --> {_time(2 * n + 1)}\n{'word ' * 9}\n\n" for n in range(1000)))
    (folder / "short.srt").write_text(f"1\n{_time(0)} --> {_time(1)}\nHello\n")
    picture = ["-f", "lavfi", "-i", "testsrc2=s=640x360:r=10:d=4", "-f", "lavfi", "-i", "anoisesrc=d=4:r=48000"]
    coded = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    run([*picture, *coded, str(clip)], ffmpeg=find_ffmpeg(), source=clip)
    held = ["-i", str(clip), "-i", str(cues), "-map", "0", "-map", "1", "-c", "copy", "-c:s", "srt"]
    run([*held, str(folder / "film.mkv")], ffmpeg=find_ffmpeg(), source=clip)
    write_tone(folder / "tone.wav")
    return folder


def _time(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02},000"


COMMANDS: dict[str, tuple[object, ...]] = {
    "burn": ("burn", CLIP, "short.srt", "-o", "DISK/out.mp4"),
    "preview": ("burn", CLIP, "short.srt", "--preview", "1", "-o", "DISK/out.png"),
    "mux mkv": ("mux", CLIP, "short.srt", "-o", "DISK/out.mkv"),
    "mux mp4": ("mux", CLIP, "short.srt", "-o", "DISK/out.mp4"),
    "extract wav": ("extract", CLIP, "-o", "DISK/out.wav"),
    "extract opus": ("extract", CLIP, "-o", "DISK/out.opus"),
    "extract srt": ("extract", "film.mkv", "--subtitle-track", "0", "-o", "DISK/out.srt"),
    "extract vtt": ("extract", "film.mkv", "--subtitle-track", "0", "-o", "DISK/out.vtt"),
    "fetch": ("fetch", f"URL/{CLIP}", "-o", "DISK"),
    "convert": ("convert", "long.srt", "-f", "vtt,ass", "--output-dir", "DISK"),
    "shift": ("shift", "long.srt", "--by", "1", "-o", "DISK/out.srt"),
    "split": ("split", "long.srt", "--every", "60", "--output-dir", "DISK"),
    "layout": ("layout", "long.srt", "-o", "DISK/out.srt"),
}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("left", [0, 20_000])
def test_a_full_disk_is_a_line_and_leaves_nothing(
    run_cli: Run, material: Path, full_disk: Fill, monkeypatch: pytest.MonkeyPatch, name: str, left: int
) -> None:
    disk = full_disk(left)
    monkeypatch.chdir(material)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving(material) as server:
        words = [str(word).replace("DISK", str(disk)).replace("URL", server.url) for word in COMMANDS[name]]
        ran = run_cli(*words)
    assert ran.code == 4, ran.stderr
    (said,) = [line for line in ran.stderr.splitlines() if "error" in line]
    assert "disk is full" in said or "No space left on device" in said
    assert len(said) < 400
    assert [path.name for path in disk.rglob("*") if path.is_file()] == ["ballast"]


def test_no_transcript_is_half_written(run_cli: Run, material: Path, full_disk: Fill, tiny_model: Path) -> None:
    disk = full_disk(4096)
    wanted = ["--model", tiny_model, "--language", "en", "-f", "json", "-o", disk, *QUICK]
    ran = run_cli("transcribe", material / "tone.wav", *wanted)
    if ran.code:  # nonsense may be short
        assert (ran.code, "No space left on device" in ran.stderr) == (4, True)
        assert [path.name for path in disk.iterdir()] == ["ballast"]
    else:
        assert (disk / "tone.en.json").read_text().endswith("}\n")


@pytest.mark.parametrize("name", ["burn", "mux mp4", "extract vtt"])
def test_a_full_disk_for_temporary_files_is_a_line(
    run_cli: Run, material: Path, full_disk: Fill, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(full_disk(0)))
    monkeypatch.chdir(material)
    words = [str(word).replace("DISK", str(tmp_path)).replace("short", "long") for word in COMMANDS[name]]
    ran = run_cli(*words)
    assert (ran.code, "No space left" in ran.stderr or "disk is full" in ran.stderr) == (4, True), ran.stderr
    assert not [*tmp_path.glob("out*")]


@pytest.mark.parametrize("binary", [system_ffmpeg, packaged_ffmpeg])
def test_no_ffmpeg_calls_a_file_without_its_end_a_success(
    run_cli: Run, material: Path, full_disk: Fill, monkeypatch: pytest.MonkeyPatch, binary: Callable[[], Path | None]
) -> None:
    """FFmpeg 5 ended with code 0 when only the last bytes did not fit."""
    if (ffmpeg := binary()) is None:
        pytest.skip("this machine has no such ffmpeg")
    monkeypatch.setenv(VARIABLE, str(ffmpeg))
    target = full_disk(60_000) / "out.srt"
    ran = run_cli("extract", material / "film.mkv", "--subtitle-track", "0", "-o", target)
    assert (ran.code, target.exists()) == (4, False), ran.stderr
