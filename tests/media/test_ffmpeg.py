import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from subwhisper.errors import MediaError, OutputError, ToolError
from subwhisper.media import ffmpeg as door
from subwhisper.media.ffmpeg import VARIABLE, explain, find_ffmpeg, packaged_ffmpeg, run, running

Program = Callable[[str], Path]
SUBTITLES = frozenset({"filter:subtitles"})
ENDLESS = ["-f", "lavfi", "-i", "sine", "-f", "s16le", "pipe:1"]


def test_a_named_program_that_cannot_run_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nothing"))
    with pytest.raises(ToolError, match="nothing is not a program"):
        find_ffmpeg()


def test_a_named_ffmpeg_that_lacks_something_is_refused_and_not_passed_over(program: Program) -> None:
    poor = program('echo " .. scale  V->V  Scale"')
    with pytest.raises(ToolError, match="lacks the subtitles filter"):
        find_ffmpeg(SUBTITLES, poor)
    assert find_ffmpeg(frozenset({"filter:scale"}), poor) == poor


def test_a_poor_system_ffmpeg_is_used_for_what_it_can_do(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    poor = program('echo " .. scale  V->V  Scale"')
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("PATH", str(poor.parent), prepend=os.pathsep)
    assert find_ffmpeg(frozenset({"filter:scale"})) == poor
    assert find_ffmpeg(SUBTITLES) == packaged_ffmpeg()


def test_a_system_ffmpeg_that_does_not_start_is_passed_over(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = program("exit 127")
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("PATH", str(broken.parent), prepend=os.pathsep)
    assert find_ffmpeg(SUBTITLES) == packaged_ffmpeg()


def test_no_ffmpeg_at_all_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setattr(door, "system_ffmpeg", lambda: None)
    monkeypatch.setattr(door, "packaged_ffmpeg", lambda: None)
    with pytest.raises(ToolError, match="pip install imageio-ffmpeg"):
        find_ffmpeg(SUBTITLES)


def test_a_binary_is_asked_once_per_kind(program: Program, tmp_path: Path) -> None:
    counting = program(f'echo x >> "{tmp_path}/asked"; echo " .. scale  V->V  Scale"')
    for _ in range(3):
        find_ffmpeg(frozenset({"filter:scale"}), counting)
    assert (tmp_path / "asked").read_text().count("x") == 1


def test_ffmpeg_does_not_outlive_an_exception(ffmpeg: Path) -> None:
    def work() -> None:
        with running(ENDLESS, ffmpeg=ffmpeg) as started:
            seen.append(started)
            started.stdout.read(100)
            raise KeyboardInterrupt

    seen: list[door.Running] = []
    with pytest.raises(KeyboardInterrupt):
        work()
    assert seen[0].process.returncode == -signal.SIGKILL


def test_ffmpeg_does_not_outlive_a_reader_that_stops_early(ffmpeg: Path) -> None:
    start = time.monotonic()
    with running(ENDLESS, ffmpeg=ffmpeg) as work:
        work.stdout.read(100)
    assert work.process.returncode is not None
    assert time.monotonic() - start < 10


def test_a_flood_on_stderr_does_not_block(program: Program) -> None:
    flood = program("yes '[error] noise' | head -n 200000 >&2; echo done")
    with running([], ffmpeg=flood) as work:
        assert work.stdout.read() == b"done\n"
    assert len(work.errors) == 200


def test_progress_is_told_in_seconds(ffmpeg: Path) -> None:
    told: list[float] = []
    arguments = ["-f", "lavfi", "-i", "sine=d=3", "-f", "null", "-"]
    assert run(arguments, ffmpeg=ffmpeg, source=Path("x"), on_position=told.append) == ()
    assert told[-1] == pytest.approx(3.0, abs=0.1)


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        ("[mov @ 0x5] [error] moov atom not found", MediaError, "clip.mp4 was cut off"),
        (
            "[in#0 @ 0x5] [error] Error opening input: Invalid data found when processing input",
            MediaError,
            "is not audio",
        ),
        ("[error] av_interleaved_write_frame(): No space left on device", OutputError, "disk is full"),
        ("[fatal] Unknown encoder 'libx264'", ToolError, "lacks an encoder"),
        ("ffmpeg: error while loading shared libraries: libx.so", ToolError, "libx.so"),
        ("", ToolError, "gave no reason"),
    ],
)
def test_a_failure_becomes_one_clear_error(program: Program, said: str, kind: type[Exception], words: str) -> None:
    failing = program(f'echo "{said}" >&2; exit 183')
    with pytest.raises(kind, match=words):
        run([], ffmpeg=failing, source=Path("clip.mp4"))


def test_a_killed_ffmpeg_is_not_blamed_on_the_file(program: Program) -> None:
    killed = program("kill -9 $$")
    with running([], ffmpeg=killed) as work:
        work.stdout.read()
    error = explain(work, Path("clip.mp4"))
    assert isinstance(error, ToolError)
    assert "signal 9" in str(error)
