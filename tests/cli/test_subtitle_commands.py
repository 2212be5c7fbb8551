"""`shift`, `stretch`, `merge`, `split`, `diff` as they are typed."""

import json
from pathlib import Path

import pytest
from command_line import Run

from subwhisper.subtitles.formats import read_track, write_track
from subwhisper.subtitles.track import Cue, Track


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.en.srt"
    path.write_text(
        "1\n00:00:01,000 --> 00:00:03,000\nHello there.\n\n2\n00:01:10,500 --> 00:01:12,000\nGood\nbye.\n",
        encoding="utf-8",
    )
    return path


def times(path: Path) -> list[tuple[int, int]]:
    return [(cue.start_ms, cue.end_ms) for cue in read_track(path).cues]


@pytest.mark.parametrize(
    ("by", "start"), [("2.5", 3500), ("-0:00,5", 500), ("+00:01:00.250", 61_250), ("-400ms", 600), ("1s", 2000)]
)
def test_a_shift_is_typed_as_people_write_times(run_cli: Run, film: Path, by: str, start: int) -> None:
    ran = run_cli("shift", film, "--by", by, "--json")
    assert ran.code == 0, ran.stderr
    target = film.with_name("film.en.shifted.srt")
    assert json.loads(ran.stdout) == {"outputs": [str(target)]}
    assert times(target)[0][0] == start
    assert times(film)[0] == (1000, 3000)


def test_a_part_is_shifted_in_place(run_cli: Run, film: Path) -> None:
    assert run_cli("shift", film, "--by", "1", "--from", "1:00", "--in-place").code == 0
    assert times(film) == [(1000, 3000), (71_500, 73_000)]


def test_an_input_is_replaced_only_when_that_is_asked_for(run_cli: Run, film: Path) -> None:
    before = film.read_bytes()
    ran = run_cli("shift", film, "--by", "1", "-o", film)
    assert (ran.code, film.read_bytes()) == (4, before)
    assert "is an input" in ran.stderr
    both = run_cli("shift", film, "--by", "1", "-o", film.with_name("other.srt"), "--in-place")
    assert (both.code, film.read_bytes()) == (2, before)


def test_another_file_stays_when_nothing_may_be_replaced(run_cli: Run, film: Path) -> None:
    other = film.with_name("film.en.shifted.srt")
    other.write_text("mine")
    assert run_cli("shift", film, "--by", "1", "--no-overwrite").code == 4
    assert other.read_text() == "mine"


def test_what_is_left_out_is_told(run_cli: Run, film: Path) -> None:
    ran = run_cli("shift", film, "--by", "-60")
    assert ran.code == 0
    assert "1 cues would end before the recording starts" in ran.stderr


@pytest.mark.parametrize(
    ("options", "start"),
    [
        (("--factor", "2"), 141_000),
        (("--from-fps", "25", "--to-fps", "23.976"), 73_511),
        (("--point", "0:01=0:02", "--point", "1:10.5=1:11.5"), 71_500),
    ],
)
def test_the_three_ways_to_stretch(run_cli: Run, film: Path, options: tuple[str, ...], start: int) -> None:
    ran = run_cli("stretch", film, *options, "-o", film.with_name("out.vtt"))
    assert ran.code == 0, ran.stderr
    assert times(film.with_name("out.vtt"))[1][0] == start


