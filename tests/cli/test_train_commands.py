"""`evaluate`, `finetune` and `learn` on speech that espeak-ng makes, with the bundled model."""

import json
import wave
from pathlib import Path

import numpy as np
import pytest
from command_line import Run, write_tone

from subwhisper.errors import ToolError
from subwhisper.training.synthesis import Espeak, Utterance, Voice

SENTENCES = (
    "The river was cold in the morning.",
    "We have seen many good people today.",
    "She put the book on the table.",
    "They will come back in the summer.",
    "He does not know the way home.",
    "All of them went to the city.",
)


@pytest.fixture(scope="module")
def spoken() -> list[Utterance]:
    try:
        espeak = Espeak()
    except ToolError as error:
        pytest.skip(str(error))
    return [espeak.speak(sentence, Voice("en-us+f3", rate=150)) for sentence in SENTENCES]


def clock(seconds: float) -> str:
    return f"00:00:{int(seconds):02d},{round(seconds % 1 * 1000):03d}"


@pytest.fixture
def material(spoken: list[Utterance], tmp_path: Path) -> Path:
    """Six recordings with subtitles, and one that nobody speaks in."""
    for index, utterance in enumerate(spoken):
        write(tmp_path / "data" / f"clip{index}.wav", utterance.samples)
        times = f"{clock(utterance.words[0].start)} --> {clock(utterance.words[-1].end)}"
        (tmp_path / "data" / f"clip{index}.srt").write_text(f"1\n{times}\n{utterance.text}\n")
    return tmp_path / "data"


def write(path: Path, samples: np.ndarray) -> None:
    path.parent.mkdir(exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes((samples * 32767).astype("<i2").tobytes())


def test_evaluate_counts_words_and_draws(run_cli: Run, material: Path) -> None:
    pytest.importorskip("matplotlib")
    ran = run_cli("evaluate", material, "--json", "--plot", material.parent / "errors.png")
    assert ran.code == 0, ran.stderr
    report = json.loads(ran.stdout)
    assert report["n_clips"] == 6
    assert report["words"]["n_words"] == sum(len(sentence.split()) for sentence in SENTENCES)
    assert 0 <= report["character_error_rate"] <= report["word_error_rate"] < 0.6
    assert (material.parent / "errors.png").read_bytes().startswith(b"\x89PNG")
    table = run_cli("evaluate", material)
    assert f"{report['word_error_rate']:.1%}" in table.stdout.splitlines()[7]


def test_evaluate_goes_on_after_a_broken_file(run_cli: Run, material: Path) -> None:
    (material / "clip1.wav").write_bytes(b"no sound")
    (material / "clip3.srt").write_text("no subtitles")
    ran = run_cli("evaluate", material, "--json", "--beam-size", "1")
    report = json.loads(ran.stdout)
    assert (ran.code, report["n_clips"], len(report["failed"])) == (10, 4, 2)
    assert "clip1.wav" in ran.stderr
    assert "clip3.srt" in ran.stderr
    assert "2 of 6 inputs failed" in ran.stderr


def test_evaluate_ends_with_the_error_of_an_only_file(run_cli: Run, tmp_path: Path) -> None:
    (tmp_path / "list.jsonl").write_text('{"path": "gone.wav", "text": "a"}')
    ran = run_cli("evaluate", tmp_path / "list.jsonl")
    assert (ran.code, ran.stdout, ran.stderr.count("gone.wav does not exist")) == (3, "", 1), ran.stderr


def test_evaluate_counts_long_cues_and_tells_those_behind_the_end(run_cli: Run, tmp_path: Path) -> None:
    write_tone(tmp_path / "tone.wav", 32.0)
    cues = "1\n00:00:00,500 --> 00:00:31,000\nOne long cue.\n\n2\n00:00:40,000 --> 00:00:41,000\nBehind it.\n"
    (tmp_path / "tone.srt").write_text(cues)
    (tmp_path / "lone.srt").write_text(cues)
    ran = run_cli("evaluate", tmp_path, "--json", "--beam-size", "1")
    assert json.loads(ran.stdout)["words"]["n_words"] == 3
    assert "tone.wav: cues that begin after its end do not count (1)" in ran.stderr
    assert "files of text without a recording of their name (1): lone.srt" in ran.stderr


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (("--plot", "nowhere/errors.png"), 4, "the folder nowhere does not exist"),
        (("--plot", "errors.doc"), 4, "svg"),
        (("--language", "de"), 2, "knows English only, not German"),
    ],
)
def test_what_evaluate_cannot_do_is_said_before_the_work(
    run_cli: Run, tmp_path: Path, change: tuple[str, str], code: int, said: str
) -> None:
    pytest.importorskip("matplotlib")
    (tmp_path / "talk.wav").write_bytes(b"no sound")
    (tmp_path / "talk.srt").write_text("no subtitles")
    ran = run_cli("evaluate", tmp_path, *change)
    assert (ran.code, ran.stdout) == (code, "")
    assert said in ran.stderr


