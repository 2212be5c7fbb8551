"""Both tasks at once and `subwhisper detect`, with a model that says nonsense in two languages."""

import json
import re
from pathlib import Path

import pytest
from command_line import QUICK, Run, write_tone


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def times(path: Path) -> list[str]:
    return re.findall(r"^\d\d:.* --> .*$", path.read_text(encoding="utf-8"), re.MULTILINE)


def test_both_tasks_give_two_files_whose_cues_share_times(run_cli: Run, tiny_model: Path, tmp_path: Path) -> None:
    tone = write_tone(tmp_path / "tone.wav", seconds=6)
    ran = run_cli("transcribe", tone, "--task", "both", "--model", tiny_model, "-l", "de", "-f", "srt,json", *QUICK)
    assert ran.code == 0, ran.stderr
    assert names(tmp_path) == ["tone.de.json", "tone.de.srt", "tone.en.json", "tone.en.srt", "tone.wav"]
    assert {*times(tmp_path / "tone.en.srt")} <= {*times(tmp_path / "tone.de.srt")}
    german, english = (
        json.loads((tmp_path / f"tone.{code}.json").read_text(encoding="utf-8")) for code in ("de", "en")
    )
    assert (german["language"], english["language"]) == ("de", "en")
    assert german["translation"] == english
    assert english["provenance"]["source"]["name"] == "tone.wav"


def test_both_texts_stand_in_one_file_where_that_is_asked_for(run_cli: Run, tiny_model: Path, tmp_path: Path) -> None:
    tone = write_tone(tmp_path / "tone.wav", seconds=6)
    given = ("--task", "both", "--bilingual", "--model", tiny_model, "-l", "de", "-f", "srt,json", *QUICK)
    assert run_cli("transcribe", tone, *given).code == 0
    assert names(tmp_path) == ["tone.mul.json", "tone.mul.srt", "tone.wav"]
    stacked = tmp_path / "tone.mul.srt"
    document = json.loads(stacked.with_suffix(".json").read_text(encoding="utf-8"))
    assert (document["language"], document["translation"]["language"]) == ("de", "en")
    first = stacked.read_bytes()

    run_cli("transcribe", tone, *(argument for argument in given if argument != "--bilingual"))
    merged = tmp_path / "merged.srt"
    apart = [tmp_path / f"tone.{code}.srt" for code in ("de", "en")]
    assert run_cli("merge", *apart, "-o", merged).code == 0
    assert merged.read_bytes() == first

    ran = run_cli("transcribe", tone, "--no-overwrite", *given)
    assert ran.code == 4
    assert "tone.mul.srt" in ran.stderr


def test_one_text_is_not_stacked(run_cli: Run, tiny_model: Path, tone: Path) -> None:
    ran = run_cli("transcribe", tone, "--bilingual", "--model", tiny_model, *QUICK)
    assert ran.code == 2
    assert "--task both" in ran.stderr


def test_the_second_file_is_not_overwritten_either(run_cli: Run, tiny_model: Path, tone: Path) -> None:
    tone.with_name("tone.en.srt").write_text("old")
    given = ("--task", "both", "--model", tiny_model, "-l", "de", "--no-overwrite", *QUICK)
    ran = run_cli("transcribe", tone, *given)
    assert ran.code == 4
    assert "tone.en.srt" in ran.stderr


@pytest.mark.parametrize("model", ["bundled", "turbo", "base.en", "distil-large-v3"])
@pytest.mark.parametrize("command", [("transcribe", "--task", "both"), ("translate",)])
def test_a_model_that_cannot_translate_refuses(run_cli: Run, tone: Path, model: str, command: tuple[str, ...]) -> None:
    """Those that are not here refuse as well, rather than be fetched first; there is no network."""
    ran = run_cli(command[0], tone, *command[1:], "--model", model)
    assert ran.code == 5
    error, hint = ran.stderr.splitlines()
    assert error.endswith(f"the model {model} cannot translate")
    assert hint.endswith("models that can: tiny, base, small, medium, large-v1, large-v2, large-v3")
    assert names(tone.parent) == ["tone.wav"]


def test_languages_are_detected(run_cli: Run, tiny_model: Path, tone: Path, tmp_path: Path) -> None:
    other, missing = write_tone(tmp_path / "other.wav", seconds=1), tmp_path / "missing.wav"
    ran = run_cli("detect", tone, other, missing, "--model", tiny_model, "--threads", "1")
    assert ran.code == 10
    rows = [line.split() for line in ran.stdout.splitlines()]
    assert [row[-1] for row in rows] == [str(tone), str(other)]
    assert all(row[0] in ("en", "de") and row[1] in ("English", "German") and row[2].endswith("%") for row in rows)
    assert "missing.wav" in ran.stderr

    ran = run_cli("detect", tone, "--json", "--model", tiny_model, "--language", "de,en", "--threads", "1")
    [row] = json.loads(ran.stdout)["inputs"]
    assert ran.code == 0
    assert row["language"] in ("en", "de")
    assert sum(row["languages"].values()) == pytest.approx(1)
    assert row["error"] is None


def test_one_allowed_language_is_certain(run_cli: Run, tiny_model: Path, tone: Path) -> None:
    ran = run_cli("detect", tone, "--json", "--model", tiny_model, "--language", "de", "--threads", "1")
    [row] = json.loads(ran.stdout)["inputs"]
    assert (row["language"], row["probability"]) == ("de", 1.0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--model", "bundled"), "knows English only"),
        (("--model", "tiny.en"), "knows English only"),
        (("--vad", "ear"), "unknown speech detector 'ear'"),
        (("--language", "de,Klingon"), "Klingon"),
        (("--language-detection-segments", "0"), "language-detection-segments"),
    ],
)
def test_detection_that_cannot_be_is_refused(run_cli: Run, tone: Path, arguments: tuple[str, ...], said: str) -> None:
    ran = run_cli("detect", tone, *arguments)
    assert ran.code == 2
    assert said in ran.stderr
    assert ran.stdout == ""
