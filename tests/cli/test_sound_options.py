"""`transcribe` with channels taken apart and sound cleaned up."""

import json
from pathlib import Path

from command_line import QUICK, Run


def test_each_channel_is_a_speaker(run_cli: Run, samples: Path, tiny_model: Path, tmp_path: Path) -> None:
    arguments = ["--model", tiny_model, "--language", "en", "--channels", "split", "-f", "json,srt", "-o", tmp_path]
    ran = run_cli("transcribe", samples / "speech/stereo-two-speakers.flac", *arguments, *QUICK)
    assert ran.code == 0, ran.stderr
    document = json.loads((tmp_path / "stereo-two-speakers.en.json").read_text())
    words = [word for segment in document["segments"] for word in segment.get("words", ())]
    assert {word["speaker"] for word in words} == {"Speaker 1", "Speaker 2"}


def test_sound_is_cleaned_up_before_it_is_heard(run_cli: Run, tone: Path, tiny_model: Path) -> None:
    arguments = ["--model", tiny_model, "--language", "en", *QUICK]
    cleaning = ["--denoise", "--high-pass", "80", "--loudness", "-20"]
    assert run_cli("transcribe", tone, *arguments, *cleaning).code == 0
    for wrong in (["--high-pass", "0"], ["--loudness", "5"], ["--channels", "apart"]):
        assert run_cli("transcribe", tone, *arguments, *wrong).code == 2
