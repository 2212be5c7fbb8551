import json
from pathlib import Path

import pytest
from command_line import Run

from subwhisper.media.probe import probe
from subwhisper.subtitles.formats import read_track


def test_sound_is_written_beside_the_film(run_cli: Run, video_file: Path, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(video_file.read_bytes())
    ran = run_cli("extract", film, "--json")
    assert ran.code == 0, ran.stderr
    assert json.loads(ran.stdout) == {"outputs": [str(tmp_path / "film.wav")]}
    again = run_cli("extract", film)
    assert again.code == 4
    assert "film.wav exists" in again.stderr
    assert run_cli("extract", film, "--overwrite", "--mix", "mono", "--loudness", "-23").code == 0


@pytest.mark.parametrize(
    ("format", "line"), [("srt", "00:00:01,000 -->"), ("vtt", "01.000 -->"), ("ass", "0:00:01.00")]
)
def test_subtitles_come_in_the_format_that_is_asked_for(
    run_cli: Run, samples: Path, tmp_path: Path, format: str, line: str
) -> None:
    output = tmp_path / f"out.{format}"
    ran = run_cli("extract", samples / "video/sample_MKV_SRT.mkv", "--subtitle-track", 0, "-o", output)
    assert ran.code == 0, ran.stderr
    assert line in output.read_text(encoding="utf-8")


def test_subtitles_of_mp4_become_subrip_named_by_their_language(run_cli: Run, samples: Path, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes((samples / "video/nasa_13013.mp4").read_bytes())
    assert run_cli("extract", film, "--subtitle-track", "English").code == 0
    assert len(read_track(tmp_path / "film.eng.srt").cues) > 2


def test_a_recording_can_be_piped_in(run_cli: Run, video_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with video_file.open("rb") as stream:
        monkeypatch.setattr("sys.stdin", type("Stdin", (), {"buffer": stream, "isatty": lambda self: False})())
        assert run_cli("extract", "-", "-o", "piped.flac").code == 0
    assert probe(Path("piped.flac")).audio[0].codec == "flac"


def test_requests_that_make_no_sense_are_refused_in_a_line(run_cli: Run, video_file: Path, tmp_path: Path) -> None:
    cases = [
        (["--to", "mp9"], 2, "no sound can be written as 'mp9'"),
        (["-o", tmp_path / "a.wav", "--to", "flac"], 2, "is not called .flac"),
        (["-o", tmp_path / "a.txt"], 2, "no suffix that sound can be written to"),
        (["-o", tmp_path / "a.mp3", "--channel", 9], 3, "no channel 9"),
        (["-o", tmp_path / "a.mp3", "--channel", "back"], 3, "no channel back"),
        (["--subtitle-track", 0], 3, "has no subtitle track"),
        (["--subtitle-track", 0, "--mix", "mono"], 2, "--subtitle-track takes subtitles"),
        (["--loudness", 7], 2, "between -70 and -5 LUFS"),
    ]
    for arguments, code, words in cases:
        ran = run_cli("extract", video_file, *arguments)
        assert (ran.code, words in ran.stderr) == (code, True), ran.stderr
    assert run_cli("extract", tmp_path).code == 3
    assert [path for path in tmp_path.iterdir() if path.is_file()] == []
