"""What the user typed becomes recordings."""

from pathlib import Path

import pytest

from subwhisper.pipeline.inputs import Refused, Source
from subwhisper.pipeline.search import expand


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def names(arguments: list[str]) -> list[str]:
    return [str(source.path) for source in expand(arguments) if isinstance(source, Source)]


def only_refusal(argument: str) -> Refused:
    (refused,) = expand([argument])
    assert isinstance(refused, Refused)
    return refused


def test_a_folder_gives_its_media_to_its_depths_in_order(tmp_path: Path) -> None:
    media = [tmp_path / "a.mp4", tmp_path / "b" / "c.WAV"]
    touch(*media, tmp_path / "notes.txt", tmp_path / ".hidden.mp4", tmp_path / ".cache" / "d.mp4")
    assert names([str(tmp_path)]) == [str(path) for path in media]


def test_a_folder_search_leaves_out_videos_we_captioned(tmp_path: Path) -> None:
    touch(tmp_path / "a.mp4", tmp_path / "a.captioned.mp4")
    assert names([str(tmp_path)]) == [str(tmp_path / "a.mp4")]


def test_a_file_named_outright_is_taken_whatever_its_name(tmp_path: Path) -> None:
    touch(tmp_path / "recording.bin")
    assert names([str(tmp_path / "recording.bin")]) == [str(tmp_path / "recording.bin")]


def test_a_pattern_gives_the_files_it_matches(tmp_path: Path) -> None:
    touch(tmp_path / "b.mp3", tmp_path / "a.mp3", tmp_path / "c.wav")
    assert names([str(tmp_path / "*.mp3")]) == [str(tmp_path / "a.mp3"), str(tmp_path / "b.mp3")]


def test_a_name_that_looks_like_a_pattern_is_a_name_when_it_exists(tmp_path: Path) -> None:
    touch(tmp_path / "talk [1].mp4", tmp_path / "talk 1.mp4")
    assert names([str(tmp_path / "talk [1].mp4")]) == [str(tmp_path / "talk [1].mp4")]


def test_a_recording_named_twice_is_taken_once(tmp_path: Path) -> None:
    touch(tmp_path / "a.mp3", tmp_path / "x" / "notes.txt")
    assert len(expand([str(tmp_path / "a.mp3"), str(tmp_path), str(tmp_path / "x" / ".." / "a.mp3")])) == 1


def test_stdin_names_its_outputs_in_the_working_folder() -> None:
    (source,) = expand(["-"])
    assert isinstance(source, Source)
    assert (str(source), source.stem, source.folder) == ("-", "stdin", Path())


def test_a_folder_without_media_is_refused_by_name(tmp_path: Path) -> None:
    assert str(tmp_path) in only_refusal(str(tmp_path)).error.message


@pytest.mark.parametrize("argument", ["nowhere.mp4", "nothing-*.mp4", "x" * 5000, "a\0b"])
def test_what_names_no_recording_is_refused_by_name(
    argument: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = only_refusal(argument)
    assert refused.argument == argument
    assert argument in refused.error.message


def test_a_bad_argument_keeps_its_place_among_good_ones(tmp_path: Path) -> None:
    touch(tmp_path / "a.mp3", tmp_path / "b.mp3")
    kinds = [type(found) for found in expand([str(tmp_path / "a.mp3"), "nowhere.mp4", str(tmp_path / "b.mp3")])]
    assert kinds == [Source, Refused, Source]


def test_a_url_is_a_recording_named_after_its_last_part() -> None:
    (one, two) = expand(
        ["https://example.org/a/talk.mp4", "HTTP://example.org/b.mp3", "https://example.org/a/talk.mp4"]
    )
    assert (str(one), one.stem) == ("https://example.org/a/talk.mp4", "talk")
    assert two.stem == "b"
