"""Readers meet files from anywhere: no crash, no hang, no more memory than the file deserves."""

import random
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from subwhisper.errors import InputError, OutputError, SubwhisperError
from subwhisper.subtitles.formats import FORMATS, encode, read_track
from subwhisper.subtitles.formats.encodings import Repair
from subwhisper.subtitles.formats.losses import find_losses
from subwhisper.subtitles.markup import Placement, Style
from subwhisper.subtitles.track import Cue, CueWord, Track

READABLE = [name for name, format in FORMATS.items() if format.read]
OWN = [name for name, format in FORMATS.items() if format.is_read]
TOKENS = [
    *(
        b"<",
        b">",
        b"{",
        b"}",
        b"\\",
        b"-->",
        b"\n\n",
        b"&",
        b"<c.x>",
        b"<ruby>",
        b"<rt>",
        b"{\\k9999999}",
        b"\0",
        b"\xff",
    ),
    *(b"99999999999", b"-1", b":", b"[", b"]", b"<p>", b"<span>", b"</p>", b'"', b"{\\t(", b"NOTE", b"[Events]", b"\r"),
    *(b"STYLE\n::cue(.x){color:", b"Infinity", b"NaN", b"null", b"1e999", b"<SYNC Start=", b"{1}{1}0", b"\xe2\x80\xa8"),
]


def mutated(content: bytes, chance: random.Random) -> bytes:
    """A file after an accident: bytes gone, changed, doubled, or strangers among them."""
    changed = bytearray(content)
    for _ in range(chance.choice([1, 2, 5, 30])):
        place = chance.randrange(len(changed) + 1)
        accident = chance.randrange(4)
        if accident == 0:
            changed[place:place] = chance.choice(TOKENS) * chance.choice([1, 1, 100])
        elif accident == 1:
            del changed[place : place + chance.choice([1, 3, 20, 200])]
        elif accident == 2 and changed:
            changed[place % len(changed)] = chance.randrange(256)
        else:
            source = chance.randrange(len(changed) + 1)
            changed[place:place] = changed[source : source + chance.choice([5, 50, 500])]
    return bytes(changed)


def seeds(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every sample as it is, and a track with everything in every format."""
    for path in sorted((folder / "subtitles").iterdir()):
        yield path.suffix, path.read_bytes()
    words = (CueWord(0, 500, 0, 0, 3), CueWord(500, 900, 0, 4, 7))
    cue = Cue(0, 900, ("one two",), words, placement=Placement("top", "left")).marked(Style(italic=True), voice="Ann")
    for name in OWN:
        yield f".{name}", encode(Track((cue, Cue(1000, 2000, ("three", "four"))), "en", karaoke=True), name)


def test_damaged_samples_are_read_or_refused_and_what_is_read_can_be_written(samples: Path, tmp_path: Path) -> None:
    chance = random.Random(11)
    files = list(seeds(samples))
    started = time.process_time()
    for number in range(300):
        suffix, content = files[number % len(files)]
        path = tmp_path / f"damaged{suffix}"
        path.write_bytes(mutated(content, chance))
        try:
            track = read_track(path, report=lambda _: None)
        except SubwhisperError as error:
            assert str(path) in error.message  # noqa: PT017 - either outcome will do
            continue
        format = OWN[number % len(OWN)]
        try:
            find_losses(track, format, encode(track, format))
        except OutputError as error:
            assert "99 hours" in error.message  # noqa: PT017 - no time code goes further
    assert time.process_time() - started < 60


N = 3000
LARGE = {
    "srt": "1\n00:00:01,000 --> 00:00:02,000\n" + "<b>" * N + "x" + "<i" * N + "{\\" * N,
    "vtt": "WEBVTT\n\n00:01.000 --> 00:02.000\n" + "<ruby>a<rt>b" * N + "<00:01.500>" * N + "<c" * N + " " * N,
    "ass": "[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,," + "{\\k1}a" * N + "{\\t(" * N,
    "ttml": "<tt><body><div>" + '<p begin="1s" end="2s"><span>a</span><br/></p>' * (N // 4),
    "lrc": "[00:01.00]" * N + "<00:01.00>a" * (N // 10),
    "sbv": "0:00:01.000,0:00:02.000\n" + "a[br]" * N,
    "sub": "{1}{1}25\n" + "{25}{50}{y:i}a|b\n" * (N // 10),
    "mpl": "[10][20]/a|b\n" * (N // 10),
    "smi": "<SAMI><BODY>" + "<SYNC Start=1><P><font color=red>a" * (N // 10),
    "json": '{"segments": [' + ",".join(['{"start": 1, "end": 2, "text": "a"}'] * N) + "]}",
    "csv": "start,end,text\n" + '1,2,"a\n"\n' * N,
    "tsv": "start\tend\ttext\n" + "1\t2\ta\n" * N,
}


@pytest.mark.parametrize("format", LARGE)
def test_pathological_files_take_a_moment_and_little_memory(format: str) -> None:
    read = FORMATS[format].read
    assert read is not None
    tracemalloc.start()
    started = time.process_time()
    track = read(LARGE[format], "x", lambda _: None)
    took, (_, peak) = time.process_time() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert track.cues
    assert took < 15  # tracing makes it several times slower
    assert peak < 300 * len(LARGE[format]) + 5_000_000


@pytest.mark.parametrize(
    ("format", "text"),
    [
        ("ttml", "<tt>" + "<div>" * 5000),
        ("ttml", '<!DOCTYPE tt [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><tt>&b;</tt>'),
        ("json", "[" * 100_000),
        ("json", '{"segments": ' + "[" * 100_000),
        ("csv", '"' * 100_001),
    ],
)
def test_files_made_to_exhaust_a_reader_are_refused(format: str, text: str) -> None:
    read = FORMATS[format].read
    assert read is not None
    with pytest.raises(InputError):
        read(text, "x", lambda _: None)


@pytest.mark.parametrize("format", READABLE)
def test_times_beyond_any_film_are_left_out_and_told(format: str) -> None:
    text = {
        "srt": "999999999:00:00,000 --> 999999999:00:01,000\na\n",
        "vtt": "WEBVTT\n\n999999999:00:00.000 --> 999999999:00:01.000\na\n",
        "ass": "[Events]\nDialogue: 0,999999:00:00.00,999999:00:01.00,Default,,0,0,0,,a\n",
        "ttml": '<tt><body><div><p begin="99999999999s" end="99999999999.5s">a</p></div></body></tt>',
        "json": '{"segments": [{"start": 1e300, "end": 1e301, "text": "a"}]}',
        "tsv": "start\tend\ttext\n99999999999999\t99999999999999\ta\n",
    }.get(format)
    if text is None:
        pytest.skip("the clock of this format does not go that far")
    read = FORMATS[format].read
    assert read is not None
    repairs: list[Repair] = []
    assert read(text, "x", repairs.append).cues == ()
    assert repairs
