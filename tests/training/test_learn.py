import json
from pathlib import Path

import pytest

from subwhisper.errors import InputError, OutputError
from subwhisper.subtitles.wording import read_replacements
from subwhisper.training.learn import Correction, append_rules, corrections, new_rules, words_of
from subwhisper.training.learnt import keep_pair, media_beside
from subwhisper.training.material import LEARNT, find_pairs

SRT = "1\n00:00:01,000 --> 00:00:02,500\nAda builds engines.\n\n2\n00:00:03,000 --> 00:00:04,000\n[laughter]\n"


ONCE, ELSEWHERE, SEVERAL = "was corrected only once", "is right elsewhere", "was corrected in several ways"
NO_LINE = "cannot be written as a replacement"


@pytest.mark.parametrize(
    ("ours", "theirs", "found"),
    [
        ("call eight a now and eight a later", "call Ada now and Ada later", [("Ada", "eight a", 2, None)]),
        ("by cooper netties now", "by Kubernetes now", [("Kubernetes", "cooper netties", 1, None)]),
        ("we use pie torch.", "we use PyTorch.", [("PyTorch", "pie torch", 1, ONCE)]),  # words by themselves
        ("then him left", "then Tim left", [("Tim", "him", 1, ONCE)]),
        ("can you here me", "can you hear me", [("hear", "here", 1, ONCE)]),
        ("I here you, here I am. I here", "I hear you, here I am. I hear", [("hear", "here", 2, ELSEWHERE)]),
        ("in the box by the door", "in a box by the door", [("a", "the", 1, ELSEWHERE)]),
        ("to ader and ader", "to Ada and Aida", [("Ada", "ader", 1, SEVERAL), ("Aida", "ader", 1, SEVERAL)]),
        ("at 10:13 or 10:13 or so", "at 10:30 or 10:30 or so", [("10:30", "10:13", 2, NO_LINE)]),
        ("we saw ada and ada.", "we saw Ada and Ada.", [("Ada", "ada", 2, None)]),
        ("Well come. Yes, well come", "Welcome. Yes, welcome", [("welcome", "well come", 2, None)]),
        ("Reefer it is.", "Riffa it is.", [("Riffa", "reefer", 1, ONCE)]),  # every sentence has a capital
        ("it is the Subtitle, a Subtitle", "it is the subtitle, a subtitle", []),  # wording keeps its capital
        ("we don't", "we don’t", []),
        ("Yes. we go", "Yes. We go", []),  # a sentence begins
        ("- Yes. - we go", "- Yes. - We go", []),
        ("we go, now", "we go now", []),  # only a mark
        ("a b c d e f", "one two three four five six", []),  # rewritten
        ("we go", "we really go", []),  # added
    ],
)
def test_corrections_are_what_was_heard_wrong_and_rules_what_harms_nothing(
    ours: str, theirs: str, found: list[tuple[str, str, int, str | None]]
) -> None:
    assert corrections(ours.split(), theirs.split()) == [Correction(*one) for one in found]


def rule(right: str, wrong: str) -> Correction:
    return Correction(right, wrong, 2)


def test_replacements_grow_without_chasing_each_other(tmp_path: Path) -> None:
    path = tmp_path / "replacements.txt"
    path.write_text("Ada: eight a\n")
    found = [
        rule("Ada", "aider"),
        rule("eight a", "ate a"),
        rule("Ada", "ada"),
        rule("Aida", "ada"),
        rule("A", "aider"),
    ]
    new = new_rules(read_replacements(path), found)
    append_rules(new, path)
    assert path.read_text() == "Ada: eight a\nAda: aider\nAda: ada\n"
    assert new_rules(read_replacements(path), found) == []


def test_a_doubtful_correction_is_no_rule() -> None:
    assert new_rules((), [Correction("hear", "here", 1, ONCE)]) == []


def test_what_the_list_holds_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "replacements.txt"
    old = b"# our show\r\n\r\n10:30: ten thirty\nAda:  eight a|ada\nAda: aider"
    path.write_bytes(old)
    append_rules([rule("10:45", "ten forty five")], path)
    assert path.read_bytes() == old + b"\n10:45: ten forty five\n"
    assert [one.right for one in read_replacements(path)] == ["10:30", "Ada", "Ada", "Ada", "10:45"]


def test_a_list_that_is_a_link_stays_one(tmp_path: Path) -> None:
    link = tmp_path / "link.txt"
    link.symlink_to(tmp_path / "replacements.txt")
    append_rules([rule("Ada", "aider")], link)
    assert link.is_symlink()
    assert (tmp_path / "replacements.txt").read_text() == "Ada: aider\n"


def test_who_speaks_is_no_word(tmp_path: Path) -> None:
    srt = tmp_path / "a.srt"
    lines = "NARRATOR: Welcome.\n- Dr. Smith (off): At 10:30 we go.\n>> ANNA:\nHere: now"
    srt.write_text(f"1\n00:00:01,000 --> 00:00:02,500\n{lines}\n")
    assert " ".join(words_of(srt)) == "Welcome. At 10:30 we go. now"


def test_a_damaged_transcript_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(InputError, match=r"a\.json"):
        words_of(tmp_path / "a.json")


def talk(folder: Path, sound: bytes, text: str) -> tuple[Path, Path]:
    folder.mkdir(parents=True)
    (folder / "talk.mp4").write_bytes(sound)
    (folder / "talk.en.srt").write_text(SRT.replace("Ada", text))
    return folder / "talk.mp4", folder / "talk.en.srt"


