"""SCC and EBU STL: written by us, and read by ttconv, which knows nothing of our writers."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from subwhisper.errors import InputError
from subwhisper.subtitles.formats import encode, read_track, render, stl, ttml
from subwhisper.subtitles.formats.encodings import Repair
from subwhisper.subtitles.formats.losses import find_losses
from subwhisper.subtitles.formats.timecode import NTSC, PAL, frame_at, time_code, time_of
from subwhisper.subtitles.markup import CueSpan, Placement, Style
from subwhisper.subtitles.track import Cue, Track

FRAME_MS = 34
RED = Style(colour="#ff0000")


def stl_file(
    *texts: bytes, start: bytes = b"10000000", builds_up: tuple[int, ...] = (), teletext: bool = True
) -> bytes:
    """An EBU STL file of subtitles of a second and a half each, from 10:00:01:00 on."""
    head = bytearray(b" " * 1024)
    for place, value in [
        (0, b"850"), (3, b"STL25.01"), (11, b"1" if teletext else b"0"), (12, b"00"), (14, b"09"), (16, b"A title"),
        (224, b"231101231101"), (236, b"00"), (238, b"00001"), (243, b"00001"), (248, b"001"), (251, b"40"),
        (253, b"23"), (255, b"1"), (256, start), (264, b"10000100"), (272, b"1"), (273, b"1"), (274, b"GBR"),
    ]:  # fmt: skip
        head[place : place + len(value)] = value
    blocks = (
        bytes([0, number, 0, 0xFF, kind, 10, 0, 1 + 2 * number, 0, 10, 0, 2 + 2 * number, 12, 20, 2, 0])
        + text.ljust(112, b"\x8f")
        for number, (text, kind) in enumerate(zip(texts, builds_up or [0] * len(texts), strict=True))
    )
    return bytes(head) + b"".join(blocks)


def by_ttconv(content: bytes) -> Track:
    reader = pytest.importorskip("ttconv.stl.reader")
    config: Any = pytest.importorskip("ttconv.stl.config").STLReaderConfiguration(program_start_tc="TCP")
    document = reader.to_model(io.BytesIO(content), config)
    tree = pytest.importorskip("ttconv.imsc.writer").from_model(document)
    return ttml.read(ElementTree.tostring(tree.getroot(), encoding="unicode"), "x", lambda _: None)


EUROPEAN = Track(
    (
        Cue(1000, 2000, ("Grüße, “Łódź” – ÇĞŞİ ģ", "Zażółć gęślą jaźń ♪")),
        Cue(3000, 4000, ("A red word",), spans=(CueSpan(0, 2, 5, RED),), placement=Placement("top", "left")),
        Cue(5000, 9960, (" ".join(["many words"] * 9),)),
    ),
    "pl",
)


def test_another_reader_finds_the_letters_colours_and_times_that_were_written() -> None:
    theirs = by_ttconv(encode(EUROPEAN, "stl"))
    ours = stl.read(encode(EUROPEAN, "stl"), "x")
    assert [(cue.start_ms, cue.end_ms, cue.lines) for cue in theirs.cues] == [
        (cue.start_ms, cue.end_ms, cue.lines) for cue in ours.cues
    ]
    assert ours.cues[0].lines == ("Grüße, “Łódź” - ÇĞŞİ ģ", "Zażółć gęślą jaźń ♪")
    assert (ours.language, theirs.language) == ("pl", "pl")
    assert RED.colour in [span.style.colour for span in theirs.cues[1].spans]
    assert ours.cues[1] == replace(EUROPEAN.cues[1], raw=None)
    assert theirs.cues[1].placement is not None
    assert theirs.cues[1].placement.row == "top"


@pytest.mark.parametrize("text", ["Привет, мир", "Καλημέρα", "שלום", "مرحبا"])
def test_each_alphabet_has_its_character_table(text: str) -> None:
    content = encode(Track((Cue(1000, 2000, (text,)),)), "stl")
    assert stl.read(content, "x").cues[0].lines == (text,)
    assert by_ttconv(content).cues[0].lines == (text,)


def test_slanted_letters_make_open_captions_and_coloured_ones_teletext() -> None:
    slanted = Track((Cue(1000, 2000, ("so it is",), spans=(CueSpan(0, 3, 5, Style(italic=True)),)),))
    content = encode(slanted, "stl")
    assert content[11:12] == b"0"
    assert stl.read(content, "x").cues == slanted.cues
    both = replace(slanted, cues=(*slanted.cues, Cue(3000, 4000, ("x",)).marked(RED)))
    content = encode(both, "stl")
    assert content[11:12] == b"1"
    assert [str(loss) for loss in find_losses(both, "stl", content)] == ["italic (1)"]


def test_ebu_stl_is_read_on_the_clock_of_its_programme(tmp_path: Path) -> None:
    path = tmp_path / "a.stl"
    path.write_bytes(stl_file(b"Good evening."))
    (cue,) = read_track(path, report=lambda _: None).cues
    assert (cue.start_ms, cue.end_ms, cue.text) == (1000, 2480, "Good evening.")


@pytest.mark.parametrize("start", [b"        ", b"99000000"])
def test_a_clock_that_cannot_be_right_is_left_and_told(start: bytes) -> None:
    repairs: list[Repair] = []
    (cue,) = stl.read(stl_file(b"x", start=start), "x", repairs.append).cues
    assert cue.start_ms == 36_001_000
    assert len(repairs) == 1


def test_a_file_comes_back_byte_for_byte() -> None:
    """Flashing letters, rows of one's own and what the head says have no word of ours."""
    content = stl_file(b"\x0d\x08\x03\x0b\x0bFlashing\x0a\x0a\x8a\x8a\x0d\x0b\x0btwo", b"\x0b\x0bsingle height")
    track = stl.read(content, "x")
    assert [cue.lines for cue in track.cues] == [("Flashing", "two"), ("single height",)]
    back = encode(track, "stl")
    assert back[1024:] == content[1024:]
    assert (back[:238], back[256:264]) == (content[:238], content[256:264])
    kinds = {loss.kind for loss in find_losses(track, "srt", encode(track, "srt"))}
    assert {"flash", "row of the screen", "programme"} <= kinds


