import json
from pathlib import Path

from command_line import Run


def test_a_table_of_streams_is_printed(run_cli: Run, samples: Path) -> None:
    ran = run_cli("probe", samples / "video/two-audio-tracks-en-de.mkv")
    assert ran.code == 0
    rows = {line[2:14].strip(): line.split() for line in ran.stdout.splitlines()[2:]}
    assert {*rows} == {"video 0", "audio 0", "audio 1"}
    assert rows["audio 1"][2:6] == ["deu", "opus", "+0.021", "0:00:05.259"]


def test_the_report_counts_offsets_from_the_container(run_cli: Run, samples: Path) -> None:
    ran = run_cli("probe", samples / "video/test_non_zero_start.mp4", samples / "video/audio-offset-2s.mkv", "--json")
    first, second = json.loads(ran.stdout)["files"]
    assert first["start"] > 8
    assert abs(first["video"][0]["offset"]) < 0.001
    assert abs(second["audio"][0]["offset"] - 2.0) < 0.01


def test_every_bad_input_is_named_and_the_good_are_shown(run_cli: Run, video_file: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("no film")
    ran = run_cli("probe", tmp_path / "notes.mp4", video_file, tmp_path / "nothing")
    assert ran.code == 10
    assert "160x120" in ran.stdout
    assert "notes.mp4" in ran.stderr
    assert "nothing does not exist" in ran.stderr


def test_titles_of_a_file_cannot_draw_on_the_terminal(run_cli: Run, video_file: Path, tmp_path: Path) -> None:
    from subwhisper.media.ffmpeg import find_ffmpeg, run

    odd = tmp_path / "odd.mkv"
    title = "title=red \x1b[31m\nnew line"
    run(["-i", str(video_file), "-c", "copy", "-metadata", title, str(odd)], ffmpeg=find_ffmpeg(), source=odd)
    ran = run_cli("probe", odd)
    assert "\x1b" not in ran.stdout
    assert "red" in ran.stdout.splitlines()[0]
    assert "new line" in ran.stdout.splitlines()[0]
