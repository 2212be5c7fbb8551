"""What was heard once is not heard again: the journal behind `subwhisper transcribe`."""

import json
import shutil
from pathlib import Path

import pytest
from command_line import QUICK, Run, write_tone

from subwhisper.engine.reader import WindowEncoder
from subwhisper.engine.window_store import Settled
from subwhisper.pipeline import transcribe as pipeline
from subwhisper.pipeline.journal import Journal, journal_path


@pytest.fixture
def wanted(tiny_model: Path) -> list[object]:
    return ["--model", tiny_model, "--language", "en", *QUICK]


def forbid_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "load_from", None)


def test_another_line_width_needs_no_model(
    run_cli: Run, tone: Path, wanted: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_cli("transcribe", tone, *wanted, "-f", "json", "--word-timestamps").code == 0
    first = tone.with_suffix(".en.json").read_text(encoding="utf-8")
    forbid_models(monkeypatch)
    ran = run_cli("transcribe", tone, *wanted, "-f", "json,srt", "--max-line-width", "12")
    assert ran.code == 0, ran.stderr
    assert tone.with_suffix(".en.json").read_text(encoding="utf-8") == first
    assert tone.with_suffix(".en.srt").exists()


def test_a_recording_is_known_under_another_name(
    run_cli: Run, tone: Path, wanted: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_cli("transcribe", tone, *wanted)
    moved = tone.rename(tone.parent / "moved.wav")
    forbid_models(monkeypatch)
    assert run_cli("transcribe", moved, *wanted).code == 0
    first, second = (tone.parent / f"{name}.en.srt" for name in ("tone", "moved"))
    assert first.read_bytes() == second.read_bytes()


def test_the_same_sound_in_another_file_is_not_recognised_again(
    run_cli: Run, tone: Path, wanted: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_cli("transcribe", tone, *wanted)
    copy = tone.parent / "copy.wav"
    shutil.copy(tone, copy)
    monkeypatch.setattr(WindowEncoder, "hear", None)
    assert run_cli("transcribe", copy, *wanted).code == 0
    assert copy.with_suffix(".en.srt").read_bytes() == tone.with_suffix(".en.srt").read_bytes()


def test_other_settings_are_another_transcript(
    run_cli: Run, tone: Path, wanted: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_cli("transcribe", tone, *wanted)
    forbid_models(monkeypatch)
    with pytest.raises(TypeError):
        run_cli("transcribe", tone, *wanted, "--beam-size", "2")


def test_another_statement_in_the_models_folder_is_another_transcript(
    run_cli: Run, tone: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The weights are the same, but what is made of them is not."""
    model = shutil.copytree(tiny_model, tmp_path / "model")
    wanted = ["transcribe", tone, "--model", model, "--language", "en", *QUICK]
    run_cli(*wanted)
    stated = model / "generation_config.json"
    stated.write_text(json.dumps(json.loads(stated.read_text()) | {"spreads_timestamps": True}))
    monkeypatch.setattr(WindowEncoder, "hear", None)
    with pytest.raises(TypeError):
        run_cli(*wanted)


def test_a_file_that_changed_is_heard_again(run_cli: Run, tone: Path, wanted: list[object]) -> None:
    run_cli("transcribe", tone, *wanted, "-f", "json")
    write_tone(tone, 3.0)
    run_cli("transcribe", tone, *wanted, "-f", "json")
    document = json.loads(tone.with_suffix(".en.json").read_text(encoding="utf-8"))
    assert document["duration"] == pytest.approx(3.0, abs=0.05)


def test_a_file_that_grows_while_it_is_read_gives_no_captions(
    run_cli: Run, tone: Path, wanted: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def to_dict(settled: Settled) -> dict[str, object]:
        write_tone(tone, 5.0)
        return whole(settled)

    whole = Settled.to_dict
    monkeypatch.setattr(Settled, "to_dict", to_dict)
    ran = run_cli("transcribe", tone, *wanted)
    assert ran.code == 3
    assert "changed while it was read" in ran.stderr
    assert sorted(path.name for path in tone.parent.iterdir()) == ["tone.wav"]


def test_without_a_journal_nothing_is_kept(run_cli: Run, tone: Path, wanted: list[object]) -> None:
    assert run_cli("transcribe", tone, *wanted, "--no-journal").code == 0
    assert not journal_path().exists()


def test_a_journal_that_cannot_be_used_does_not_stop_the_work(run_cli: Run, tone: Path, wanted: list[object]) -> None:
    journal_path().parent.mkdir(parents=True)
    journal_path().mkdir()
    ran = run_cli("transcribe", tone, *wanted)
    assert ran.code == 0
    assert "--no-journal" in ran.stderr
    assert tone.with_suffix(".en.srt").exists()


def test_old_work_is_forgotten_as_told(run_cli: Run, tone: Path, wanted: list[object]) -> None:
    run_cli("transcribe", tone, *wanted)
    run_cli("transcribe", write_tone(tone.parent / "other.wav", 1.0), *wanted, "--journal-days", "0")
    assert Journal(journal_path()).status().n_transcripts == 1
