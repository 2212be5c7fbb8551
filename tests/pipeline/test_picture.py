from pathlib import Path

import pytest

from subwhisper.pipeline.picture import picture_of
from subwhisper.subtitles.layout.frames import NO_PICTURE


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        ("video/nasa_13013.mp4", 30000 / 1001),
        ("video/vfr-webb.mp4", None),  # a mean of changing rates is no rate
        ("video/grid-s1-bbaf2n.mpg", 25.0),
    ],
)
def test_the_frame_rate_is_that_of_the_video_if_it_has_one(samples: Path, name: str, rate: float | None) -> None:
    assert picture_of(samples / name).frame_rate == rate


def test_sound_alone_has_no_picture(samples: Path) -> None:
    assert picture_of(samples / "speech" / "jfk.flac", shots=True) == NO_PICTURE