def test_captions_that_build_up_are_shown_whole() -> None:
    track = stl.read(stl_file(b"One,", b"two,", b"three.", builds_up=(1, 2, 3)), "x")
    assert [cue.lines for cue in track.cues] == [("One,",), ("One,", "two,"), ("One,", "two,", "three.")]
    assert [(cue.start_ms, cue.end_ms) for cue in track.cues] == [(1000, 2480), (3000, 4480), (5000, 6480)]


def test_long_texts_go_on_in_the_next_block() -> None:
    lines = tuple(f"{number} teletext row of some letters" for number in range(8))
    content = encode(Track((Cue(1000, 2000, lines),)), "stl")
    assert len(content) > 1024 + 2 * 128
    assert stl.read(content, "x").cues[0].lines == lines


@pytest.mark.parametrize("rate", [PAL, NTSC])
@pytest.mark.parametrize("frame", [0, 1, 1799, 1800, 17981, 17982, 107_892, 2_000_000])
def test_time_codes_come_back(rate: Any, frame: int) -> None:
    assert frame_at(time_of(time_code(frame, rate), rate), rate) == frame


def test_drop_frame_codes_keep_up_with_the_clock() -> None:
    assert time_code(1800, NTSC) == (0, 1, 0, 2)
    assert time_code(17982, NTSC) == (0, 10, 0, 0)
    assert time_code(frame_at(3_600_000, NTSC), NTSC) == (1, 0, 0, 0)


def through_scc(track: Track) -> Track:
    scc_reader = pytest.importorskip("subwhisper.subtitles.formats.scc_reader")
    pytest.importorskip("ttconv")
    back: Track = scc_reader.read(render(track, "scc"), "x", lambda _: None)
    return back


def test_another_reader_finds_what_was_written_as_cea_608() -> None:
    italic, underline = Style(italic=True), Style(underline=True)
    track = Track(
        (
            Cue(2000, 4000, ("Grüße! ¿Qué? ♪♪", "{a}* — ‘b “c”")),
            Cue(6000, 8000, ("A red word",), spans=(CueSpan(0, 2, 5, RED),), placement=Placement("top")),
            Cue(8067, 9900, ("so italic here", "x"), spans=(CueSpan(0, 3, 9, italic), CueSpan(1, 0, 1, underline))),
            Cue(
                9900, 12_000, ("Wholly slanted", "and all of 32 letters wide here!"), placement=Placement("middle")
            ).marked(italic),
        )
    )
    back = through_scc(track)
    assert [cue.lines for cue in back.cues] == [cue.lines for cue in track.cues]
    assert [cue.placement for cue in back.cues] == [cue.placement for cue in track.cues]
    times = [[time for cue in part.cues for time in (cue.start_ms, cue.end_ms)] for part in (track, back)]
    assert times[1] == pytest.approx(times[0], abs=FRAME_MS / 2)
    assert {loss.kind for loss in find_losses(track, "scc", render(track, "scc").encode())} == {"exact time"}


def test_captions_without_room_for_their_letters_come_late_and_in_order() -> None:
    words = Track(tuple(Cue(at, at + 200, ("seventeen letters",)) for at in range(0, 2000, 200)))
    back = through_scc(words)
    assert [cue.lines for cue in back.cues] == [cue.lines for cue in words.cues]
    assert all(late.start_ms > cue.start_ms for late, cue in zip(back.cues, words.cues, strict=True))


def test_what_is_on_screen_together_becomes_one_caption() -> None:
    both = Track((Cue(2000, 6000, ("long",)), Cue(4000, 6000, ("short",))), overlapping=True)
    assert [cue.lines for cue in stl.read(encode(both, "stl"), "x").cues] == [("long",), ("long", "short")]


@pytest.mark.parametrize(("name", "content"), [("a.scc", b"words"), ("a.stl", b"850STL25.01"), ("b.stl", b"solid x")])
def test_what_is_no_broadcast_file_is_refused_by_name(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=name):
        read_track(path)
