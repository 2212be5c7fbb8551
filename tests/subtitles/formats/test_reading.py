import codecs
import logging
from pathlib import Path

import pytest

from subwhisper.errors import InputError
from subwhisper.subtitles.formats import ass, read_track, srt, tsv, vtt
from subwhisper.subtitles.track import Cue, Track

SRT = "1\n00:00:01,000 --> 00:00:02,000\nGrüße – 你好\n"
CUE = Cue(1000, 2000, ("Grüße – 你好",))


@pytest.mark.parametrize(
    "content",
    [
        SRT.encode(),
        codecs.BOM_UTF8 + SRT.encode(),
        SRT.encode("utf-16"),
        codecs.BOM_UTF16_BE + SRT.encode("utf-16-be"),
        SRT.encode("utf-32"),
        codecs.BOM_UTF32_BE + SRT.encode("utf-32-be"),
        SRT.replace("\n", "\r\n").encode(),
        SRT.replace("\n", "\r").encode(),
    ],
    ids=["utf-8", "utf-8 BOM", "utf-16", "utf-16-be", "utf-32", "utf-32-be", "CRLF", "CR"],
)
def test_encodings_and_line_ends(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "captions.srt"
    path.write_bytes(content)
    assert read_track(path).cues == (CUE,)


def test_other_encodings_must_be_stated(tmp_path: Path) -> None:
    path = tmp_path / "captions.srt"
    path.write_bytes("1\n00:00:01,000 --> 00:00:02,000\nGrüße\n".encode("cp1252"))
    assert read_track(path, encoding="cp1252").cues[0].lines == ("Grüße",)
    with pytest.raises(InputError, match=r"captions\.srt, line 3: this is not UTF-8"):
        read_track(path)
    with pytest.raises(InputError, match="no text encoding called 'klingon'"):
        read_track(path, encoding="klingon")


@pytest.mark.parametrize(
    ("text", "cues"),
    [
        ("", []),
        ("00:00:01,0 --> 00:00:02,5\na\n00:00:03,000 --> 00:00:04,000\nb\n", [(1000, 2500, "a"), (3000, 4000, "b")]),
        ("7\n0:0:1.5 --> 0:0:2.25 X1:1 Y1:2\na\n", [(1500, 2250, "a")]),
        ("1\n00:01 --> 00:02\na", [(1000, 2000, "a")]),
        ("1\n100:00:01,000 --> 100:00:02,000\na", [(360_001_000, 360_002_000, "a")]),
        ("1\n00:00:01,000 --> 00:00:02,000\na\n\nb\n\n", [(1000, 2000, "a|b")]),  # a blank line inside
        (
            "1\n00:00:01,000 --> 00:00:02,000\n1984\n\n2\n00:00:03,000 --> 00:00:04,000\n3\n\n",
            [(1000, 2000, "1984"), (3000, 4000, "3")],
        ),
        (
            '1\n00:00:01,000 --> 00:00:02,000\n{\\an8}<i>x</i> < y <font color="red">z</font> <unknown>\n',
            [(1000, 2000, "x < y z <unknown>")],
        ),
        ("1\n00:00:01,000 --> 00:00:02,000\nturn --> left\n", [(1000, 2000, "turn --> left")]),
    ],
)
def test_srt_as_it_is_found(text: str, cues: list[tuple[int, int, str]]) -> None:
    assert [(cue.start_ms, cue.end_ms, "|".join(cue.lines)) for cue in srt.read(text, "x.srt").cues] == cues


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("just a letter\nto a friend\n", r"x\.srt, line 1: found no cue"),
        (SRT + "\n2\n00:00:0x,000 --> 00:00:02,000\nb\n", r"x\.srt, line 6: cannot read the time"),
    ],
)
def test_srt_mistakes_are_named_with_their_line(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        srt.read(text, "x.srt")


def test_repairs_are_logged_with_their_line(caplog: pytest.LogCaptureFixture) -> None:
    text = (
        "1\n00:00:05,000 --> 00:00:04,000\nback\n\n"
        "2\n00:00:06,000 --> 00:00:06,000\nnever\n\n"
        "3\n00:00:07 --> 00:00:08\n"
    )
    with caplog.at_level(logging.WARNING):
        track = srt.read(text, "x.srt")
    assert [(cue.start_ms, cue.end_ms) for cue in track.cues] == [(4000, 5000)]
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "x.srt, line 2",
        "x.srt, line 6",
        "x.srt, line 10",
    ]


