"""Names, clashes, and files that are whole or not there."""

import os
import stat
from pathlib import Path

import pytest

from subwhisper.errors import OutputError
from subwhisper.pipeline.inputs import Source
from subwhisper.pipeline.outputs import OutputPlan, check_writable, replacing, write_files


def source(path: Path | str) -> Source:
    return Source(Path(path))


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_result_lies_beside_its_input_or_in_the_folder_asked_for() -> None:
    talk = source("films/talk.part1.mp4")
    assert OutputPlan().path(talk, "en", "srt") == Path("films/talk.part1.en.srt")
    assert OutputPlan(folder=Path("out")).path(talk, "de", "vtt") == Path("out/talk.part1.de.vtt")
    assert OutputPlan(folder=Path("out")).captioned(talk) == Path("out/talk.part1.captioned.mp4")


def test_two_inputs_of_one_name_are_refused_naming_both(tmp_path: Path) -> None:
    first, second = source(tmp_path / "a" / "talk.mp4"), source(tmp_path / "b" / "talk.wav")
    OutputPlan().check([first, second])
    with pytest.raises(OutputError) as caught:
        OutputPlan(folder=tmp_path / "out").check([first, second])
    assert str(first) in caught.value.message
    assert str(second) in caught.value.message


def test_a_name_too_long_for_the_disk_is_refused_before_any_work(tmp_path: Path) -> None:
    longest = tmp_path / ("x" * (255 - len(".yue.srt")) + ".mp4")
    OutputPlan().check([source(longest)])
    with pytest.raises(OutputError, match="too long"):
        OutputPlan(formats=("srt", "json")).check([source(longest)])
    with pytest.raises(OutputError, match=r"captioned\.mp4 is too long"):
        OutputPlan(burn=True).check([source(longest)])


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(OutputError, match="is not a folder"):
        check_writable(tmp_path / "out")
    with pytest.raises(OutputError, match="out"):
        check_writable(tmp_path / "out" / "deeper")


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs a folder that even root cannot write to")
def test_a_folder_that_cannot_be_written_to_is_named() -> None:
    with pytest.raises(OutputError, match="/proc"):
        check_writable(Path("/proc"))


def test_looking_whether_a_folder_can_be_written_to_leaves_nothing(tmp_path: Path) -> None:
    check_writable(tmp_path / "a" / "b")
    assert listing(tmp_path / "a" / "b") == []


def test_a_file_that_is_there_is_refused_when_told_not_to_overwrite(tmp_path: Path) -> None:
    plan = OutputPlan(formats=("srt", "json"), overwrite=False)
    talk = source(tmp_path / "talk.mp4")
    (tmp_path / "talk.part2.srt").touch()  # somebody else's: `part2` is no language
    plan.refuse_existing(talk, None)
    (tmp_path / "talk.de.json").touch()
    plan.refuse_existing(talk, "en")
    with pytest.raises(OutputError, match=r"talk\.de\.json"):
        plan.refuse_existing(talk, None)
    OutputPlan(formats=("json",)).refuse_existing(talk, "de")


def test_several_files_are_written_whole(tmp_path: Path) -> None:
    write_files({tmp_path / "a.srt": "é\n".encode(), tmp_path / "b.vtt": b"b"})
    assert (tmp_path / "a.srt").read_bytes() == "é\n".encode()
    assert listing(tmp_path) == ["a.srt", "b.vtt"]


def test_a_new_file_has_the_rights_that_the_user_gives_new_files(tmp_path: Path) -> None:
    """A file of mkstemp's is readable by nobody else, and a rename keeps that."""
    (tmp_path / "usual").touch()
    write_files({tmp_path / "a.srt": b""})
    rights = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("usual", "a.srt")]
    assert rights[0] == rights[1]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, OSError])
def test_a_failure_leaves_every_file_as_it_was(tmp_path: Path, failure: type[BaseException]) -> None:
    (tmp_path / "a.srt").write_text("before")
    targets = [tmp_path / "a.srt", tmp_path / "b.srt"]

    def fail_half_way() -> None:
        with replacing(targets) as hidden:
            hidden[targets[0]].write_text("half")
            raise failure

    with pytest.raises((failure, OutputError)):
        fail_half_way()
    assert listing(tmp_path) == ["a.srt"]
    assert (tmp_path / "a.srt").read_text() == "before"


def test_an_input_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "talk.txt"
    path.write_text("kept")
    with pytest.raises(OutputError, match="is an input"):
        write_files({tmp_path / "x" / ".." / "talk.txt": b"new"}, inputs=[path])
    assert path.read_text() == "kept"


def test_what_is_no_regular_file_is_not_replaced(tmp_path: Path) -> None:
    """Renaming onto /dev/null as root would replace the device."""
    (tmp_path / "folder.srt").mkdir()
    with pytest.raises(OutputError, match="not a regular file"):
        write_files({tmp_path / "folder.srt": b""})


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real.srt").write_text("old")
    (tmp_path / "link.srt").symlink_to(tmp_path / "real.srt")
    write_files({tmp_path / "link.srt": b"new"})
    assert (tmp_path / "link.srt").is_symlink()
    assert (tmp_path / "real.srt").read_text() == "new"


def test_a_name_too_long_for_the_disk_is_named(tmp_path: Path) -> None:
    target = tmp_path / ("x" * 300 + ".srt")
    with pytest.raises(OutputError, match="xxx"):
        write_files({target: b""})


def test_captions_of_one_input_do_not_replace_another(tmp_path: Path) -> None:
    """`subwhisper transcribe *.mp4 --burn`, run a second time, names the videos of the first run too."""
    film, captioned = tmp_path / "film.mp4", tmp_path / "film.captioned.mp4"
    linked = tmp_path / "out" / "film.captioned.mp4"
    linked.parent.mkdir()
    linked.symlink_to(captioned)
    sources = [source(film), source(captioned)]
    OutputPlan().check(sources)
    for folder in (None, linked.parent):
        with pytest.raises(OutputError, match="is an input") as caught:
            OutputPlan(burn=True, folder=folder).check(sources)
        assert str(film) in caught.value.message
