"""Languages and translation from the words typed to the files written, with a model that knows what it hears.

The model has learnt twenty-one sentences by heart where the tests run; see `polyglot.py`.
"""

import json
import re
from pathlib import Path

import pytest
from command_line import Ran, Run
from polyglot import SENTENCES, Spoken, every_sentence, write_speech

pytestmark = pytest.mark.slow

PLAIN = ("--plan", "sequential", "--vad", "none", "--temperature-increment-on-fallback", "None", "--threads", "1")
MIXED = [Spoken(*SENTENCES[code][at], code) for code, at in (("de", 0), ("es", 1), ("fr", 2), ("de", 3), ("de", 4))]


def said(path: Path) -> str:
    """The text of all cues, on one line."""
    blocks = path.read_text(encoding="utf-8").strip().split("\n\n")
    return " ".join(line for block in blocks for line in block.split("\n")[2:])


def times(path: Path) -> list[str]:
    return re.findall(r"^\d\d:.* --> .*$", path.read_text(encoding="utf-8"), re.MULTILINE)


def share_heard(path: Path, expected: list[str]) -> float:
    """How many of the sentences stand in a file, word for word."""
    text = said(path)
    return sum(sentence in text for sentence in expected) / len(expected)


@pytest.fixture
def recordings(tmp_path: Path, polyglot: Path) -> dict[str, Path]:
    """One file in each language: every sentence of it."""
    return {
        code: write_speech(tmp_path / f"{code}.wav", [s for s in every_sentence() if s.language == code])
        for code in SENTENCES
    }


def written(ran: Ran) -> list[str]:
    assert ran.code == 0, ran.stderr
    return sorted(
        Path(line.removeprefix("wrote ")).name for line in ran.stderr.splitlines() if line.startswith("wrote ")
    )


def test_languages_are_told_apart(run_cli: Run, polyglot: Path, recordings: dict[str, Path]) -> None:
    ran = run_cli("detect", *recordings.values(), "--model", polyglot, "--json", "--threads", "1")
    rows = json.loads(ran.stdout)["inputs"]
    assert [row["language"] for row in rows] == list(recordings)
    assert all(row["probability"] > 0.9 for row in rows)


def test_the_answer_is_one_of_those_allowed(run_cli: Run, polyglot: Path, recordings: dict[str, Path]) -> None:
    ran = run_cli("detect", recordings["de"], "--model", polyglot, "--json", "-l", "es,fr", "--threads", "1")
    assert json.loads(ran.stdout)["inputs"][0]["language"] in ("es", "fr")
    names = written(run_cli("transcribe", recordings["de"], "--model", polyglot, "-l", "en,de", *PLAIN))
    assert names == ["de.de.srt"]


def test_a_beginning_in_another_language_is_outvoted(run_cli: Run, polyglot: Path, tmp_path: Path) -> None:
    """The first window is Spanish; asked to be certain, the program listens on, and most are German."""
    film = write_speech(tmp_path / "film.wav", [MIXED[1], MIXED[0], MIXED[3], MIXED[4]])
    given = ("--model", polyglot, "--json", "--threads", "1")
    first = run_cli("detect", film, *given)
    more = run_cli("detect", film, *given, "--language-detection-segments", "4", "--language-detection-threshold", "1")
    assert json.loads(first.stdout)["inputs"][0]["language"] == "es"
    assert json.loads(more.stdout)["inputs"][0]["language"] == "de"


@pytest.mark.parametrize("code", SENTENCES)
def test_speech_is_written_down_and_translated_at_once(
    run_cli: Run, polyglot: Path, recordings: dict[str, Path], code: str
) -> None:
    names = written(run_cli("transcribe", recordings[code], "--task", "both", "--model", polyglot, *PLAIN))
    assert names == sorted([f"{code}.{code}.srt", f"{code}.en.srt"])
    original, english = (recordings[code].with_name(f"{code}.{language}.srt") for language in (code, "en"))
    assert share_heard(original, [text for text, _ in SENTENCES[code]]) >= 0.8
    assert share_heard(english, [meaning for _, meaning in SENTENCES[code]]) >= 0.8
    assert times(english) == times(original)

    names = written(run_cli("translate", recordings[code], "--model", polyglot, *PLAIN))
    assert names == [f"{code}.en.srt"]
    assert share_heard(english, [meaning for _, meaning in SENTENCES[code]]) >= 0.8


def test_mixed_speech_is_written_in_the_language_of_each_window(run_cli: Run, polyglot: Path, tmp_path: Path) -> None:
    talk = write_speech(tmp_path / "talk.wav", MIXED)
    given = ("--multilingual", "--task", "both", "--model", polyglot, "-f", "srt,json", *PLAIN)
    names = written(run_cli("transcribe", talk, *given))
    assert names == ["talk.de.json", "talk.de.srt", "talk.en.json", "talk.en.srt"]
    document = json.loads((tmp_path / "talk.de.json").read_text(encoding="utf-8"))
    assert [segment["language"] for segment in document["segments"]] == [sentence.language for sentence in MIXED]
    assert share_heard(tmp_path / "talk.de.srt", [sentence.text for sentence in MIXED]) >= 0.8
    assert share_heard(tmp_path / "talk.en.srt", [sentence.english for sentence in MIXED]) >= 0.8
