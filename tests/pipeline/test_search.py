"""Which recordings a batch finds, and which of them have captions already."""

import time
from pathlib import Path
from threading import Barrier

import pytest

from subwhisper.errors import InputError
from subwhisper.pipeline.captioned import Shelf, covering
from subwhisper.pipeline.identity import FileIdentity, ProcessIdentity, sampled_hash
from subwhisper.pipeline.inputs import Refused, Source
from subwhisper.pipeline.jobs import JobRecord
from subwhisper.pipeline.journal import Journal
from subwhisper.pipeline.outputs import OutputPlan
from subwhisper.pipeline.plan import BatchPlan, make_plan, name_of, request_key
from subwhisper.pipeline.search import Search
from subwhisper.pipeline.transcribe import TranscribeJob
from subwhisper.subtitles.layout.profile import Profile


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def found(root: Path, search: Search, *arguments: str) -> list[str]:
    sources = list(search.find(list(arguments) or [str(root)]))
    assert all(isinstance(source, Source) for source in sources), sources
    return [str(source.path.relative_to(root)) for source in sources if isinstance(source, Source) and source.path]


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        (Search(), ["b.mp4", "s/S01E01.mkv", "s/S01E02.mkv", "s/deep/c.wav"]),
        (Search(recursive=False), ["b.mp4"]),
        (Search(include=("S01*",)), ["s/S01E01.mkv", "s/S01E02.mkv"]),
        (Search(include=("s/*",), exclude=("*02*",)), ["s/S01E01.mkv", "s/deep/c.wav"]),
        (Search(exclude=("deep",)), ["b.mp4", "s/S01E01.mkv", "s/S01E02.mkv"]),
        (Search(include=("*.bin", "b.*")), ["a.bin", "b.mp4"]),
    ],
)
def test_a_folder_is_searched_as_told(tmp_path: Path, search: Search, expected: list[str]) -> None:
    touch(tmp_path, "a.bin", "b.mp4", "b.srt", "b.captioned.mp4", ".hidden.mp4", ".git/x.mp4", "@eaDir/y.mp4")
    touch(tmp_path, "s/S01E01.mkv", "s/S01E02.mkv", "s/S01E01.nfo", "s/deep/c.wav", "s/S01E01.trickplay/z.mp4")
    assert found(tmp_path, search) == expected


