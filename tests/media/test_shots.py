"""Cuts planted in a made video are found."""

from pathlib import Path

import pytest

from subwhisper.errors import MediaError
from subwhisper.media.ffmpeg import find_ffmpeg, run
from subwhisper.media.shots import find_shots

SHOTS = ((2.0, "testsrc2"), (1.6, "smptebars"), (2.4, "mandelbrot"), (1.0, "color=white"))
CUTS = (2.0, 3.6, 6.0)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four shots, the third one moving, with a cut between each two."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    inputs = [
        part
        for seconds, source in SHOTS
        for part in ("-f", "lavfi", "-t", str(seconds), "-i", f"{source}{':' if '=' in source else '='}s=320x180:r=25")
    ]
    joined = f"concat=n={len(SHOTS)}:v=1,format=yuv420p"
    run([*inputs, "-filter_complex", joined, str(path)], ffmpeg=find_ffmpeg(), source=path)
    return path


def test_cuts_are_found_to_the_frame(film: Path) -> None:
    assert find_shots(film) == pytest.approx(CUTS, abs=0.02)


def test_a_recording_without_picture_is_refused(samples: Path) -> None:
    with pytest.raises(MediaError, match="no moving picture"):
        find_shots(samples / "speech" / "jfk.flac")