@pytest.mark.parametrize(
    ("text", "cues"),
    [
        ("WEBVTT", []),
        (
            "WEBVTT - title\nLanguage: en\n\nNOTE\nx --> y\n\nSTYLE\n::cue{}\n\nid\n01:00.000 --> 01:01.000 line:0\na",
            [(60_000, 61_000, "a")],
        ),
        (
            "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann>1 &lt; 2 &amp;&nbsp;<00:01.500><c.x>so</c>",
            [(1000, 2000, "1 < 2 &\u00a0so")],
        ),
        (
            "WEBVTT\n\n00:01.000 --> 00:02.000\na\nb\n\n\n\n00:02.000 --> 00:03.000\nc",
            [(1000, 2000, "a|b"), (2000, 3000, "c")],
        ),
        ("WEBVTT\n00:01.000 --> 00:02.000\na", [(1000, 2000, "a")]),
    ],
)
def test_webvtt_as_it_is_found(text: str, cues: list[tuple[int, int, str]]) -> None:
    assert [(cue.start_ms, cue.end_ms, "|".join(cue.lines)) for cue in vtt.read(text, "x.vtt").cues] == cues


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (vtt.read, "WEBVTTX\n", r"x, line 1: a WebVTT file must begin"),
        (vtt.read, "WEBVTT\n\nid\n00:01 -> 0 --> 2\nx", r"x, line 4: cannot read the time"),
        (tsv.read, "a\tb\n", r"x, line 1: the columns"),
        (tsv.read, "start\tend\ttext\n0\t1\ta\n1.5\t2\tb\n", r"x, line 3: start and end"),
        (ass.read, "[Script Info]\n", r"x, line 1: this is not a SubStation file"),
        (ass.read, "[Events]\nDialogue: 0,0:00:xx,0:00:02.00,Default,,0,0,0,,a\n", r"x, line 2: cannot read the time"),
    ],
)  # fmt: skip
def test_mistakes_are_named_with_their_line(read, text: str, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=message):
        read(text, "x")


def test_ass_text_loses_its_codes_only() -> None:
    text = (
        "[Script Info]\nScriptType: v4.00+\n\n[Events]\n"
        "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
        "Comment: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,not shown\n"
        "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\an8\\k20}one, {\\i1}two{\\i0}\\Nthree\\hfour\n"
        "Dialogue: 0,0:00:02.00,0:00:03.00,Default,,0,0,0,,{\\p1}m 0 0 l 1 1{\\p0}\n"
    )
    assert ass.read(text, "x.ass") == Track((Cue(1000, 2000, ("one, two", "three\u00a0four")),))


def test_content_counts_before_the_suffix(tmp_path: Path) -> None:
    path = tmp_path / "captions.srt"
    path.write_text("WEBVTT\n\n00:01.000 --> 00:02.000\na &amp; b\n")
    assert read_track(path).cues[0].text == "a & b"


@pytest.mark.parametrize(("name", "text"), [("page.html", "<p>no --> times</p>"), ("plain.txt", "said")])
def test_other_files_are_refused_by_name(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError, match=name):
        read_track(path)
    with pytest.raises(InputError, match=r"cannot read .*missing\.srt"):
        read_track(tmp_path / "missing.srt")


LEGACY = {
    "windows-1252-fr.srt": ("cp1252", "CE FILM RELATE DES ÉVÉNEMENTS"),
    "iso-8859-9-turkish.srt": ("iso-8859-9", "Benim adım Abaddon."),
    "auto_detect_windows-1250.srt": ("cp1250", "Đino!"),
    "auto_detect_windows-1251.srt": ("cp1251", "Из зоре времена долазимо,"),
    "gb2312-chinese.srt": ("gb2312", "宇宙守护神 保护我们远离邪恶"),
}
CUES = {
    "arabic-rtl.srt": 26,
    "bom-utf-16-be.srt": 7,
    "bom-utf-16-le.srt": 7,
    "bom-utf-32-le.srt": 7,
    "bom-utf-8.srt": 7,
    "capability_tester.srt": 35,
    "empty.srt": 5,  # two more have no text
    "made-emoji-overlap.srt": 4,
    "made-mixed-rtl-cjk.vtt": 3,
    "no-indexes.srt": 7,
    "shared-culture-cc-en.vtt": 56,
    "subtitleedit-test.ass": 3,
    "subtitleedit-test.ssa": 3,
}


@pytest.mark.parametrize("name", CUES)
def test_samples_are_read_whole(samples: Path, name: str) -> None:
    assert len(read_track(samples / "subtitles" / name).cues) == CUES[name]


@pytest.mark.parametrize("name", LEGACY)
def test_samples_in_legacy_encodings(samples: Path, name: str) -> None:
    encoding, line = LEGACY[name]
    track = read_track(samples / "subtitles" / name, encoding=encoding)
    assert any(line.lower() in read.lower() for cue in track.cues for read in cue.lines)


def test_every_subtitle_sample_is_read_or_refused_by_name(samples: Path) -> None:
    for path in sorted((samples / "subtitles").iterdir()):
        try:
            read_track(path)
        except InputError as error:
            assert str(path) in error.message  # noqa: PT017 - either outcome will do
