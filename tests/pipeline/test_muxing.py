from pathlib import Path

import pytest

from subwhisper.errors import MediaError, OptionError, OutputError
from subwhisper.media.probe import probe
from subwhisper.pipeline.extract import ExtractJob, extract
from subwhisper.pipeline.inputs import Source
from subwhisper.pipeline.mux import Addition, MuxJob, mux_subtitles
from subwhisper.subtitles.formats import read_track

SRT = """1
00:00:00,123 --> 00:00:01,457
a < b & {c} \\N d\\e

2
00:00:01,500 --> 00:00:01,999
- второй ♪
- 日本 😀
"""
HOSTILE = [  # each means something to a shell, an option parser, a filter graph or a subtitle decoder
    "-i /etc/passwd",
    "${HOME}",
    "$(reboot)",
    "x' , drawtext=textfile=/etc/passwd",
    "<b",
    "{\\an8}",
    "a\\",
    "%{pts}",
]


@pytest.fixture
def film(samples: Path) -> Path:
    return samples / "video/two-audio-tracks-en-de.mkv"


def text(path: Path) -> list[tuple[int, int, str]]:
    return [(cue.start_ms, cue.end_ms, cue.text) for cue in read_track(path).cues]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".m4v"])
def test_a_round_trip_keeps_text_and_times(film: Path, tmp_path: Path, suffix: str) -> None:
    srt = tmp_path / "film.pt-BR.forced.srt"
    srt.write_text(SRT, encoding="utf-8")
    muxed = mux_subtitles(Source(film), MuxJob(additions=(Addition.of(Source(srt)),), output=tmp_path / f"out{suffix}"))
    track = probe(muxed).subtitles[0]
    assert (track.language, "forced" in track.flags) == ("por", True)
    back = extract(Source(muxed), ExtractJob(subtitles="pt", output=tmp_path / "back.srt"))
    assert text(back) == text(srt)


def test_a_round_trip_through_webm_keeps_text_and_times(samples: Path, tmp_path: Path) -> None:
    srt = tmp_path / "words.srt"
    srt.write_text(SRT, encoding="utf-8")
    video = samples / "video/ai-explained.webm"
    muxed = mux_subtitles(
        Source(video), MuxJob(additions=(Addition.of(Source(srt), language="fr"),), output=tmp_path / "out.webm")
    )
    back = extract(Source(muxed), ExtractJob(subtitles=0, output=tmp_path / "back.srt"))
    assert text(back) == text(srt)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_hostile_text_is_only_text(film: Path, tmp_path: Path, suffix: str) -> None:
    srt = tmp_path / "words.srt"
    cues = [
        f"{n}\n00:00:0{n // 2},{n % 2 * 500:03d} --> 00:00:0{n // 2},{n % 2 * 500 + 400}\n{said}\n"
        for n, said in enumerate(HOSTILE)
    ]
    srt.write_text("\n".join(cues), encoding="utf-8")
    job = MuxJob(additions=(Addition.of(Source(srt), title="-map 0 ; $(reboot)"),), output=tmp_path / f"out{suffix}")
    muxed = mux_subtitles(Source(film), job)
    assert probe(muxed).subtitles[0].title == "-map 0 ; $(reboot)"
    back = extract(Source(muxed), ExtractJob(subtitles=0, output=tmp_path / "back.srt"))
    assert text(back) == text(srt)


def test_tracks_are_taken_out_carried_over_and_marked(samples: Path, tmp_path: Path) -> None:
    srt = tmp_path / "words.srt"
    srt.write_text(SRT, encoding="utf-8")
    video = samples / "video/nasa_13013.mp4"
    job = MuxJob(
        additions=(Addition.of(Source(srt), language="de"),), remove=("0",), default="German", output=tmp_path / "o.mkv"
    )
    tracks = probe(mux_subtitles(Source(video), job)).subtitles
    assert [(it.codec, it.language, it.flags) for it in tracks] == [
        ("subrip", "eng", ()),
        ("subrip", "deu", ("default",)),
    ]
    first, second = (
        extract(Source(path), ExtractJob(subtitles=number, output=tmp_path / f"{number}.srt"))
        for path, number in ((video, 1), (tmp_path / "o.mkv", 0))
    )
    assert text(first) == text(second)
    none = mux_subtitles(Source(tmp_path / "o.mkv"), MuxJob(remove=("all",), output=tmp_path / "none.mkv"))
    assert probe(none).subtitles == ()


def test_a_script_keeps_its_styles_in_matroska(film: Path, samples: Path, tmp_path: Path) -> None:
    script = samples / "subtitles/subtitleedit-test.ass"
    muxed = mux_subtitles(Source(film), MuxJob(additions=(Addition.of(Source(script)),), output=tmp_path / "out.mkv"))
    assert probe(muxed).subtitles[0].codec == "ass"
    back = extract(Source(muxed), ExtractJob(subtitles=0, output=tmp_path / "back.ass"))
    styles = [line for line in script.read_text("utf-8-sig").splitlines() if line.startswith("Style:")]
    assert styles
    assert all(line in back.read_text("utf-8") for line in styles)


def test_subtitles_that_are_pictures_are_left_out_with_a_word(
    samples: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    muxed = mux_subtitles(Source(samples / "video/sample_XSUB.avi"), MuxJob(output=tmp_path / "out.mp4"))
    assert probe(muxed).subtitles == ()
    assert "are pictures (xsub) are left out" in caplog.text


def test_bad_requests_are_refused_and_leave_nothing(film: Path, tmp_path: Path) -> None:
    srt = tmp_path / "words.srt"
    srt.write_text(SRT, encoding="utf-8")
    before = {*tmp_path.iterdir()}
    copy = tmp_path / "out.mkv"
    cases: list[tuple[MuxJob, type[Exception], str]] = [
        (MuxJob(remove=("de",), output=copy), MediaError, "has no subtitle track"),
        (MuxJob(default="de", output=copy), OptionError, "the result has no subtitle track 'de'"),
        (MuxJob(output=tmp_path / "out.avi"), OutputError, "no suffix that can be written"),
        (MuxJob(additions=(Addition(Source(srt)),), output=srt), OutputError, "no suffix"),
        (MuxJob(output=film, overwrite=True), OutputError, "cannot write|is an input"),
    ]
    for job, kind, words in cases:
        with pytest.raises(kind, match=words):
            mux_subtitles(Source(film), job)
    assert {*tmp_path.iterdir()} == before


@pytest.mark.parametrize("language", ["Germn", "xx", "english subtitles"])
def test_a_language_that_is_none_is_refused(language: str) -> None:
    with pytest.raises(OptionError, match="unknown language"):
        Addition.of(Source(Path("film.srt")), language=language)
    assert Addition.of(Source(Path("film.srt")), language="gsw").language == "gsw"


@pytest.mark.parametrize(
    ("name", "language", "flags"),
    [
        ("film.en.srt", "en", ()),
        ("film.pt-BR.forced.srt", "pt", ("forced",)),
        ("film.deu.sdh.default.srt", "de", ("default", "hearing_impaired")),
        ("film.part2.srt", None, ()),
        ("en.srt", None, ()),
        ("the.end.srt", None, ()),
    ],
)
def test_a_file_name_tells_language_and_flags(name: str, language: str | None, flags: tuple[str, ...]) -> None:
    said = Addition.of(Source(Path(name)))
    assert (said.language, said.flags) == (language, flags)
