"""`models`: examining, converting, finding and removing."""

import json
import os
from pathlib import Path

import pytest
from command_line import QUICK, Run


def test_info_tells_what_a_model_is(run_cli: Run, tiny_model: Path) -> None:
    ran = run_cli("models", "info", tiny_model)
    assert ran.code == 0
    assert "huggingface, weights as f32" in ran.stdout
    assert "0.0 0.1" in ran.stdout
    facts = json.loads(run_cli("models", "info", tiny_model, "--json").stdout)
    assert facts["languages"] == ["en", "de"]
    assert facts["dims"]["n_audio_state"] == 16
    assert len(facts["sha256"]) == 64
    assert facts["bytes"] == sum(path.stat().st_size for path in tiny_model.iterdir())


def test_info_of_a_model_that_is_not_here_is_the_catalogs(run_cli: Run) -> None:
    ran = run_cli("models", "info", "turbo")
    assert ran.code == 0
    assert "models download large-v3-turbo" in ran.stdout
    assert "2.4 2.11 3.3 3.6 3.11 3.14" in ran.stdout
    assert not json.loads(run_cli("models", "info", "turbo", "--json").stdout)["translates"]


@pytest.mark.parametrize("command", ["info", "path", "remove"])
def test_an_unknown_model_is_an_error(run_cli: Run, command: str) -> None:
    ran = run_cli("models", command, "smal")
    assert ran.code == 5
    assert "did you mean small" in ran.stderr


def test_a_converted_model_hears_the_same(run_cli: Run, tiny_model: Path, tone: Path, tmp_path: Path) -> None:
    ran = run_cli("models", "convert", tiny_model, tmp_path / "mine.bin", "--weights", "f32", "--json")
    assert ran.code == 0
    assert json.loads(ran.stdout) == {
        "output": str(tmp_path / "mine.bin"),
        "format": "ggml",
        "bytes": (tmp_path / "mine.bin").stat().st_size,
        "lost": [],
    }
    texts = []
    for model in (tiny_model, tmp_path / "mine.bin"):
        out = tmp_path / f"heard by {model.name}"
        assert run_cli("transcribe", tone, "-m", model, "-o", out, "-f", "txt", "-l", "en", *QUICK).code == 0
        texts.append((out / "tone.en.txt").read_bytes())
    assert texts[0] == texts[1]


def test_what_a_format_cannot_hold_is_said(run_cli: Run, tiny_model: Path, tmp_path: Path) -> None:
    run_cli("models", "convert", tiny_model, tmp_path / "mine")
    generation = tmp_path / "mine" / "generation_config.json"
    generation.write_text(generation.read_text().replace('"suppress_tokens": [', '"suppress_tokens": [5, '))
    ran = run_cli("models", "convert", tmp_path / "mine", tmp_path / "mine.bin")
    assert ran.code == 0
    assert "ggml has no place for the tokens to suppress" in ran.stderr
    assert run_cli("models", "convert", tmp_path / "mine", tmp_path / "mine.bin").code == 4


def test_a_model_of_the_cache_is_found_and_removed(run_cli: Run, tiny_model: Path, tmp_path: Path) -> None:
    assert run_cli("models", "path", tiny_model).stdout == f"{tiny_model}\n"
    assert run_cli("models", "path", "tiny").code == 6
    repository = Path(os.environ["HF_HOME"]) / "hub" / "models--openai--whisper-tiny"
    run_cli("models", "convert", tiny_model, repository / "snapshots" / "c0ffee")
    assert run_cli("models", "path", "tiny").stdout == f"{repository / 'snapshots' / 'c0ffee'}\n"
    blob, rounded = repository / "blobs" / ("ab" * 32), Path(os.environ["SUBWHISPER_CACHE"]) / "weights"
    for path in (blob, rounded / f"{blob.name}.int8", rounded / f"{'cd' * 32}.int8"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"weights")
    ran = run_cli("models", "remove", "tiny")
    assert ran.code == 0
    assert "MB are free again" in ran.stderr
    assert not repository.exists()
    assert [path.name for path in rounded.iterdir()] == [f"{'cd' * 32}.int8"]
    assert run_cli("models", "remove", "tiny").code == 5
    assert run_cli("models", "remove", tiny_model).code == 5
    assert tiny_model.exists()


def test_settings_reach_commands_below_others(run_cli: Run, tiny_model: Path, tmp_path: Path) -> None:
    Path("subwhisper.toml").write_text('[models.convert]\nweights = "f32"\nquiet = true\n', encoding="utf-8")
    assert run_cli("models", "convert", tiny_model, tmp_path / "mine.bin") == (0, "", "")
    assert "ggml, weights as f32" in run_cli("models", "info", tmp_path / "mine.bin").stdout
    Path("subwhisper.toml").write_text('[models.convert]\nwights = "f32"\n', encoding="utf-8")
    ran = run_cli("models", "convert", tiny_model, tmp_path / "other.bin")
    assert ran.code == 7
    assert "did you mean weights?" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("out",), 2, "either recordings with known words, or --inherit"),
        (("out.bin", "--inherit", "tiny"), 2, "no place for alignment heads"),
        (("out", "--inherit", "tiny"), 5, "of this shape"),
        (("out", "missing.wav"), 3, "missing.wav"),
    ],
)
def test_heads_are_not_guessed(
    run_cli: Run, tiny_model: Path, arguments: tuple[str, ...], code: int, complaint: str
) -> None:
    ran = run_cli("models", "align-heads", tiny_model, *arguments)
    assert (ran.code, complaint in ran.stderr) == (code, True)
    assert not Path("out").exists()