@pytest.mark.parametrize(
    "arguments",
    [
        ("shift", "--by", "soon"),
        ("shift", "--by", "1:30ms"),
        ("stretch",),
        ("stretch", "--factor", "0"),
        ("stretch", "--factor", "2", "--from-fps", "25"),
        ("stretch", "--from-fps", "25"),
        ("stretch", "--point", "1=2"),
        ("stretch", "--point", "12"),
        ("split",),
        ("split", "--at", "5", "--every", "5"),
        ("split", "--every", "0"),
        ("split", "--at", "0"),
        ("split", "--at", "5,x"),
        ("shift", "--by", "1", "-o", "film.docx"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_is_one_line_and_exit_code_2(run_cli: Run, film: Path, arguments: tuple[str, ...]) -> None:
    ran = run_cli(arguments[0], film, *arguments[1:])
    assert ran.code == 2, ran.stderr
    assert ran.stderr.startswith("subwhisper: error: ")
    assert [path.name for path in film.parent.iterdir()] == [film.name]


def test_parts_are_written_with_their_starts_and_put_together_again(run_cli: Run, film: Path, tmp_path: Path) -> None:
    ran = run_cli("split", film, "--gaps", "30", "-o", tmp_path / "parts", "--json")
    assert ran.code == 0, ran.stderr
    rows = json.loads(ran.stdout)["outputs"]
    assert [(Path(row["path"]).name, row["cues"]) for row in rows] == [
        ("film.en.part1.srt", 1),
        ("film.en.part2.srt", 1),
    ]
    whole = tmp_path / "whole.srt"
    paths = [row["path"] for row in rows]
    assert run_cli("merge", *paths, "--append", "--offset", rows[1]["start"], "-o", whole).code == 0
    assert whole.read_bytes() == film.read_bytes()


def test_two_languages_are_stacked(run_cli: Run, film: Path) -> None:
    german = film.with_name("film.de.srt")
    german.write_text("1\n00:00:01,100 --> 00:00:03,100\nGuten Tag.\n", encoding="utf-8")
    target = film.with_name("both.srt")
    assert run_cli("merge", german, film, "-o", target).code == 0
    assert read_track(target).cues[0].lines == ("Guten Tag.", "Hello there.")
    refused = run_cli("merge", german, film, "-o", german)
    assert refused.code == 4


def test_equal_files_end_with_0_and_different_ones_with_1(run_cli: Run, film: Path) -> None:
    later = film.with_name("later.srt")
    later.write_text(film.read_text().replace("01,000", "01,080").replace("Good", "Well"), encoding="utf-8")
    assert run_cli("diff", film, film).code == 0
    ran = run_cli("diff", film, later)
    assert ran.code == 1
    assert "+80" in ran.stdout
    assert "[-Good-] {+Well+} bye." in ran.stdout
    report = json.loads(run_cli("diff", film, later, "--tolerance", "0.1", "--json").stdout)
    assert [row["first"] for row in report["differences"]] == [2]
    assert run_cli("diff", film, film.with_name("missing.srt")).code == 3


def test_subtitles_are_synced_to_others_that_fit(run_cli: Run, tmp_path: Path) -> None:
    good, late = tmp_path / "good.srt", tmp_path / "late.srt"
    starts = [1000 * n + 130 * (n * n % 17) for n in range(2, 60, 3)]
    write_track(Track(tuple(Cue(start, start + 900, (f"line {start}",)) for start in starts)), good)
    assert run_cli("shift", good, "--by", "31.4", "-o", late).code == 0
    ran = run_cli("sync", late, good, "--json")
    assert ran.code == 0, ran.stderr
    report = json.loads(ran.stdout)
    assert report["offset"] == pytest.approx(-31.4, abs=0.002)
    assert run_cli("diff", good, report["outputs"][0], "--tolerance", "2ms").code == 0
    refused = run_cli("sync", late, good, "--max-offset", "5", "-o", tmp_path / "no.srt")
    assert refused.code == 3
    assert "--max-offset" in refused.stderr
    assert not (tmp_path / "no.srt").exists()
    assert run_cli("sync", late, good, "--min-confidence", "2").code == 2


def test_merged_times_are_only_moved_where_they_nearly_agree(run_cli: Run, film: Path, tmp_path: Path) -> None:
    other, target = tmp_path / "de.srt", tmp_path / "both.srt"
    write_track(Track((Cue(1400, 3300, ("Guten Tag.",)), Cue(20_000, 21_000, ("Wie bitte?",)))), other)
    assert run_cli("merge", film, other, "-o", target).code == 0
    assert times(target) == [(1000, 3000), (20_000, 21_000), (70_500, 72_000)]


def test_subtitles_two_minutes_away_are_as_far_as_is_looked_unasked(run_cli: Run, tmp_path: Path) -> None:
    good, late = tmp_path / "good.srt", tmp_path / "late.srt"
    starts = [1000 * n + 17 * (n * n * n % 101) for n in range(2, 300, 3)]
    write_track(Track(tuple(Cue(start, start + 900, (f"line {start}",)) for start in starts)), good)
    assert run_cli("shift", good, "--by", "2:10", "-o", late).code == 0
    assert run_cli("sync", late, good).code == 3
    assert run_cli("sync", late, good, "--max-offset", "2:20", "-o", tmp_path / "found.srt").code == 0
    assert times(tmp_path / "found.srt") == times(good)
