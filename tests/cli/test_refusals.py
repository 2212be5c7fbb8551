"""Whatever is wrong: one clear line naming the culprit, a documented exit code, no partial output, no traceback."""

import io
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from command_line import QUICK, Ran, Run, write_tone

# The package as checked out, whatever folder the test is in.
HANGUP = getattr(signal, "SIGHUP", signal.SIGTERM)  # Windows has none
CHECKOUT = str(Path(__file__).resolve().parents[2])


def refused(ran: Ran, code: int, culprit: object) -> None:
    assert ran.code == code, ran.stderr
    errors = [line for line in ran.stderr.splitlines() if line.startswith("subwhisper: error: ")]
    assert any(str(culprit) in line for line in errors), ran.stderr
    assert len(errors) == len(set(errors)), "said once"
    assert "Traceback" not in ran.stderr
    others = [line for line in ran.stderr.splitlines() if not line.startswith(("subwhisper: ", "  hint: "))]
    assert others == [], "nothing but one line and a hint"


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


# -- words ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "culprit", "hint"),
    [
        (["--langage", "en"], "--langage", "--language"),
        (["--beam-size", "many"], "many", "--help"),
        (["--beam-size", "0"], "beam_size", None),
        (["--temperature", "-1"], "--temperature", "--help"),
        (["--language", "Klingon"], "Klingon", None),
        (["--format", "str"], "str", "srt"),
        (["--format", ","], "no format", "srt"),
        (["--task", "summarise"], "summarise", "translate"),
        (["--plan", "random"], "random", "sequential"),
        (["--vad", "ear"], "ear", "silero"),
        (["--clip-timestamps", "5,3"], "clip_timestamps", None),
        (["--clip-timestamps", "x"], "'x'", None),
        (["--suppress-tokens", "a"], "'a'", None),
        (["--word-timestamps=maybe"], "maybe", "True or False"),
        (["--max-line-width", "0"], "max-line-width", "--help"),
        (["--compute", "float8"], "float8", None),
        (["--device", "quantum"], "quantum", None),
        (["--model"], "--model", "--help"),
    ],
    ids=lambda value: "".join(value) if isinstance(value, list) else None,
)
def test_a_wrong_option_exits_2(
    run_cli: Run, tiny_model: Path, tone: Path, arguments: list[str], culprit: str, hint: str | None
) -> None:
    before = files(tone.parent)
    ran = run_cli("transcribe", tone, "--model", tiny_model, *arguments)
    refused(ran, 2, culprit)
    assert hint is None or hint in ran.stderr
    assert files(tone.parent) == before


@pytest.mark.parametrize("arguments", [["trancribe"], ["transcribe"], ["burn", "a.mp4"], ["models", "lst"]])
def test_a_wrong_command_exits_2(run_cli: Run, arguments: list[str]) -> None:
    refused(run_cli(*arguments), 2, "")


def test_a_file_where_a_command_belongs_is_met_with_the_command(run_cli: Run, tone: Path) -> None:
    assert f"subwhisper transcribe {tone}" in run_cli(tone).stderr


# -- inputs -----------------------------------------------------------------------------------------------------


def test_a_missing_file_exits_3(run_cli: Run, tiny_model: Path, tmp_path: Path) -> None:
    missing = tmp_path / "nothing.mp4"
    refused(run_cli("transcribe", missing, "--model", tiny_model), 3, missing)


def test_an_empty_name_is_not_the_working_folder(run_cli: Run, tiny_model: Path) -> None:
    write_tone(Path("private.wav"))  # in the working folder
    refused(run_cli("transcribe", "", "--model", tiny_model, *QUICK), 3, "empty name")
    assert [path.name for path in Path().iterdir() if path.is_file()] == ["private.wav"]


def test_an_error_of_standard_input_names_it(run_cli: Run, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"no recording")))
    ran = run_cli("transcribe", "-", "--model", tiny_model, *QUICK)
    refused(ran, 3, "standard input")
    assert "subwhisper-" not in ran.stderr  # nobody knows the temporary file