def test_finetune_says_why_there_is_nothing_to_learn(run_cli: Run, tmp_path: Path) -> None:
    write_tone(tmp_path / "tone.wav", 32.0)
    (tmp_path / "tone.srt").write_text("1\n00:00:00,500 --> 00:00:31,000\nOne long cue.\n")
    ran = run_cli("finetune", "--data", tmp_path, "-o", tmp_path / "mine")
    assert ran.code == 3
    assert "there is nothing to learn from: cues longer than the model's window" in ran.stderr


def test_finetune_writes_a_model_that_knows_its_material_better(run_cli: Run, material: Path) -> None:
    made = material.parent / "mine"
    arguments = ("--data", material, "--epochs", "10", "--patience", "10", "-o", made)
    arguments += ("--batch-size", "2", "--validation", "0.34", "--learning-rate", "3e-3")
    ran = run_cli("finetune", *arguments, "--json")
    assert ran.code == 0, ran.stderr
    report = json.loads(ran.stdout)
    assert report["n_examples"] == 4
    assert report["n_validation"] == 2
    best = min(report["epochs"], key=lambda epoch: epoch["validation_loss"])
    assert best["is_best"]
    assert report["share"] in (0.6, 0.8, 1.0)
    assert best["number"] > 1, report["epochs"]
    assert not list(made.parent.glob(".*finetune"))
    used = run_cli("transcribe", material / "clip0.wav", "--model", made)
    assert used.code == 0, used.stderr
    assert run_cli("finetune", *arguments).code == 4  # it is there already


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (("--data", "nowhere"), 3, "nowhere does not exist"),
        (("--rank", "0"), 2, "rank must be at least 1"),
        (("--validation", "1.5"), 2, "validation must lie between 0 and 1"),
        (("--model", "nothing"), 5, "nothing"),
        (("--device", "banana"), 2, "unknown device 'banana'"),
        (("--learning-rate", "nan"), 2, "learning_rate must be more than 0"),
        (("-o", "/proc/mine"), 4, "/proc/mine cannot be written"),
        (("--language", "de"), 2, "knows English only, not German"),
        (("--language", "German"), 2, "knows English only, not German"),
    ],
)
def test_what_finetune_cannot_do_is_one_line(
    run_cli: Run, material: Path, change: tuple[str, str], code: int, said: str
) -> None:
    ran = run_cli("finetune", "--data", material, "-o", material.parent / "mine", *change)
    assert (ran.code, "Traceback" in ran.stderr) == (code, False), ran.stderr
    (complaint,) = [line for line in ran.stderr.splitlines() if "error:" in line]
    assert said in complaint
    assert not (material.parent / "mine").exists()


def test_learn_keeps_replacements_and_material(run_cli: Run, material: Path) -> None:
    edited = material / "clip0.srt"
    heard = material.parent / "heard.srt"
    heard.write_text(edited.read_text().replace("river", "reefer").replace("morning", "mourning"))
    edited.write_text(edited.read_text().replace("river", "Riva"))
    words, folder = material.parent / "words.txt", material.parent / "learnt"
    words.write_text("# ours\nAda: ada\n")
    ran = run_cli("learn", edited, "--original", heard, "--replacements", words, "--data", folder)
    assert ran.code == 0, ran.stderr
    assert words.read_text() == "# ours\nAda: ada\nRiva: reefer\n"
    assert (folder / "clip0.srt").read_text() == edited.read_text()
    assert str(folder / "clip0.srt") in ran.stdout
    assert "mourning -> morning  (no rule: was corrected only once)" in ran.stdout
    words.write_text("# ours\nnonsense\n")
    refused = run_cli("learn", edited, "--original", heard, "--replacements", words)
    assert (refused.code, words.read_text()) == (3, "# ours\nnonsense\n")
    assert "words.txt, line 2" in refused.stderr
    missing = run_cli("learn", edited)
    assert missing.code == 3
    assert "--original" in missing.stderr
