from pathlib import Path

import pytest

from subwhisper.media.facts import ffmpeg_facts, font_facts
from subwhisper.media.fonts import font_folder, lay_out_fonts, write_fonts


def test_fonts_are_written_once_and_whole() -> None:
    first = write_fonts(font_folder())
    written = [path.stat().st_mtime_ns for path in first]
    assert [path.stat().st_mtime_ns for path in write_fonts(font_folder())] == written
    assert {path.read_bytes()[:4] for path in first} == {b"\0\1\0\0", b"OTTO"}
    assert {path.name for path in font_folder().iterdir()} == {path.name for path in first}


def test_our_fonts_have_the_characters_captions_need() -> None:
    ttlib = pytest.importorskip("fontTools.ttLib")
    covered = set()
    for path in write_fonts(font_folder()):
        with ttlib.TTFont(path) as font:
            covered |= set(font.getBestCmap())
    needed = "Héllo Tiếng Việt Ελληνικά Привіт שלום سلام نمایش नमस्ते สวัสดี გამარჯობა ♪♫ «»“”…—"
    assert {character for character in needed if ord(character) not in covered} == set()


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("SUBWHISPER_CACHE", str(file / "cache"))
    workspace = tmp_path / "work"
    workspace.mkdir()
    environment = lay_out_fonts(workspace)
    assert (workspace / "fonts/FiraGO-Regular.ttf").is_file()
    assert str(workspace / "fonts") in Path(environment["FONTCONFIG_FILE"]).read_text()
    facts = font_facts()
    assert facts.files == ()
    assert "cannot be written" in str(facts.problem)


def test_paths_are_escaped_in_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBWHISPER_CACHE", str(tmp_path / "a <b> & c"))
    text = Path(lay_out_fonts(tmp_path)["FONTCONFIG_FILE"]).read_text()
    assert "a &lt;b&gt; &amp; c" in text


def test_doctor_learns_what_there_is(ffmpeg: Path) -> None:
    facts = ffmpeg_facts()
    assert facts.decoder == facts.burner == ffmpeg
    assert facts.no_decoder is facts.no_burner is None
    known = {one.path: one for one in facts.known}
    assert known[ffmpeg].version is not None
    assert known[ffmpeg].lacks_for_burning == frozenset()
    fonts = font_facts()
    assert fonts.family == "FiraGO"
    assert fonts.folder / "FiraGO-Regular.ttf" in fonts.files