def test_lists_name_inputs_in_any_spelling(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4", "odd\nname.mp4", "folder/b.mp4")
    lines, nul = tmp_path / "lines.txt", tmp_path / "nul.txt"
    lines.write_text(f"{tmp_path}/a.mp4\n\n{tmp_path}/folder\n{tmp_path}/./a.mp4\n")
    nul.write_bytes(f"{tmp_path}/odd\nname.mp4\0".encode())
    search = Search(lists=(str(lines), str(nul)))
    assert [str(source) for source in search.find([])] == [
        f"{tmp_path}/a.mp4",
        f"{tmp_path}/folder/b.mp4",
        f"{tmp_path}/odd\nname.mp4",
    ]
    with pytest.raises(InputError, match="nowhere"):
        list(Search(lists=(str(tmp_path / "nowhere"),)).find([]))


def test_nothing_found_is_told(tmp_path: Path) -> None:
    touch(tmp_path, "notes.txt")
    (refused,) = Search(include=("*.mp4",)).find([str(tmp_path)])
    assert isinstance(refused, Refused)
    assert "patterns" in refused.error.message


def test_results_elsewhere_keep_the_shape_of_the_folders(tmp_path: Path) -> None:
    touch(tmp_path, "in/a/talk.mp4", "in/b/talk.mp4")
    plan = OutputPlan(folder=Path("out"), subfolder="Subs", lang_style="iso2t")
    sources = [source for source in Search().find([str(tmp_path / "in")]) if isinstance(source, Source)]
    assert [str(plan.path(source, "de", "srt")) for source in sources] == [
        "out/a/Subs/talk.deu.srt",
        "out/b/Subs/talk.deu.srt",
    ]


@pytest.mark.parametrize(
    ("name", "language", "covers"),
    [
        ("talk.srt", None, True),
        ("talk.srt", "en", False),
        ("talk.en.srt", "en", True),
        ("talk.en.srt", "de", False),
        ("talk.eng.sdh.srt", "en", True),
        ("talk.en-US.srt", "en", True),
        ("talk.German.srt", "de", True),
        ("Subs/talk.ger.srt", "de", True),
        ("SUBS/talk.en.srt", "en", True),
        ("talk.und.srt", None, True),
        ("talk.und.srt", "en", False),
        ("talk.en.forced.srt", "en", False),
        ("talk.part2.srt", None, False),
        ("talk.en.vtt", "en", False),
        ("talk2.en.srt", "en", False),
        ("talk.part2.en.srt", None, False),
    ],
)
def test_captions_are_known_by_the_names_that_servers_use(
    tmp_path: Path, name: str, language: str | None, covers: bool
) -> None:
    touch(tmp_path, "talk.mp4", name)
    captions = Shelf(OutputPlan()).captions(Source(tmp_path / "talk.mp4"))
    assert bool(covering(captions, ("srt",), language)) == covers


def planned(root: Path, journal: Journal, job: TranscribeJob | None = None, *, redo: bool = False) -> BatchPlan:
    return make_plan(list(Search().find([str(root)])), job or TranscribeJob(), journal.jobs, redo=redo)


def done(journal: Journal, source: Path, *outputs: Path) -> None:
    owner = ProcessIdentity.current()
    journal.jobs.enqueue([name_of(Source(source))], request_key(TranscribeJob()), planned_at=time.time())
    job = journal.jobs.claim(owner)
    assert isinstance(job, JobRecord)
    hashes = {str(path): sampled_hash(path) for path in outputs}
    file = FileIdentity.of(source)
    journal.jobs.finish(job, owner, file=file, outputs=hashes, duration=1.0, seconds=1.0)


def test_what_is_done_is_skipped_until_something_changes(tmp_path: Path) -> None:
    touch(tmp_path, "talk.mp4")
    talk, captions = tmp_path / "talk.mp4", tmp_path / "talk.en.srt"
    captions.write_text("1\n")
    journal = Journal(None)
    done(journal, talk, captions)
    narrow = TranscribeJob(profile=Profile(max_line_width=20))

    assert [one.skipped for one in planned(tmp_path, journal).skipped] == ["done already"]
    assert len(planned(tmp_path, journal, narrow).todo) == 1
    assert len(planned(tmp_path, journal, redo=True).todo) == 1
    captions.unlink()
    assert len(planned(tmp_path, journal).todo) == 1
    captions.write_text("1\n")
    talk.write_bytes(b"longer")
    assert len(planned(tmp_path, journal).todo) == 1


def test_captions_of_others_and_those_changed_by_hand_are_kept(tmp_path: Path) -> None:
    touch(tmp_path, "talk.mp4", "film.mp4", "film.eng.srt")
    captions = tmp_path / "talk.en.srt"
    captions.write_text("1\n")
    journal = Journal(None)
    done(journal, tmp_path / "talk.mp4", captions)
    captions.write_text("1, corrected\n")
    plan = planned(tmp_path, journal, TranscribeJob(profile=Profile(max_line_width=20)))
    assert plan.todo == ()
    assert [one.skipped for one in plan.skipped] == [
        "film.eng.srt is there",
        "talk.en.srt was changed since it was written",
    ]


def test_what_cannot_be_done_does_not_stop_the_plan(tmp_path: Path) -> None:
    touch(tmp_path, "a/talk.mp4", "a/talk.wav", "b.mp4")
    plan = planned(tmp_path, Journal(None))
    assert [str(one.source) for one in plan.todo] == [f"{tmp_path}/b.mp4", f"{tmp_path}/a/talk.mp4"]
    (refused,) = plan.refused
    assert "would both write" in refused.error.message


def test_ten_thousand_files_are_planned_in_seconds(tmp_path: Path) -> None:
    for folder in range(20):
        touch(tmp_path, *(f"season {folder}/{number}.mp4" for number in range(500)))
    journal = Journal(tmp_path / "state" / "journal.sqlite3")
    started = time.process_time()
    plan = planned(tmp_path, journal)
    journal.jobs.enqueue([name_of(one.source) for one in plan.todo], plan.request, planned_at=time.time())
    assert len(plan.todo) == 10_000
    assert time.process_time() - started < 5


def test_each_folder_is_listed_once_however_much_it_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, *(f"{folder}/{number}.wav" for folder in "ab" for number in range(50)))
    asked: list[Path] = []
    listing = Shelf._listing
    monkeypatch.setattr(Shelf, "_listing", lambda shelf, folder: asked.append(folder) or listing(shelf, folder))  # type: ignore[func-returns-value]
    assert len(planned(tmp_path, Journal(None)).todo) == 100
    assert len(asked) < 20  # 10,000 recordings were asked about seven times each


def test_videos_are_looked_into_several_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a.mkv", "b.mkv")
    both = Barrier(2, timeout=20)  # one after the other would wait for ever

    def track(path: Path, language: str | None) -> int | None:
        both.wait()
        return 0 if path.name == "b.mkv" else None

    monkeypatch.setattr("subwhisper.pipeline.plan.embedded_track", track)
    plan = planned(tmp_path, Journal(None))
    assert [(one.source.name, one.skipped) for one in (*plan.todo, *plan.skipped)] == [
        ("a.mkv", None),
        ("b.mkv", "subtitle track 0 has the captions"),
    ]


def test_videos_that_carry_captions_need_no_place_for_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "in/a.mkv", "out")
    monkeypatch.setattr("subwhisper.pipeline.plan.embedded_track", lambda path, language: 0)
    job = TranscribeJob(outputs=OutputPlan(folder=tmp_path / "out"))  # which is no folder
    assert len(planned(tmp_path / "in", Journal(None), job).skipped) == 1
    assert len(planned(tmp_path / "in", Journal(None), job, redo=True).refused) == 1
