"""The one door to ffmpeg: find a binary that can do the job, run it, explain why it failed.

A binary is chosen per need, because a system's ffmpeg may lack what imageio-ffmpeg's has (libass, x264).
Commands are lists, never a shell's text; every local file is written `file:/absolute/path`, so that no name
can pass for an option or a protocol. What ffmpeg says on stderr is read by a thread all the while, and
no ffmpeg outlives the block that started it.
"""

import os
import re
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from threading import Thread
from typing import IO

from subwhisper.errors import MediaError, OutputError, SubwhisperError, ToolError

VARIABLE = "SUBWHISPER_FFMPEG"
"""The environment variable that names the ffmpeg to use."""

PROTOCOLS = "file,crypto,data"
"""What a local file may refer to. A playlist from a stranger must not reach the network."""

_PREFIX = re.compile(r"^(?:\[[^\]]*\] ?)+")  # "[mov @ 0x55d] [error] moov atom not found"
_BAD = re.compile(r"\[(?:error|fatal|panic)\] ")
_LONGEST_LINE = 65_536


def file_url(path: Path) -> str:
    """Write a local path so that ffmpeg takes it for nothing but a file."""
    return f"file:{path.absolute()}"


# ── finding ──────────────────────────────────────────────────────────────────────────────────────


def find_ffmpeg(needs: frozenset[str] = frozenset(), explicit: Path | None = None) -> Path:
    """Find an ffmpeg that has everything a job needs.

    One that was named (`explicit`, else the environment's SUBWHISPER_FFMPEG) is used or refused, never
    passed over. Otherwise the system's is taken if it is rich enough, else imageio-ffmpeg's.

    Args:
        needs: such as "filter:ass", "encoder:libx264", "muxer:mp4".
        explicit: a path, or a name to look up on the PATH.

    Raises:
        ToolError: there is none, or the one that was named lacks something.
    """
    stated = explicit or os.environ.get(VARIABLE)
    if stated:
        binary = shutil.which(stated)
        if binary is None:
            raise ToolError(f"{stated} is not a program that can be run", hint=f"correct {VARIABLE}, or unset it")
        if lacking := missing(Path(binary), needs):
            raise ToolError(f"{binary} lacks {_listed(lacking)}", hint=f"unset {VARIABLE} to use another ffmpeg")
        return Path(binary)
    for candidate in (system_ffmpeg(), packaged_ffmpeg()):
        if candidate is not None and not missing(candidate, needs):
            return candidate
    wanted = f" with {_listed(needs)}" if needs else ""
    raise ToolError(f"there is no ffmpeg{wanted}", hint=f"pip install imageio-ffmpeg, or name one in {VARIABLE}")


def system_ffmpeg() -> Path | None:
    """The ffmpeg on the PATH."""
    found = shutil.which("ffmpeg")
    return Path(found) if found else None


def packaged_ffmpeg() -> Path | None:
    """The ffmpeg inside the imageio-ffmpeg package; None where that has no binary for this machine."""
    import imageio_ffmpeg

    try:
        return Path(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError:
        return None


def missing(ffmpeg: Path, needs: frozenset[str]) -> frozenset[str]:
    """What of `needs` a binary lacks; all of it when it cannot be run."""
    modified = ffmpeg.stat().st_mtime_ns  # a binary replaced while we run is asked again
    return frozenset(need for need in needs if need not in _capabilities(ffmpeg, modified, need.partition(":")[0]))


def version(ffmpeg: Path) -> str | None:
    """The version as the binary states it; None when it cannot be run."""
    match = re.match(r"ffmpeg version (\S+)", _answer(ffmpeg, "-version"))
    return match[1] if match else None


def uneven_rate(ffmpeg: Path) -> list[str]:
    """The arguments for a picture whose frames stay at their times: of old the option was called otherwise."""
    return ["-fps_mode:v:0" if _knows_fps_mode(ffmpeg, ffmpeg.stat().st_mtime_ns) else "-vsync", "vfr"]


@lru_cache(maxsize=8)
def _knows_fps_mode(ffmpeg: Path, modified: int) -> bool:
    return "-fps_mode" in _answer(ffmpeg, "-h", "long")


@lru_cache(maxsize=64)
def _capabilities(ffmpeg: Path, modified: int, kind: str) -> frozenset[str]:
    # Lines are " V....D libx264   H.264 …" or "  E nut   NUT": flags, then the name.
    rows = re.findall(r"^ *[A-Z.|]+ +([\w-]+)", _answer(ffmpeg, f"-{kind}s"), re.MULTILINE)
    return frozenset(f"{kind}:{name}" for name in rows)


def _answer(ffmpeg: Path, *question: str) -> str:
    try:
        asked = subprocess.run(
            [str(ffmpeg), "-hide_banner", *question], stdin=subprocess.DEVNULL, capture_output=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout.decode(errors="replace")


def _listed(needs: frozenset[str]) -> str:
    return ", ".join(f"the {name} {kind}" for kind, _, name in (need.partition(":") for need in sorted(needs)))


# ── running ──────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Running:
    """An ffmpeg at work."""

    process: subprocess.Popen[bytes]
    stdout: IO[bytes]
    errors: deque[str] = field(default_factory=lambda: deque(maxlen=200))
    """What it complained of, without ffmpeg's own prefixes."""
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=20))
    """The last lines it wrote, of whatever kind."""

    def listen(self, stderr: IO[bytes], on_log: Callable[[str], None] | None) -> None:
        """Read every line until ffmpeg closes its stderr; runs in a thread of its own."""
        for raw in iter(lambda: stderr.readline(_LONGEST_LINE), b""):
            line = raw.decode(errors="replace").rstrip()
            said = _PREFIX.sub("", line)
            if not said:
                continue
            self.tail.append(said)
            if _BAD.search(line):
                self.errors.append(said)
            if on_log:
                on_log(said)