def test_a_folder_without_media_exits_3(run_cli: Run, tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    refused(run_cli("transcribe", tmp_path, "--model", tiny_model), 3, tmp_path)


def test_text_is_no_recording(run_cli: Run, tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("not a film\n" * 100)
    before = files(tmp_path)
    refused(run_cli("transcribe", tmp_path / "notes.mp4", "--model", tiny_model), 3, "notes.mp4")
    assert files(tmp_path) == before


def test_a_name_with_a_line_break_stays_on_one_line(run_cli: Run, tiny_model: Path, tmp_path: Path) -> None:
    refused(run_cli("transcribe", tmp_path / "a\nb\x1b[31m.mp4", "--model", tiny_model), 3, "a b")


def test_sound_alone_cannot_be_burned(run_cli: Run, tiny_model: Path, tone: Path) -> None:
    refused(run_cli("transcribe", tone, "--burn", "--model", tiny_model), 3, tone)


def test_a_track_that_is_not_there_exits_3(run_cli: Run, tiny_model: Path, tone: Path) -> None:
    refused(run_cli("transcribe", tone, "--audio-track", "7", "--model", tiny_model), 3, tone)


@pytest.mark.parametrize(
    "name",
    [
        "aeneas-mono.empty.wav", "aeneas-mono.invalid.wav", "aeneas-mono.zero.wav", "corrupted.flac",
        "pocketsphinx-awful.wav", "pocketsphinx-bad.wav", "pocketsphinx-evil.wav", "pocketsphinx-null.wav",
        "truncated-half.mp4", "truncated.webm",
    ],
)  # fmt: skip
def test_a_broken_file_is_read_in_part_or_refused(
    run_cli: Run, tiny_model: Path, samples: Path, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "out"
    broken = samples / "broken" / name
    ran = run_cli("transcribe", broken, "-o", out, "--model", tiny_model, "--language", "en", *QUICK)
    if ran.code == 0:
        assert [path.name for path in out.iterdir()] == [f"{broken.stem}.en.srt"]
        assert "Traceback" not in ran.stderr
    else:
        refused(ran, 3, broken)
        assert files(out) == set()


def test_a_video_without_sound_exits_3(run_cli: Run, tiny_model: Path, samples: Path, tmp_path: Path) -> None:
    silent = samples / "video" / "h265_video.mp4"
    refused(run_cli("transcribe", silent, "-o", tmp_path, "--model", tiny_model), 3, silent)


def test_good_ones_are_done_and_bad_ones_reported(run_cli: Run, tiny_model: Path, tone: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.mp3"
    bad.write_bytes(b"\0" * 5000)
    missing = tmp_path / "missing.mp3"
    ran = run_cli("transcribe", bad, tone, missing, "--model", tiny_model, "--language", "en", *QUICK)
    assert ran.code == 10
    for culprit in (bad, missing):
        refused(Ran(10, "", re.sub(r"(?m)^(wrote|subwhisper: error: 2 of).*\n", "", ran.stderr)), 10, culprit)
    assert "2 of 3 inputs failed" in ran.stderr
    assert (tone.parent / "tone.en.srt").exists()


def test_when_all_fail_for_one_kind_of_reason_the_code_says_which(run_cli: Run, tmp_path: Path) -> None:
    ran = run_cli("transcribe", tmp_path / "a.mp3", tmp_path / "b.mp3")
    assert ran.code == 3
    assert "2 of 2 inputs failed" in ran.stderr


# -- outputs ----------------------------------------------------------------------------------------------------


def test_two_inputs_of_one_name_are_refused_before_work(run_cli: Run, tmp_path: Path) -> None:
    first, second = write_tone(tmp_path / "a" / "talk.wav"), write_tone(tmp_path / "b" / "talk.wav")
    ran = run_cli("transcribe", first, second, "-o", tmp_path / "out", "--model", "no-such-model")
    refused(ran, 4, first)
    assert str(second) in ran.stderr


def test_an_output_folder_that_is_a_file_exits_4_before_the_model_is_looked_at(run_cli: Run, tone: Path) -> None:
    refused(run_cli("transcribe", tone, "-o", tone, "--model", "no-such-model"), 4, tone)


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs a folder that even root cannot write to")
def test_an_unwritable_folder_exits_4(run_cli: Run, tone: Path) -> None:
    refused(run_cli("transcribe", tone, "-o", "/proc/out", "--model", "no-such-model"), 4, "/proc/out")


# -- models -----------------------------------------------------------------------------------------------------


class _Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch pwned",)


def _evil_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(_Evil()))
        archive.writestr("archive/version", "3\n")


@pytest.mark.parametrize("kind", ["raw", "zip", "noise", "empty", "truncated"])
def test_a_hostile_or_damaged_checkpoint_exits_5(
    run_cli: Run, tiny_model: Path, tone: Path, tmp_path: Path, kind: str
) -> None:
    model = tmp_path / f"{kind}.pt"
    if kind == "raw":
        model.write_bytes(pickle.dumps(_Evil()))
    elif kind == "zip":
        _evil_zip(model)
    elif kind == "truncated":
        model = Path(shutil.copytree(tiny_model, tmp_path / "truncated"))
        weights = model / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-1000])
    else:
        model.write_bytes(b"\x07" * 4096 if kind == "noise" else b"")
    ran = run_cli("transcribe", tone, "--model", model)
    refused(ran, 5, model)
    assert not Path("pwned").exists()
    assert not list(tone.parent.glob("*.srt"))


def test_an_unknown_model_exits_5_with_the_nearest(run_cli: Run, tone: Path) -> None:
    ran = run_cli("transcribe", tone, "--model", "smal")
    refused(ran, 5, "smal")
    assert "small" in ran.stderr


def test_what_failed_before_the_model_did_is_told_too(run_cli: Run, tone: Path) -> None:
    ran = run_cli("transcribe", "missing.mp4", tone, "--model", "no-such-model")
    assert ran.code == 5
    assert ran.stderr.index("missing.mp4") < ran.stderr.index("no-such-model")


def test_a_model_that_cannot_be_fetched_exits_6(run_cli: Run, tone: Path) -> None:
    refused(run_cli("transcribe", tone, "--model", "tiny"), 6, "tiny")


# -- configuration ------------------------------------------------------------------------------------------------


def test_an_unknown_key_exits_7(run_cli: Run, tone: Path) -> None:
    Path("subwhisper.toml").write_text("[transcribe]\nbeem_size = 3\n")
    ran = run_cli("transcribe", tone)
    refused(ran, 7, "beem-size")
    assert "beam-size" in ran.stderr
    assert run_cli("transcribe", "--help").code == 0


def test_a_wrong_value_in_a_file_is_blamed_on_the_file(run_cli: Run, tone: Path) -> None:
    Path("subwhisper.toml").write_text("[transcribe]\nbeam_size = 'many'\n")
    refused(run_cli("transcribe", tone), 7, "subwhisper.toml")


# -- burning ------------------------------------------------------------------------------------------------------


def test_burning_over_an_input_is_refused(run_cli: Run, video_file: Path, tmp_path: Path) -> None:
    captions = tmp_path / "c.srt"
    captions.write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n")
    before = video_file.read_bytes()
    refused(run_cli("burn", video_file, captions, "-o", video_file), 4, video_file)
    assert video_file.read_bytes() == before
    refused(run_cli("burn", video_file, tmp_path / "missing.srt"), 3, "missing.srt")
    refused(run_cli("burn", tmp_path / "missing.mp4", captions), 3, "missing.mp4")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_standard_output_exits_4() -> None:
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "subwhisper", "models", "list", "--json"],
            stdout=full, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": CHECKOUT},
        )  # fmt: skip
    refused(Ran(ran.returncode, "", ran.stderr), 4, "standard output")


