import json
from pathlib import Path

import pytest

from subwhisper.errors import InputError
from subwhisper.training.learn import (
    Correction,
    corrections,
    keep_pair,
    media_beside,
    merged_replacements,
    read_replacements,
    words_of,
    write_replacements,
)
from subwhisper.training.material import find_pairs

SRT = "1\n00:00:01,000 --> 00:00:02,500\nAda builds engines.\n\n2\n00:00:03,000 --> 00:00:04,000\n[laughter]\n"


@pytest.mark.parametrize(
    ("ours", "theirs", "found"),
    [
        ("call eight a now and eight a later", "call Ada now and Ada later", [Correction("Ada", "eight a", 2)]),
        ("we use pie torch.", "we use PyTorch.", [Correction("PyTorch", "pie torch", 1)]),
        ("we saw ada.", "we saw Ada.", [Correction("Ada", "ada", 1)]),
        ("Yes. we go", "Yes. We go", []),  # a sentence begins
        ("we go, now", "we go now", []),  # only a mark
        ("a b c d e f", "one two three four five six", []),  # rewritten
        ("we go", "we really go", []),  # added
    ],
)
def test_corrections_are_what_was_heard_wrong(ours: str, theirs: str, found: list[Correction]) -> None:
    assert corrections(ours.split(), theirs.split()) == found


def test_replacements_grow_without_chasing_each_other(tmp_path: Path) -> None:
    path = tmp_path / "replacements.txt"
    path.write_text("Ada: eight a\n")
    merged = merged_replacements(
        read_replacements(path), [Correction("Ada", "aider", 3), Correction("eight a", "ate a", 2)]
    )
    write_replacements(merged, path)
    assert path.read_text() == "Ada: eight a | aider\n"
    assert read_replacements(path) == merged


def test_a_kept_pair_is_material(tmp_path: Path) -> None:
    media, edited = tmp_path / "talk.mp4", tmp_path / "talk.en.srt"
    media.write_bytes(b"sound")
    edited.write_text(SRT)
    assert media_beside(edited) == media
    for _ in range(2):  # correcting again replaces
        keep_pair(media, edited, tmp_path / "material")
    (pair,) = find_pairs(tmp_path / "material")
    assert pair.media == media
    assert pair.sentences is not None
    assert [(s.text, s.start, s.end) for s in pair.sentences] == [("Ada builds engines.", 1.0, 2.5)]


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
    (tmp_path / "m.json").write_text(json.dumps({"clips": [entry]}))
    (pair,) = find_pairs(tmp_path / "m.json")
    assert (pair.media, pair.text, pair.words[0].start) == (tmp_path / "a.wav", "hi you", 0.1)
