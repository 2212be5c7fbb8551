"""`subwhisper transcribe` from the words typed to the files written."""

import json
import re
import shutil
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
import torch
from command_line import QUICK, Run, write_tone
from torch import Tensor

from subwhisper.media.ffmpeg import find_ffmpeg, run
from subwhisper.model.whisper import Whisper
from subwhisper.pipeline import models


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_recording_becomes_captions_beside_it(run_cli: Run, tiny_model: Path, tone: Path) -> None:
    ran = run_cli("transcribe", tone, "--model", tiny_model, "--language", "en", *QUICK)
    assert (ran.code, ran.stdout) == (0, "")
    assert "wrote" in ran.stderr
    assert names(tone.parent) == ["tone.en.srt", "tone.wav"]


def test_every_format_at_once_in_a_folder(run_cli: Run, tiny_model: Path, tone: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    ran = run_cli("transcribe", tone, "--model", tiny_model, "--language=German", "-f", "all", "-o", out, "-q", *QUICK)
    assert ran == (0, "", "")
    assert names(out) == [f"tone.de.{format}" for format in ("ass", "json", "srt", "tsv", "txt", "vtt")]
    document = json.loads((out / "tone.de.json").read_text(encoding="utf-8"))
    assert set(document) == {"text", "language", "language_probability", "duration", "segments", "provenance"}
    assert document["language"] == "de"
    assert document["duration"] == pytest.approx(2.0, abs=0.05)
    made = document["provenance"]
    assert made["model"] == "nonsense"
    assert len(made["model_sha256"]) == 64
    assert made["source"] == {"name": "tone.wav", "bytes": tone.stat().st_size}
    assert made["options"]["decode"]["beam_size"] == 1


def test_what_a_format_cannot_hold_is_told_once_a_file(run_cli: Run, tiny_model: Path, tone: Path) -> None:
    command = ("transcribe", tone, "--model", tiny_model, "--language", "en", *QUICK)
    ran = run_cli(*command, "-f", "srt,scc,txt,json", "--json")
    assert ran.code == 0, ran.stderr
    assert ran.stderr.count("cannot hold") == 1  # word times and plain text are no loss: nobody asked for more
    assert re.search(r"wrote .*tone\.en\.scc\n  scc cannot hold: .*exact time \(\d+\)", ran.stderr)
    losses = json.loads(ran.stdout)["inputs"][0]["losses"]
    assert [Path(path).name for path in losses] == ["tone.en.scc"]
    assert "word time" in run_cli(*command, "-f", "sbv", "--highlight", "karaoke", "--redo").stderr


def test_translating_names_the_language_of_the_text(run_cli: Run, tiny_model: Path, tone: Path) -> None:
    ran = run_cli("translate", tone, "--model", tiny_model, "--language", "de", *QUICK)
    assert ran.code == 0, ran.stderr
    assert names(tone.parent) == ["tone.en.srt", "tone.wav"]


def test_the_language_is_found_out(run_cli: Run, tiny_model: Path, tone: Path) -> None:
    assert run_cli("transcribe", tone, "--model", tiny_model, *QUICK).code == 0
    assert re.fullmatch(r"tone\.(en|de)\.srt", names(tone.parent)[0])


def test_what_openai_whisper_takes_is_taken(run_cli: Run, tiny_model: Path, tone: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = f"""transcribe {tone} --model {tiny_model} --model_dir {tmp_path} --device cpu --output_dir {out}
        --output_format json --verbose False --task transcribe --language en --temperature 0 --best_of 2 --beam_size 2
        --patience None --length_penalty None --suppress_tokens -1 --initial_prompt None --carry_initial_prompt False
        --condition_on_previous_text True --fp16 False --temperature_increment_on_fallback None
        --compression_ratio_threshold 2.4 --logprob_threshold -1.0 --no_speech_threshold 0.6 --word_timestamps True
        --prepend_punctuations ( --append_punctuations . --highlight_words False --max_line_width None
        --max_line_count None --max_words_per_line None --threads 1 --clip_timestamps 0
        --hallucination_silence_threshold None"""
    ran = run_cli(*command.split())
    assert ran.code == 0, ran.stderr
    options = json.loads((out / "tone.en.json").read_text(encoding="utf-8"))["provenance"]["options"]
    assert options["fallback"]["temperatures"] == [0.0]
    assert options["decode"]["suppress_tokens"] == [-1]
    assert options["word_timestamps"] is True


def test_what_faster_whisper_takes_is_taken(run_cli: Run, tiny_model: Path, tone: Path, tmp_path: Path) -> None:
    command = f"""transcribe {tone} --model {tiny_model} --language en -f json -o {tmp_path / "out"} --beam_size 1
        --repetition_penalty 1.1 --no_repeat_ngram_size 3 --log_prob_threshold None --prompt_reset_on_temperature 0.4
        --prefix so --suppress_blank False --without_timestamps True --max_initial_timestamp None --max_new_tokens 9
        --hotwords Ada --temperature_increment_on_fallback None"""
    ran = run_cli(*command.split())
    assert ran.code == 0, ran.stderr
    options = json.loads((tmp_path / "out" / "tone.en.json").read_text(encoding="utf-8"))["provenance"]["options"]
    decode = {"repetition_penalty": 1.1, "no_repeat_ngram_size": 3, "prefix": "so", "suppress_blank": False}
    decode |= {"without_timestamps": True, "max_initial_timestamp": None, "sample_len": 9}
    assert options["decode"].items() >= decode.items()
    assert options["fallback"]["logprob_threshold"] is None
    assert options.items() >= {"hotwords": "Ada", "prompt_reset_on_temperature": 0.4}.items()


def test_thresholds_can_be_taken_away(run_cli: Run, tiny_model: Path, tone: Path) -> None:
    given = ("--no_speech_threshold", "None", "--logprob_threshold=None", "--compression-ratio-threshold", "None")
    ran = run_cli("transcribe", tone, "--model", tiny_model, "--language", "en", "-f", "json", *given, *QUICK)
    assert ran.code == 0, ran.stderr
    document = json.loads((tone.parent / "tone.en.json").read_text(encoding="utf-8"))
    fallback = document["provenance"]["options"]["fallback"]
    thresholds = [fallback[name] for name in fallback if name.endswith("threshold")]
    assert thresholds == [None, None, None]


@pytest.mark.parametrize("formats", ["json", "txt,json"])
def test_json_has_the_word_times_that_captions_can_be_laid_out_by_later(
    run_cli: Run, tiny_model: Path, tone: Path, formats: str
) -> None:
    ran = run_cli("transcribe", tone, "--model", tiny_model, "--language", "en", "-f", formats, *QUICK)
    assert ran.code == 0, ran.stderr
    document = json.loads((tone.parent / "tone.en.json").read_text(encoding="utf-8"))
    assert document["provenance"]["options"]["word_timestamps"] is True


def test_no_speech_gives_empty_files_and_is_no_error(run_cli: Run, tiny_model: Path, tone: Path) -> None:
    silence = ("--no-speech-threshold", "-1", "--logprob-threshold", "1000")
    ran = run_cli("transcribe", tone, "--model", tiny_model, "--language", "en", "-f", "all", *silence, *QUICK)
    assert ran.code == 0, ran.stderr
    texts = {path.suffix: path.read_text(encoding="utf-8") for path in tone.parent.glob("tone.en.*")}
    assert texts[".srt"] == texts[".txt"] == ""
    assert texts[".vtt"].startswith("WEBVTT")
    assert "[Script Info]" in texts[".ass"]
    assert texts[".tsv"] == "start\tend\ttext\n"
    assert json.loads(texts[".json"])["segments"] == []


def test_standard_input_is_a_recording(
    run_cli: Run, tiny_model: Path, tone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(tone.read_bytes())))
    out = tmp_path / "out"
    ran = run_cli("transcribe", "-", "-o", out, "--model", tiny_model, "--language", "en", *QUICK)
    assert ran.code == 0, ran.stderr
    assert names(out) == ["stdin.en.srt"]


def test_the_report_tells_of_good_and_bad(run_cli: Run, tiny_model: Path, tone: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing.mp4"
    ran = run_cli("transcribe", missing, tone, "--json", "--model", tiny_model, "--language", "en", *QUICK)
    assert ran.code == 10
    bad, good = json.loads(ran.stdout)["inputs"]
    assert bad["input"] == str(missing)
    assert bad["error"]["exit_code"] == 3
    assert good["outputs"] == [str(tone.parent / "tone.en.srt")]
    assert good["language"] == "en"
    assert good["realtime_factor"] == pytest.approx(good["seconds"] / good["duration"], abs=1e-3)
    assert good["error"] is None


def test_running_again_replaces_unless_told_not_to(run_cli: Run, tiny_model: Path, tone: Path) -> None:
    result = tone.parent / "tone.en.srt"
    result.write_text("old")
    command = ("transcribe", tone, "--model", tiny_model, "--language", "en", *QUICK)
    ran = run_cli(*command, "--no-overwrite")
    assert ran.code == 4
    assert str(result) in ran.stderr
    assert result.read_text() == "old"
    assert run_cli(*command).code == 0
    assert result.read_text() != "old"


def test_segments_can_be_watched(run_cli: Run, tiny_model: Path, tone: Path) -> None:
    ran = run_cli("transcribe", tone, "--model", tiny_model, "--language", "en", "--verbose", *QUICK)
    assert re.search(r"^\[00:00:0\d\.\d{3} --> ", ran.stderr, re.MULTILINE)


def test_captions_are_drawn_in_one_go(run_cli: Run, tiny_model: Path, video_file: Path, tmp_path: Path) -> None:
    video = Path(shutil.copy(video_file, tmp_path))
    ran = run_cli("transcribe", video, "--burn", "--model", tiny_model, "--language", "en", *QUICK)
    assert ran.code == 0, ran.stderr
    assert names(tmp_path) == ["clip.captioned.mp4", "clip.en.srt", "clip.mp4"]


def test_settings_come_from_flag_then_environment_then_file(
    run_cli: Run, tiny_model: Path, tone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("subwhisper.toml").write_text(
        f"model = {str(tiny_model)!r}\n[transcribe]\nlanguage = 'de'\nformat = ['txt']\n"
    )
    assert run_cli("transcribe", tone, *QUICK).code == 0
    assert names(tone.parent) == ["tone.de.txt", "tone.wav"]
    monkeypatch.setenv("SUBWHISPER_FORMAT", "tsv")
    monkeypatch.setenv("SUBWHISPER_LANGUAGE", "en")
    assert run_cli("transcribe", tone, *QUICK).code == 0
    assert run_cli("transcribe", tone, *QUICK, "-f", "vtt").code == 0
    assert names(tone.parent) == ["tone.de.txt", "tone.en.tsv", "tone.en.vtt", "tone.wav"]


def test_no_result_replaces_another_input(run_cli: Run, tiny_model: Path, tone: Path) -> None:
    victim = tone.with_name("tone.en.srt")
    victim.write_bytes(tone.read_bytes())
    ran = run_cli("transcribe", tone, victim, "--model", tiny_model, "--language", "en", *QUICK)
    assert ran.code == 10
    assert "tone.en.srt is an input" in ran.stderr
    assert victim.read_bytes() == tone.read_bytes()


def test_a_folder_is_worked_through(run_cli: Run, tiny_model: Path, tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        write_tone(tmp_path / "in" / name, seconds=0.5)
    ran = run_cli("transcribe", tmp_path / "in", "--model", tiny_model, "--language", "en", *QUICK)
    assert ran.code == 0, ran.stderr
    assert names(tmp_path / "in") == ["a.en.srt", "a.wav", "b.en.srt", "b.wav"]


def test_a_folder_is_treated_as_batch_does(run_cli: Run, tiny_model: Path, tmp_path: Path) -> None:
    folder, wanted = tmp_path / "in", ["--model", tiny_model, "--language", "en", *QUICK]
    for name in ("a.wav", "deep/b.wav", "deep/c.wav"):
        write_tone(folder / name, 1.0)
    (folder / "deep" / "c.en.srt").write_text("somebody's")
    ran = run_cli("transcribe", folder, *wanted, "-o", tmp_path / "out", "--exclude", "c.*", "--no-recursive")
    assert ran.code == 0, ran.stderr
    assert names(tmp_path / "out") == ["a.en.srt"]
    ran = run_cli("transcribe", folder, *wanted, "-o", tmp_path / "out", "--json")
    assert "2 have captions already" in ran.stderr
    rows = json.loads(ran.stdout)["inputs"]
    assert [row["skipped"] for row in rows] == ["done already", None, "c.en.srt is there"]
    assert names(tmp_path / "out" / "deep") == ["b.en.srt"]

    (tmp_path / "list.txt").write_text(str(folder))
    ran = run_cli(
        "transcribe", "--list", tmp_path / "list.txt", *wanted, "-o", tmp_path / "out", "--max-line-width", 20
    )
    assert ran.stderr.count("wrote") == 2  # ours, under other wishes
    ran = run_cli("transcribe", folder / "deep" / "c.wav", *wanted)
    assert (folder / "deep" / "c.en.srt").read_text() != "somebody's"  # named outright
    ran = run_cli("transcribe", folder, *wanted, "--redo", "--verbose")
    assert ran.stderr.count("wrote") == 3
    ran = run_cli("batch", folder, *wanted)
    assert "3 have captions" in ran.stderr


def test_refined_edges_need_words_and_ask_for_them(run_cli: Run, tiny_model: Path, tone: Path, tmp_path: Path) -> None:
    common = ("transcribe", tone, "--model", tiny_model, "--language", "en", "--refine", "-o", tmp_path, *QUICK)
    refused = run_cli(*common, "--no-word-timestamps")
    assert (refused.code, "word times" in refused.stderr) == (2, True)
    assert run_cli(*common, "-f", "json").code == 0
    segments = json.loads((tmp_path / "tone.en.json").read_text(encoding="utf-8"))["segments"]
    assert any("words" in segment for segment in segments)


def test_too_little_memory_is_told_and_no_reason_to_stop(
    run_cli: Run, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(network: Whisper, tokens: Tensor, *more: object, **options: object) -> Tensor:
        if len(tokens) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return plenty(network, tokens, *more, **options)

    tone, plenty = write_tone(tmp_path / "tone.wav", seconds=120), Whisper.decode
    wanted = ("transcribe", tone, "--model", tiny_model, "-l", "en", "--compute", "float32", "--no-journal", *QUICK)
    assert run_cli(*wanted).code == 0
    first = tone.with_suffix(".en.srt").read_bytes()
    monkeypatch.setattr(Whisper, "decode", decode)
    ran = run_cli(*wanted, "-f", "srt,json", "--json")
    assert ran.code == 0
    assert tone.with_suffix(".en.srt").read_bytes() == first
    assert ran.stderr.count("memory ran out with") == ran.stderr.count("went on with") == 1
    document = json.loads(tone.with_suffix(".en.json").read_text(encoding="utf-8"))
    given_up = document["provenance"]["gave_up"]
    assert all(step.startswith("memory ran out with") for step in given_up)
    assert given_up
    assert json.loads(ran.stdout)["inputs"][0]["gave_up"] == given_up


def test_far_too_little_memory_is_one_clear_line(
    run_cli: Run, tiny_model: Path, tone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def encode(network: Whisper, mel: Tensor) -> Tensor:
        raise MemoryError

    monkeypatch.setattr(Whisper, "encode", encode)
    ran = run_cli("transcribe", tone, "--model", tiny_model, "-l", "en", *QUICK)
    assert ran.code == 5
    assert "not enough memory for 1 window at once in int8 on cpu" in ran.stderr
    assert "smaller model" in ran.stderr


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("unable to mmap 9 bytes: Cannot allocate memory (12)")])
def test_no_memory_to_read_the_model_is_one_clear_line(
    run_cli: Run, tiny_model: Path, tone: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def read(path: Path) -> None:
        raise error

    monkeypatch.setattr(models, "read_checkpoint", read)
    ran = run_cli("transcribe", tone, "--model", tiny_model, "-l", "en", *QUICK)
    assert ran.code == 5
    said, hint = ran.stderr.splitlines()
    assert said.startswith("subwhisper: error: there is not enough memory: ")
    assert "smaller --model" in hint


@pytest.mark.parametrize(("stated", "warned"), [("ger", True), ("eng", False), ("und", False)])
def test_a_model_of_english_is_no_use_for_sound_called_german(
    run_cli: Run, tone: Path, tmp_path: Path, stated: str, warned: bool
) -> None:
    film = tmp_path / "film.mka"
    run(["-i", str(tone), "-metadata:s:a:0", f"language={stated}", str(film)], ffmpeg=find_ffmpeg(), source=tone)
    ran = run_cli("transcribe", film, "--model", "bundled", *QUICK)
    assert ran.code == 0
    assert ("is German, and the model bundled knows English only" in ran.stderr) == warned