def learnt_texts(folder: Path) -> dict[Path, str]:
    pairs = find_pairs(folder)
    texts = {pair.media: pair.text.split()[0] for pair in pairs}
    assert len(texts) == len(pairs)
    return texts


def test_a_kept_pair_is_material(tmp_path: Path) -> None:
    media, edited = talk(tmp_path / "a", b"sound", "Ada")
    assert media_beside(edited) == media
    for _ in range(2):  # correcting again replaces
        keep_pair(media, edited, tmp_path / "material")
    (pair,) = find_pairs(tmp_path / "material")
    assert pair.media == media
    assert pair.sentences is not None
    assert [(s.text, s.start, s.end) for s in pair.sentences] == [("Ada builds engines.", 1.0, 2.5)]


def test_recordings_of_one_name_keep_their_own_text(tmp_path: Path) -> None:
    folder = tmp_path / "material"
    talks = {name: talk(tmp_path / name, name.encode(), name) for name in ("Ada", "Bob")}
    for _ in range(2):
        for media, edited in talks.values():
            keep_pair(media, edited, folder)
    assert learnt_texts(folder) == {media: name for name, (media, _) in talks.items()}
    assert sorted(path.name for path in folder.iterdir()) == [LEARNT, "talk-2.srt", "talk.srt"]


def test_captions_made_by_hand_stay_as_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    media, edited = talk(folder, b"sound", "Ada")
    (folder / "talk.srt").write_text(SRT)
    keep_pair(media, edited, folder)
    assert (folder / "talk.srt").read_text() == SRT
    assert list(learnt_texts(folder)) == [media]


def test_a_copy_is_not_taken_for_the_text_of_another_recording(tmp_path: Path) -> None:
    folder = tmp_path / "material"
    folder.mkdir()
    (folder / "talk.mp4").write_bytes(b"another talk")
    media, edited = talk(tmp_path / "a", b"sound", "Ada")
    assert keep_pair(media, edited, folder).name == "talk-2.srt"
    assert learnt_texts(folder) == {media: "Ada"}


def test_a_recording_that_moved_is_listed_once(tmp_path: Path) -> None:
    folder = tmp_path / "material"
    media, edited = talk(tmp_path / "a", b"sound", "Ada")
    other, other_edited = talk(tmp_path / "b", b"other", "Bob")
    for pair in ((media, edited), (other, other_edited)):
        keep_pair(*pair, folder)
    other.unlink()  # another recording that is gone is none of its business
    moved = media.rename(tmp_path / "moved.mp4")
    keep_pair(moved, edited, folder)
    other.write_bytes(b"found again")
    assert learnt_texts(folder) == {other: "Bob", moved: "Ada"}


@pytest.mark.parametrize("line", ["{", "5", '["path"]', "{}", '{"path": 5}', "\udcff"])
def test_a_damaged_list_of_what_was_learnt_is_named_with_its_line(tmp_path: Path, line: str) -> None:
    media, edited = talk(tmp_path / "a", b"sound", "Ada")
    manifest = tmp_path / LEARNT
    content = b'{"path": "/b.wav", "text": "b"}\n\n' + line.encode(errors="surrogateescape")
    manifest.write_bytes(content)
    with pytest.raises(InputError, match=rf"{LEARNT}, line 3"):
        keep_pair(media, edited, tmp_path)
    assert manifest.read_bytes() == content


def test_material_needs_a_folder(tmp_path: Path) -> None:
    media, edited = talk(tmp_path / "a", b"sound", "Ada")
    with pytest.raises(OutputError, match=r"talk\.mp4 is no folder"):
        keep_pair(media, edited, media)


def test_words_come_from_subtitles_and_from_transcripts(tmp_path: Path) -> None:
    srt = tmp_path / "a.srt"
    srt.write_text(SRT)
    assert words_of(srt) == ["Ada", "builds", "engines."]


def test_a_folder_of_pairs_finds_media_by_name(tmp_path: Path) -> None:
    for name in ("b.mp4", "a.wav", "c.mkv", "lonely.mp4"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "b.en.srt").write_text(SRT)
    (tmp_path / "b.txt").write_text("not taken: there are subtitles")
    (tmp_path / "a.txt").write_text("Only text.\n")
    (tmp_path / "c.srt").write_text(SRT)
    pairs = find_pairs(tmp_path)
    assert [(pair.media.name, pair.sentences is None) for pair in pairs] == [
        ("b.mp4", False),
        ("c.mkv", False),
        ("a.wav", True),
    ]


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("m.jsonl", "{", "is not JSON"),
        ("m.json", '{"what": 1}', "lists no recording"),
        ("m.jsonl", "", "lists no recording"),
        ("m.jsonl", '{"text": "x"}', "without a path"),
        ("m.doc", "x", "is no manifest"),
    ],
)
def test_a_bad_manifest_is_named(tmp_path: Path, name: str, content: str, complaint: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=f"{name}.*{complaint}"):
        find_pairs(tmp_path / name)


def test_an_empty_folder_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no media file with subtitles") as caught:
        find_pairs(tmp_path)
    assert "talk.srt" in (caught.value.hint or "")


def test_a_manifest_gives_texts_and_word_times(tmp_path: Path) -> None:
    entry = {"path": "a.wav", "transcript": "hi you", "words": [{"word": "hi", "start": 0.1, "end": 0.3}]}
    (tmp_path / "a.wav").write_bytes(b"x")
    (tmp_path / "m.json").write_text(json.dumps({"clips": [entry]}))
    (pair,) = find_pairs(tmp_path / "m.json")
    assert (pair.media, pair.text, pair.words[0].start) == (tmp_path / "a.wav", "hi you", 0.1)
