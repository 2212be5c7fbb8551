"""Files made for the tests of `media`, by the ffmpeg that comes with the package."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from subwhisper.media.ffmpeg import VARIABLE, packaged_ffmpeg

Make = Callable[..., Path]


@pytest.fixture(scope="session")
def ffmpeg() -> Path:
    """The packaged ffmpeg, or the one that SUBWHISPER_TEST_FFMPEG names."""
    stated = os.environ.get("SUBWHISPER_TEST_FFMPEG")
    binary = Path(stated) if stated else packaged_ffmpeg()
    if binary is None:
        pytest.skip("imageio-ffmpeg has no binary for this machine")
    return binary


@pytest.fixture(autouse=True)
def packaged_only(monkeypatch: pytest.MonkeyPatch, ffmpeg: Path) -> None:
    """One known ffmpeg, whatever this machine has."""
    monkeypatch.setenv(VARIABLE, str(ffmpeg))


@pytest.fixture(scope="session")
def fonts_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, fonts_cache: Path) -> None:
    monkeypatch.setenv("SUBWHISPER_CACHE", str(fonts_cache))


@pytest.fixture
def make(ffmpeg: Path, tmp_path: Path) -> Make:
    """Call ffmpeg with arguments; the last is the name of a file in `tmp_path`."""

    def made(*arguments: object, name: str) -> Path:
        path = tmp_path / name
        command = [ffmpeg, "-nostdin", "-v", "error", "-y", *map(str, arguments), f"file:{path}"]
        subprocess.run(list(map(str, command)), check=True, stdin=subprocess.DEVNULL)
        return path

    return made


@pytest.fixture
def clip(make: Make) -> Path:
    """Two seconds: a plain grey picture and a tone."""
    picture = ["-f", "lavfi", "-i", "color=c=gray:s=320x180:r=10:d=2"]
    tone = ["-f", "lavfi", "-i", "sine=f=440:d=2"]
    return make(*picture, *tone, "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", name="clip.mp4")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Every process started from here on."""
    processes: list[subprocess.Popen[bytes]] = []

    class Recorded(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            processes.append(self)

    monkeypatch.setattr(subprocess, "Popen", Recorded)
    return processes


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], Path]:
    """Write a shell script that stands in for ffmpeg."""

    def written(body: str) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        path = folder / "ffmpeg"
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return path

    return written


@pytest.fixture
def openai_samples(ffmpeg: Path) -> Callable[[Path], np.ndarray]:
    """What openai-whisper's load_audio gives, with the same ffmpeg."""

    def loaded(path: Path) -> np.ndarray:
        command = [ffmpeg, "-nostdin", "-threads", "0", "-i", path, "-f", "s16le", "-ac", "1"]
        command += ["-acodec", "pcm_s16le", "-ar", "16000", "-"]
        raw = subprocess.run(list(map(str, command)), check=True, capture_output=True).stdout
        return np.frombuffer(raw, np.int16).flatten().astype(np.float32) / 32768.0

    return loaded


EVIL_NAMES = [
    "with space",
    "it's",
    "co:lon",
    "br[ack]et,s;and=equals",
    "per%cent%03d",
    "back\\slash",
    'double"quote',
    "Привет ünï 日本",
    "dollar$HOME #hash",
    "-i",
    "new\nline",
    "http:",
]
"""Names that mean something to a shell, a filter graph, an option parser or a protocol."""


@pytest.fixture(params=EVIL_NAMES)
def evil_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)
