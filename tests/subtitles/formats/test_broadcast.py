"""SCC and EBU STL, where ttconv is there."""

from pathlib import Path

import pytest

from subwhisper.errors import InputError
from subwhisper.subtitles.formats import read_track, render
from subwhisper.subtitles.track import Cue, Track

pytest.importorskip("ttconv")


def stl_file(text: bytes) -> bytes:
    """An EBU STL file of one subtitle, at 10:00:01:00 to 10:00:02:12 of a programme that begins at 10:00:00:00."""
    head = bytearray(b" " * 1024)
    for place, value in [
        (0, b"850"), (3, b"STL25.01"), (11, b"0"), (12, b"00"), (14, b"09"), (224, b"231101231101"), (236, b"00"),
        (238, b"00001"), (243, b"00001"), (248, b"001"), (251, b"40"), (253, b"23"), (255, b"1"), (256, b"10000000"),
        (264, b"10000100"), (272, b"1"), (273, b"1"), (274, b"GBR"),
    ]:  # fmt: skip
        head[place : place + len(value)] = value
    block = bytes([0, 0, 0, 0xFF, 0, 10, 0, 1, 0, 10, 0, 2, 12, 20, 2, 0]) + text.ljust(112, b"\x8f")
    return bytes(head) + block


def test_captions_come_back_from_scc_to_the_frame(tmp_path: Path) -> None:
    track = Track((Cue(5000, 7000, ("Hello there,", "how are you?")), Cue(9000, 10_000, ("Fine.",))))
    path = tmp_path / "a.scc"
    path.write_text(render(track, "scc"))
    back = read_track(path, report=lambda _: None)
    assert [cue.lines for cue in back.cues] == [cue.lines for cue in track.cues]
    assert [cue.placement for cue in back.cues] == [None, None]
    times = [time for cue in back.cues for time in (cue.start_ms, cue.end_ms)]
    assert times == pytest.approx([5000, 7000, 9000, 10_000], abs=67)


def test_ebu_stl_is_read_on_the_clock_of_its_programme(tmp_path: Path) -> None:
    path = tmp_path / "a.stl"
    path.write_bytes(stl_file(b"Good evening."))
    (cue,) = read_track(path, report=lambda _: None).cues
    assert (cue.start_ms, cue.end_ms, cue.text) == (1000, 2480, "Good evening.")


@pytest.mark.parametrize(("name", "content"), [("a.scc", b"words"), ("a.stl", b"850STL25.01"), ("b.stl", b"solid x")])
def test_what_is_no_broadcast_file_is_refused_by_name(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=name):
        read_track(path)