@contextmanager
def running(
    arguments: Sequence[str],
    *,
    ffmpeg: Path,
    log_level: str = "warning",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    on_log: Callable[[str], None] | None = None,
) -> Iterator[Running]:
    """Start ffmpeg for the length of a `with` block, which reads its stdout.

    On leaving, however that comes about, ffmpeg is dead and what it said is in `errors` and `tail`.
    `arguments` are all but the program and the options that every call has. `log_level` is ffmpeg's name of
    the least serious kind of line it should write; `on_log` gets each of them, in a thread of its own, and
    must not raise.

    Raises:
        ToolError: it could not be started.
    """
    command = [str(ffmpeg), "-nostdin", "-hide_banner", "-nostats", "-loglevel", f"level+{log_level}", *arguments]
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd, env=env
        )
    except OSError as error:
        raise ToolError(f"{ffmpeg} could not be started: {error.strerror}") from error
    assert process.stdout is not None
    assert process.stderr is not None
    work = Running(process, process.stdout)
    listener = Thread(target=work.listen, args=(process.stderr, on_log), daemon=True)
    try:
        listener.start()
        yield work
        process.stdout.close()  # unread output must not keep it waiting
        process.wait()
    finally:
        process.kill()  # does nothing to a process that has ended
        process.wait()
        listener.join()
        process.stdout.close()
        process.stderr.close()


def run(
    arguments: Sequence[str],
    *,
    ffmpeg: Path,
    source: Path,
    log_level: str = "warning",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    on_log: Callable[[str], None] | None = None,
    on_position: Callable[[float], None] | None = None,
) -> tuple[str, ...]:
    """Run ffmpeg to its end, as `running` starts it.

    A failure is blamed on `source`. `on_position` gets the seconds of output written so far, twice a second.
    Returns what ffmpeg complained of though it went on.

    Raises:
        MediaError, OutputError, ToolError: as `explain` finds.
    """
    arguments = ["-progress", "pipe:1", *arguments]
    with running(arguments, ffmpeg=ffmpeg, log_level=log_level, cwd=cwd, env=env, on_log=on_log) as work:
        for line in work.stdout:
            key, _, value = line.strip().partition(b"=")
            if on_position and key == b"out_time_us" and value.isdigit():  # "N/A" before the first frame
                on_position(int(value) / 1_000_000)
    if work.process.returncode or any(line.startswith(_UNWRITTEN) for line in work.errors):
        raise explain(work, source)
    return tuple(work.errors)


# ── explaining ───────────────────────────────────────────────────────────────────────────────────

_UNWRITTEN = ("Error writing trailer", "Error closing file")
"""FFmpeg 5 calls it a success when a disk is full only at the end."""
_OTHER_DISK = "free some space, or name an output on another disk"
_OTHER_CONTAINER = "name an output that ends in .mkv, which holds nearly everything"
_REASONS: tuple[tuple[str, type[SubwhisperError], str, str | None], ...] = (
    ("No space left on device", OutputError, "could not be processed: the disk is full", _OTHER_DISK),
    ("Error closing file", OutputError, "could not be processed: the result could not be written to its end", None),
    ("not currently supported in container", OutputError, "holds a codec that the output cannot", _OTHER_CONTAINER),
    ("only supported in MP4", OutputError, "holds a codec that the output cannot", _OTHER_CONTAINER),
    ("are supported for WebM", OutputError, "holds a codec that .webm cannot", _OTHER_CONTAINER),
    ("Unknown encoder", ToolError, "could not be processed: ffmpeg lacks an encoder", "see: subwhisper doctor"),
    ("No such filter", ToolError, "could not be processed: ffmpeg lacks a filter", "see: subwhisper doctor"),
    ("moov atom not found", MediaError, "was cut off before its index was written", "fetch or export it again"),
    ("Permission denied", MediaError, "may not be read", None),
    ("No such file or directory", MediaError, "does not exist", None),
    ("does not contain any stream", MediaError, "has nothing of the kind that was asked for", None),
    ("matches no streams", MediaError, "has no such track", None),
    ("not in white list", MediaError, "refers to something that is not a local file", "fetch it first"),
    ("not on whitelist", MediaError, "refers to something that is not a local file", "fetch it first"),
    ("Decoder (codec", MediaError, "holds a codec that this ffmpeg cannot decode", None),
    ("Decoder not found", MediaError, "holds a codec that this ffmpeg cannot decode", None),
    ("Invalid data found", MediaError, "is not audio or video that ffmpeg can read", None),
)


def explain(work: Running, source: Path) -> SubwhisperError:
    """Turn what a failed ffmpeg said into one clear error.

    Args:
        work: an ffmpeg that has ended.
        source: the file to name.

    Returns:
        MediaError or OutputError where the fault is known to be the file's or the disk's, else ToolError.
    """
    said = [*work.errors] or [*work.tail]
    if work.process.returncode < 0:
        return ToolError(f"ffmpeg was killed by signal {-work.process.returncode} while reading {source}")
    for needle, kind, what, hint in _REASONS:
        if any(needle in line for line in said):
            return kind(f"{source} {what}", hint=hint)
    # The first complaint is the cause; of lines that are no complaints, the last comes nearest.
    reason = said[0] if work.errors else said[-1] if said else "it gave no reason"
    return ToolError(f"ffmpeg failed with code {work.process.returncode} on {source}: {reason}")