# -- interruption -------------------------------------------------------------------------------------------------


def _heed_hang_ups() -> None:
    """Where the tests themselves run under nohup, that is inherited."""
    signal.signal(HANGUP, signal.SIG_DFL)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (HANGUP, 129)])
@pytest.mark.skipif(os.name == "nt", reason="signals are another matter there")
def test_an_interruption_leaves_nothing_half_written(
    tiny_model: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    long = write_tone(tmp_path / "in" / "long.wav", seconds=1800)
    command = ["transcribe", str(long), "--model", str(tiny_model), "-f", "all", "--verbose", "--language", "en"]
    command += ["--plan", "sequential", *QUICK]
    python = [sys.executable, "-m", "subwhisper"]
    with subprocess.Popen(
        [*python, *command],
        stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": CHECKOUT}, preexec_fn=_heed_hang_ups,
    ) as running:  # fmt: skip
        assert running.stderr is not None
        while not running.stderr.readline().startswith("["):  # until the first words are heard
            assert running.poll() is None
        running.send_signal(number)
        said = running.stderr.read()
        assert running.wait(30) == code
    assert "Traceback" not in said
    assert ("interrupted" in said) == (number == signal.SIGINT)
    assert [path.name for path in long.parent.iterdir()] == ["long.wav"]


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="terminals are another matter there")
def test_a_terminal_that_is_closed_ends_the_work_in_order(tiny_model: Path, tmp_path: Path) -> None:
    """What was said to it on the way out was an error of its own, with a traceback for nobody."""
    long = write_tone(tmp_path / "in" / "long.wav", seconds=1800)
    command = [sys.executable, "-m", "subwhisper", "transcribe", str(long), "--model", str(tiny_model), "--verbose"]
    command += ["--language", "en", "--plan", "sequential", *QUICK]
    pid, terminal = os.forkpty()
    if pid == 0:
        _heed_hang_ups()
        os.execve(sys.executable, command, {**os.environ, "PYTHONPATH": CHECKOUT})
    while b"-->" not in os.read(terminal, 65536):  # until the first words are heard
        pass
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 129
