import json
from pathlib import Path

import numpy as np
import pytest

from subwhisper.audio import SAMPLE_RATE, Audio
from subwhisper.errors import InputError
from subwhisper.training import cutting
from subwhisper.training.cutting import cut
from subwhisper.training.material import Example, find_pairs

HELLO = "1\n00:00:01,000 --> 00:00:02,500\nHello.\n"


def folder_of(folder: Path, *names: str) -> Path:
    for name in names:
        head = "WEBVTT\n\n" if name.endswith(".vtt") else ""
        (folder / name).write_text("{}" if name.endswith(".json") else head + HELLO.replace("Hello", name))
    return folder


def cue(start: float, end: float, text: str) -> str:
    first, last = (f"00:{int(at) // 60:02d}:{int(at) % 60:02d},{round(at % 1 * 1000):03d}" for at in (start, end))
    return f"{first} --> {last}\n{text}\n"


def subtitles(folder: Path, *cues: tuple[float, float, str]) -> Path:
    (folder / "talk.wav").write_bytes(b"sound")
    (folder / "talk.srt").write_text("\n".join(cue(*one) for one in cues))
    return folder


@pytest.fixture
def minute(monkeypatch: pytest.MonkeyPatch) -> Audio:
    """What every recording holds: its samples tell the tenth of a second they are at."""
    audio = Audio(np.repeat(np.arange(600, dtype=np.float32) / 1000, SAMPLE_RATE // 10))
    monkeypatch.setattr(cutting, "open_audio", lambda path: audio)
    return audio


def heard_from_to(example: Example) -> tuple[float, float]:
    """Where in the minute the sound of a window lies, seconds."""
    first, last = example.samples[0] * 100, example.samples[-1] * 100
    return round(float(first), 1), round(float(last) + 0.1, 1)


@pytest.mark.parametrize(
    ("names", "taken"),
    [
        (["talk.en.json", "talk.srt"], "talk.srt"),
        (["talk.csv", "talk.tsv", "talk.en.srt", "talk.info.json"], "talk.en.srt"),
        (["talk.auto.srt", "talk.bak.srt", "talk.srt"], "talk.srt"),
        (["talk.de.srt", "talk.en.srt"], "talk.en.srt"),
        (["talk.en.srt", "talk.en.sdh.srt", "talk.srt"], "talk.srt"),
        (["talk.en.srt", "talk.en.sdh.srt", "talk.English.cc.vtt"], "talk.en.srt"),
        (["talk.sdh.srt", "talk.hi.srt"], "talk.sdh.srt"),  # Hindi
        (["talk.jpg", "talk.nfo", "talk.srt", "talk.txt"], "talk.srt"),
        (["talk.txt", "talk.eng.vtt"], "talk.eng.vtt"),
        (["talk.captioned.mp4", "talk.srt"], "talk.srt"),
        (["talk.v2.mp4", "talk.v2.srt", "talk.srt"], "talk.srt"),
    ],
)
def test_a_recording_has_the_captions_that_fit_it_best(names: list[str], taken: str, tmp_path: Path) -> None:
    pairs = find_pairs(folder_of(tmp_path, "talk.mp4", *names), "en")
    (text,) = [pair.text for pair in pairs if pair.media.name == "talk.mp4"]
    assert taken in text


@pytest.mark.parametrize(
    "names", [["talk.de.srt"], ["talk.bak.srt"], ["talk.forced.srt"], ["talk.info.json"], ["talk.en.json"]]
)
def test_what_does_not_fit_is_not_taken(names: list[str], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no media file with subtitles"):
        find_pairs(folder_of(tmp_path, "talk.mp4", *names), "en")


def test_what_is_not_used_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    names = ("talk.mp4", "talk.srt", "talk.en.srt", "talk.de.srt", "lone.srt", "mute.mp4", "mute.jpg", "talk.wav")
    find_pairs(folder_of(tmp_path, *names), "en")
    assert sorted(record.getMessage() for record in caplog.records) == [
        "not used: files of text that another one takes the place of (1): talk.en.srt",
        "not used: files of text whose names tell of another language or kind (1): talk.de.srt",
        "not used: files of text without a recording of their name (1): lone.srt",
        "not used: recordings of the same name as another one (1): talk.wav",
        "not used: recordings without subtitles of their name (1): mute.mp4",
    ]


def test_what_is_learnt_and_lies_there_too_is_one_pair(tmp_path: Path) -> None:
    folder_of(tmp_path, "talk.mp4", "talk.srt")
    entry = {"path": str(tmp_path / "talk.mp4"), "subtitles": "talk.srt"}
    (tmp_path / "learnt.jsonl").write_text(json.dumps(entry))
    assert len(find_pairs(tmp_path)) == 1


@pytest.mark.parametrize(
    ("written", "learnt"),
    [
        ("JOHN: Hello.", "Hello."),
        ("- Hi.\n- MR. SMITH: Bye.", "Hi. Bye."),
        ("&gt;&gt; Salt &amp; pepper", "Salt & pepper"),
        ("-5 degrees", "-5 degrees"),
        ("Remember: never.", "Remember: never."),
        ("[loud\nmusic] Hello (laughs)", "Hello"),
    ],
)
def test_only_what_is_said_is_learnt(written: str, learnt: str, tmp_path: Path) -> None:
    (pair,) = find_pairs(subtitles(tmp_path, (1, 2, written)))
    assert pair.text == learnt


@pytest.mark.parametrize("written", ["♪ Oh when the saints ♪", "# Oh when #", "- ♫ la la", "[choir] ♪ la\nla ♪"])
def test_lyrics_are_left_out(written: str, tmp_path: Path) -> None:
    (pair,) = find_pairs(subtitles(tmp_path, (1, 2, written), (3, 4, "Hello.")))
    assert pair.text == "Hello."
    assert [(span.start, span.end) for span in pair.sung] == [(1, 2)]


@pytest.mark.usefixtures("minute")
def test_cues_that_overlap_are_one_sentence(tmp_path: Path) -> None:
    (example,) = cut(find_pairs(subtitles(tmp_path, (0.1, 4, "Outer."), (2, 3, "inner."), (5, 6, "Next."))), 30)
    assert [(s.text, round(s.start, 2), round(s.end, 2)) for s in example.sentences] == [
        ("Outer. inner.", 0.1, 4.0),
        ("Next.", 5.0, 6.0),
    ]
    assert heard_from_to(example) == (0.0, 6.2)


@pytest.mark.usefixtures("minute")
def test_a_window_ends_behind_the_greatest_end(tmp_path: Path) -> None:
    first, second = cut(find_pairs(subtitles(tmp_path, (1, 5, "Outer."), (2, 3, "inner."), (6, 9, "Next."))), 6)
    assert heard_from_to(first) == (0.8, 5.2)
    assert heard_from_to(second) == (5.8, 9.2)


@pytest.mark.usefixtures("minute")
def test_a_cue_that_lingers_ends_where_the_next_begins(tmp_path: Path) -> None:
    cues = [(at, at + 2.2, f"{at}.") for at in range(0, 20, 2)]
    (example,) = cut(find_pairs(subtitles(tmp_path, *cues)), 30)
    times = [time for s in example.sentences for time in (s.start, s.end)]
    assert len(example.sentences) == 10
    assert times == sorted(times)


@pytest.mark.parametrize(
    ("dropped", "reason"),
    [
        ((10, 50, "Longer than thirty seconds."), "longer than the model's window of 30 s"),
        ((10, 12, "♪ la la ♪"), "sung"),
    ],
)
@pytest.mark.usefixtures("minute")
def test_no_window_holds_the_sound_of_a_cue_that_is_left_out(
    dropped: tuple[float, float, str], reason: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cues = (
        (8, 9.9, "Before."),
        dropped,
        (dropped[1] - 0.1, dropped[1] + 1, "Over."),
        (dropped[1] + 1.1, dropped[1] + 4, "After."),
    )
    examples = cut(find_pairs(subtitles(tmp_path, *cues)), 30)
    assert [example.text for example in examples] == ["Before.", "After."]
    assert [heard_from_to(example) for example in examples] == [(7.8, 10.0), (dropped[1] + 1, dropped[1] + 4.2)]
    assert reason in caplog.text
    assert "(2)" in caplog.text


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("1\n" + cue(1, 11, "Long."), "longer than the model's window of 6 s"),
        ("1\n" + cue(61, 63, "Late."), "end after their recording"),
        ("1\n" + cue(1, 3, "[noise]"), "no cue holds words"),
    ],
)
@pytest.mark.usefixtures("minute")
def test_material_that_gives_no_window_says_why(written: str, reason: str, tmp_path: Path) -> None:
    subtitles(tmp_path)
    (tmp_path / "talk.srt").write_text(written)
    with pytest.raises(InputError, match=reason):
        cut(find_pairs(tmp_path), 6)


@pytest.mark.parametrize(("text", "reason"), [("", "texts that are empty"), ("So long.", "texts without times")])
@pytest.mark.usefixtures("minute")
def test_a_text_that_is_left_out_has_its_true_reason(text: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "clip.wav").write_bytes(b"sound")
    (tmp_path / "clip.txt").write_text(text)
    with pytest.raises(InputError, match=reason):
        cut(find_pairs(tmp_path), 6)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"path": "a.wav", "words": {"a": 1}}', 'line 2: "words" is no list of words'),
        (b'{"path": "a.wav", "words": [{"word": "a", "start": "x", "end": 2}]}', 'line 2: "words" is no list'),
        (b'{"path": "a.wav", "text": 5}', 'line 2: "text" is no text'),
        (b'{"text": "a"}', "line 2 is an entry without a path"),
        (b'{"path": "a.wav", "text": "caf\xe9"}', "line 2 is not UTF-8 text"),
        (b"{", "line 2 is not JSON"),
    ],
)
def test_a_manifest_with_a_fault_names_its_line(line: bytes, said: str, tmp_path: Path) -> None:
    manifest = tmp_path / "list.jsonl"
    manifest.write_bytes(b'{"path": "a.wav", "text": "a"}\n' + line)
    with pytest.raises(InputError, match=said) as caught:
        find_pairs(manifest)
    assert str(manifest) in str(caught.value)


def test_a_manifest_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"sound")
    (tmp_path / "list.json").write_bytes(b'\xef\xbb\xbf[{"path": "a.wav", "text": "a"}]')
    (pair,) = find_pairs(tmp_path / "list.json")
    assert pair.text == "a"


@pytest.mark.parametrize("entry", [{"path": "gone", "text": "a"}, {"path": "a.wav", "subtitles": "gone"}])
def test_a_file_of_a_manifest_that_is_not_there_is_named(entry: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"sound")
    (tmp_path / "list.jsonl").write_text(json.dumps(entry))
    with pytest.raises(InputError, match="gone does not exist") as caught:
        find_pairs(tmp_path / "list.jsonl")
    assert "line 1" in str(caught.value.hint)
