import codecs
import logging
from pathlib import Path

import pytest

from subwhisper.errors import InputError, OptionError
from subwhisper.subtitles.formats import FORMATS, ass, read_track, srt, vtt
from subwhisper.subtitles.formats.encodings import Repair
from subwhisper.subtitles.track import Cue, Track

SRT = "1\n00:00:01,000 --> 00:00:02,000\nGrüße – 你好\n"
CUE = Cue(1000, 2000, ("Grüße – 你好",))


def read_text(text: str, format: str) -> tuple[Track, list[Repair]]:
    read = FORMATS[format].read
    assert read is not None
    repairs: list[Repair] = []
    return read(text, "x", repairs.append), repairs


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


def test_other_encodings_are_stated_or_guessed_and_a_guess_is_told(tmp_path: Path) -> None:
    path = tmp_path / "captions.srt"
    path.write_bytes("1\n00:00:01,000 --> 00:00:02,000\nViele Grüße aus Köln, schöne Straße\n".encode("cp1252"))
    repairs: list[Repair] = []
    assert read_track(path, encoding="cp1252", report=repairs.append).cues[0].text.startswith("Viele Grüße")
    assert repairs == []
    assert read_track(path, report=repairs.append).cues[0].text.startswith("Viele Grüße")
    assert "guess" in repairs[0].what
    with pytest.raises(OptionError, match="no text encoding called 'klingon'"):
        read_track(path, encoding="klingon")
    with pytest.raises(InputError, match=r"captions\.srt, line 3: this is not ascii text"):
        read_track(path, encoding="ascii")


@pytest.mark.parametrize("encoding", ["base64", "rot13", "klingon", "a\0b"])
def test_an_encoding_that_is_none_is_refused_even_when_not_needed(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "captions.srt"
    path.write_text(SRT)
    with pytest.raises(OptionError, match="no text encoding"):
        read_track(path, encoding=encoding)


def test_utf16_without_a_mark_is_recognised(tmp_path: Path) -> None:
    path = tmp_path / "captions.srt"
    for encoding in ("utf-16-le", "utf-16-be"):
        path.write_bytes(SRT.encode(encoding))
        assert read_track(path).cues == (CUE,)


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


def test_text_without_any_cue_is_refused_with_its_line() -> None:
    with pytest.raises(InputError, match=r"x\.srt, line 2: found no cue"):
        srt.read("\njust a letter\nto a friend\n", "x.srt")


def test_a_cue_whose_time_is_broken_does_not_take_the_others_with_it() -> None:
    repairs: list[Repair] = []
    track = srt.read(SRT + "\n2\n00:00:0x,000 --> 00:00:02,000\nb\n\n" + SRT, "x.srt", repairs.append)
    assert len(track.cues) == 2
    assert [(repair.line, "'b'" in repair.what) for repair in repairs] == [(6, True)]


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
    ("format", "text", "message"),
    [
        ("vtt", "WEBVTTX\n", r"x, line 1: a WebVTT file must begin"),
        ("tsv", "a\tb\n", r"x, line 1: the columns"),
        ("csv", "start,text\n", r"x, line 1: the column end is missing"),
        ("ass", "[Script Info]\n", r"x, line 1: this is not a SubStation file"),
        ("ttml", "<tt>\n<p", r"x, line 2: this is not XML|no cue"),
        ("ttml", "<html/>", r"x, line 1: this XML is not TTML"),
        ("ttml", "no", r"x, line 1: this is not XML"),
        ("json", '{"segments": [}', r"x, line 1: this is not JSON"),
        ("json", "{}", r"x: this JSON holds no captions"),
        ("sbv", "\nwords", r"x, line 2: found no cue"),
        ("sub", "words", r"x, line 1: found no cue"),
        ("mpl", "words", r"x, line 1: found no cue"),
        ("smi", "words", r"x, line 1: found no cue"),
        ("lrc", "words", r"x, line 1: found no time"),
    ],
)  # fmt: skip
def test_what_is_no_such_file_is_refused_with_its_line(format: str, text: str, message: str) -> None:
    if format == "ttml" and text.startswith("<tt>"):
        assert read_text(text, format)[0].cues == ()
        return
    with pytest.raises(InputError, match=message):
        read_text(text, format)


HEAD = "[Events]\n"
ASS_LINE = "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,good\n"
SRT_CUE = "00:00:01,000 --> 00:00:02,000\ngood\n\n"
VTT_CUE = "00:01.000 --> 00:02.000\ngood\n\n"


