"""Captions that people made already: taken when asked for, and counted when a folder is searched."""

import shutil
import time
from pathlib import Path

import pytest

from subwhisper.engine.options import TranscribeOptions
from subwhisper.media.ffmpeg import find_ffmpeg, run
from subwhisper.pipeline.existing import embedded_track, existing_captions
from subwhisper.pipeline.inputs import Held, Source
from subwhisper.pipeline.journal import Journal
from subwhisper.pipeline.mux import Addition, MuxJob, mux_subtitles
from subwhisper.pipeline.outputs import OutputPlan
from subwhisper.pipeline.plan import make_plan
from subwhisper.pipeline.search import Search
from subwhisper.pipeline.transcribe import TranscribeJob

WORDS = "1\n00:00:00,200 --> 00:00:01,200\n{}\n"


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A second of picture, with subtitles in German and forced ones in English."""
    plain, folder = tmp_path / "plain.mp4", tmp_path / "library"
    folder.mkdir()
    run(["-f", "lavfi", "-i", "color=s=64x48:r=5:d=1", str(plain)], ffmpeg=find_ffmpeg(), source=plain)
    additions = []
    for name in ("words.de.srt", "words.en.forced.srt"):
        (tmp_path / name).write_text(WORDS.format(name), encoding="utf-8")
        additions.append(Addition.of(Source(tmp_path / name)))
    return mux_subtitles(Source(plain), MuxJob(additions=tuple(additions), output=folder / "film.mkv"))


def skipped(folder: Path, language: str | None = None, **outputs: object) -> list[str | None]:
    job = TranscribeJob(options=TranscribeOptions(language=language), outputs=OutputPlan(**outputs))  # type: ignore[arg-type]
    plan = make_plan(list(Search().find([str(folder)])), job, Journal(None).jobs, redo=False)
    return [one.skipped for one in plan.skipped]


def test_a_track_of_the_language_counts_as_captions(film: Path) -> None:
    there = ["subtitle track 0 has the captions"]
    assert skipped(film.parent) == there
    assert skipped(film.parent, "German") == there
    assert skipped(film.parent, "en") == []  # only forced ones
    assert skipped(film.parent, "de", beside_tracks=True) == []
    assert skipped(film.parent, "de", formats=("srt", "json")) == []  # a text to work on is no caption
    assert skipped(film.parent, "de", burn=True) == []
    (film.parent / "film.en.srt").touch()
    assert skipped(film.parent, "en") == ["film.en.srt is there"]


def test_pictures_of_text_do_not_count(samples: Path, tmp_path: Path) -> None:
    shutil.copyfile(samples / "video/sample_XSUB.avi", tmp_path / "film.avi")
    assert embedded_track(tmp_path / "film.avi", None) is None
    assert embedded_track(samples / "video/nasa_13013.mp4", "en") == 0


def test_looking_for_tracks_costs_little(film: Path) -> None:
    for number in range(300):
        (film.parent / f"{number}.mkv").hardlink_to(film)
    started = time.process_time()
    assert len(skipped(film.parent)) == 301
    assert time.process_time() - started < 3


def test_written_subtitles_are_taken_as_they_are(film: Path, tmp_path: Path) -> None:
    captions = existing_captions(Held(film), ["de"])
    assert captions is not None
    assert [(cue.start_ms, cue.end_ms, cue.text) for cue in captions.track.cues] == [(200, 1200, "words.de.srt")]
    assert (captions.transcript.language, captions.transcript.text.strip()) == ("de", "words.de.srt")
    assert captions.transcript.provenance["subtitles"] == "track 0"
    spoken = existing_captions(Held(film), [None])
    assert spoken is not None
    assert spoken.transcript.language == "de"
    assert existing_captions(Held(film), ["en"]) is None
    assert existing_captions(Held(film), ["de", "en"]) is None
    page = tmp_path / "page.en-GB.srt"
    page.write_text(WORDS.format("of the page"), encoding="utf-8")
    both = existing_captions(Held(film, {"en-GB": page}), ["de", "en"])
    assert both is not None
    assert both.transcript.translation is not None
    assert both.transcript.translation.text.strip() == "of the page"
    assert [cue.lines for cue in both.shown.cues] == [("words.de.srt", "of the page")]
    assert existing_captions(Held(film, {"en-GB": page}), [None]) is None  # which of them is spoken?


def test_subtitles_that_cannot_be_read_are_told_and_not_taken(
    film: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "page.xyz").write_bytes(b"\0\1")
    assert existing_captions(Held(film, {"en": tmp_path / "page.xyz"}), ["en"]) is None
    assert "cannot be read" in caplog.text
