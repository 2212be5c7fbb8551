import io
from pathlib import Path

import pytest

from subwhisper.errors import MediaError, OutputError
from subwhisper.media.decode import open_audio
from subwhisper.media.spool import spooled


def test_a_stream_becomes_a_file_that_goes_away(samples: Path) -> None:
    with (samples / "speech/jfk.flac").open("rb") as stream, spooled(stream) as path:
        assert path.name == "stdin"
        assert sum(map(len, open_audio(path).blocks())) == 11 * 16_000
    assert not path.parent.exists()


def test_the_file_goes_away_when_the_work_fails() -> None:
    with pytest.raises(KeyboardInterrupt), spooled(io.BytesIO(b"sound")) as path:
        raise KeyboardInterrupt
    assert not path.parent.exists()


def test_an_empty_stream_is_an_error() -> None:
    with pytest.raises(MediaError, match="stdin is empty"), spooled(io.BytesIO()):
        pytest.fail("there is nothing to work on")


def test_no_room_for_the_stream_is_said() -> None:
    class Full(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match=r"stdin could not be kept in .*No space left"), spooled(Full()):
        pytest.fail("it was not kept")