@pytest.mark.parametrize(
    ("format", "text", "line"),
    [
        ("vtt", f"WEBVTT\n\nid\n00:01 -> 0 --> 2\nx\n\n{VTT_CUE}", 3),
        ("vtt", f"WEBVTT\n\n{VTT_CUE}stray words\n", 6),
        ("tsv", "start\tend\ttext\n1000\t2000\tgood\n1.5\t2\tb\n", 3),
        ("csv", 'start,end,text\n"1000","2000","good"\nx,2,b\n', 3),
        ("ass", f"{HEAD}Dialogue: 0,0:00:xx,0:00:02.00,Default,,0,0,0,,a\n{ASS_LINE}", 2),
        ("ass", f"{HEAD}{ASS_LINE}stray\n", 3),
        ("srt", f"{SRT_CUE}00:00:05,000 --> 00:00:05,000\nnever\n", 4),
        ("srt", f"stray words\n\n{SRT_CUE}", 1),
        ("ttml", '<tt xmlns="http://www.w3.org/ns/ttml"><body><div>\n<p begin="1s" end="2s">good</p>\n<p', 3),
        ("ttml", '<tt><body><div>\n<p begin="1s" end="2s">good</p>\n<p begin="5s">no end</p></div></body></tt>', 3),
        ("sbv", "stray\n\n0:00:01.000,0:00:02.000\ngood\n", 1),
        ("sub", "{1}{1}25\n{25}{50}good\nstray\n", 3),
        ("mpl", "[10][20]good\nstray\n", 2),
        ("smi", "<SAMI><BODY>\n<SYNC Start=1000><P>good\n<SYNC Start=2000><P>&nbsp;\n<SYNC Start=x><P>b</BODY>", 4),
        ("lrc", "[00:01.00]good\n[00:02.00]\nstray\n", 3),
        ("json", '{"segments": [{"start": 1, "end": 2, "text": "good"}, {"start": "x"}]}', 0),
    ],
)  # fmt: skip
def test_what_can_be_saved_is_saved_and_the_rest_is_told_with_its_line(format: str, text: str, line: int) -> None:
    track, repairs = read_text(text, format)
    assert (1000, 2000, "good") in [(cue.start_ms, cue.end_ms, cue.text) for cue in track.cues]
    assert [repair.line for repair in repairs] == [line]


def test_ass_text_loses_its_codes_only() -> None:
    text = (
        "[Script Info]\nScriptType: v4.00+\n\n[Events]\n"
        "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
        "Comment: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,not shown\n"
        "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\an8\\k20}one, {\\i1}two{\\i0}\\Nthree\\hfour\n"
        "Dialogue: 0,0:00:02.00,0:00:03.00,Default,,0,0,0,,{\\p1}m 0 0 l 1 1{\\p0}\n"
    )
    assert [cue.lines for cue in ass.read(text, "x.ass").cues] == [("one, two", "three\u00a0four")]


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
SAID = {
    "cp1250": ["Příliš žluťoučký kůň úpěl ďábelské ódy.", "Zażółć gęślą jaźń, proszę państwa."],
    "cp1251": ["Здравствуйте, как у вас дела сегодня?", "Мы скоро вернёмся домой."],
    "koi8-r": ["Здравствуйте, как у вас дела сегодня?", "Мы скоро вернёмся домой."],
    "cp1252": ["Où êtes-vous allés hier soir ?", "C'est très gentil à vous, déjà.", "Ça m'a été donné par ma mère."],
    "cp1253": ["Καλημέρα, τι κάνετε σήμερα;", "Πρέπει να φύγουμε τώρα."],
    "cp1254": ["Bugün hava çok güzel, değil mi?", "Şimdi eve gitmek istiyorum."],
    "cp1255": ["שלום, מה שלומך היום?", "אני רוצה ללכת הביתה עכשיו."],
    "cp1256": ["مرحبا، كيف حالك اليوم؟", "أريد أن أذهب إلى البيت الآن."],
    "cp874": ["วันนี้คุณสบายดีไหม", "ฉันอยากกลับบ้านเดี๋ยวนี้"],
    "big5": ["我們今天要去哪裡吃晚飯?", "這個問題很難回答。"],
    "gb18030": ["我们今天要去哪里吃晚饭？", "这个问题很难回答。"],
    "shift_jis": ["今日はどこで晩ご飯を食べますか。", "この問題は答えるのが難しい。"],
    "euc_jp": ["今日はどこで晩ご飯を食べますか。", "この問題は答えるのが難しい。"],
    "euc_kr": ["오늘 저녁은 어디에서 먹을까요?", "이 문제는 대답하기 어렵습니다."],
}  # fmt: skip


@pytest.mark.parametrize("encoding", SAID)
def test_a_few_sentences_tell_the_encodings_of_before_unicode(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "captions.srt"
    text = "".join(f"{n}\n00:00:0{n},000 --> 00:00:0{n},900\n{line}\n\n" for n, line in enumerate(SAID[encoding], 1))
    path.write_bytes(text.encode(encoding))
    for stated in (None, encoding):
        repairs: list[Repair] = []
        track = read_track(path, encoding=stated, report=repairs.append)
        assert [cue.text for cue in track.cues] == SAID[encoding]
        assert ["confidence" in repair.what for repair in repairs] == ([] if stated else [True])


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


@pytest.mark.parametrize("stated", [True, False], ids=["stated", "guessed"])
@pytest.mark.parametrize("name", LEGACY)
def test_samples_in_legacy_encodings(samples: Path, name: str, stated: bool) -> None:
    encoding, line = LEGACY[name]
    track = read_track(samples / "subtitles" / name, encoding=encoding if stated else None)
    assert any(line.lower() in read.lower() for cue in track.cues for read in cue.lines)


def test_every_subtitle_sample_is_read_or_refused_by_name(samples: Path) -> None:
    for path in sorted((samples / "subtitles").iterdir()):
        try:
            read_track(path)
        except InputError as error:
            assert str(path) in error.message  # noqa: PT017 - either outcome will do


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\0\0\0\x20ftypisom" + bytes(100), "video"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "picture"),
        (b"PK\x03\x04" + bytes(100), "archive"),
    ],
)
def test_what_holds_no_text_is_named_and_nothing_guessed_of_it(tmp_path: Path, content: bytes, what: str) -> None:
    path = tmp_path / "captions.srt"
    path.write_bytes(content)
    repairs: list[Repair] = []
    with pytest.raises(InputError, match=f"captions.srt is an? .*{what}"):
        read_track(path, report=repairs.append)
    assert not repairs
