"""README says what the program does: commands, options and examples are tried, not trusted."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from subwhisper.cli import app
from subwhisper.cli.argv import Grammar
from subwhisper.errors import ModelError
from subwhisper.model.store import locate

ROOT = Path(__file__).resolve().parents[1]
WELCOME = ROOT / "examples" / "welcome.mp4"
EXAMPLES = [path for path in sorted((ROOT / "examples").glob("*.py")) if not path.name.startswith("make_")]
README = ROOT / "README.md"
GRAMMAR = Grammar.of(typer.main.get_command(app))

# openai-whisper 20250625, product.md 2.1: people's scripts are full of them.
_NAMES = """
model model_dir device output_dir output_format verbose task language temperature best_of beam_size patience
length_penalty suppress_tokens initial_prompt carry_initial_prompt condition_on_previous_text fp16
temperature_increment_on_fallback compression_ratio_threshold logprob_threshold no_speech_threshold word_timestamps
prepend_punctuations append_punctuations highlight_words max_line_width max_line_count max_words_per_line threads
clip_timestamps hallucination_silence_threshold
"""
OPENAI_WHISPER = _NAMES.split()
# faster-whisper 1.2, product.md 2.2: what its decoding takes beyond that.
_MORE_NAMES = """
repetition_penalty no_repeat_ngram_size log_prob_threshold prompt_reset_on_temperature prefix suppress_blank
without_timestamps max_initial_timestamp max_new_tokens hotwords
"""
FASTER_WHISPER = _MORE_NAMES.split()


@pytest.fixture
def readme() -> str:
    if not README.exists():
        pytest.skip("there is no README yet")
    return README.read_text(encoding="utf-8")


def shell_lines(text: str) -> list[str]:
    blocks = re.findall(r"^```(?:sh|bash|shell|console)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [line.strip() for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("theirs", [OPENAI_WHISPER, FASTER_WHISPER])
def test_every_option_of_its_peers_is_there(theirs: list[str]) -> None:
    transcribe = GRAMMAR.commands["transcribe"].options
    assert [name for name in theirs if f"--{name.replace('_', '-')}" not in transcribe] == []


def test_every_option_of_ours_is_explained() -> None:
    for command in typer.main.get_command(app).commands.values():  # type: ignore[attr-defined]
        assert command.help, command.name
        for parameter in command.params:
            assert parameter.help, f"{command.name} {parameter.name}"


def test_several_languages_are_offered_only_where_they_are_taken() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    offering = {
        name
        for name, command in commands.items()
        for parameter in command.params
        if "--language" in parameter.opts and "en,de" in parameter.help
    }
    assert offering == {"batch", "detect", "plan", "transcribe", "translate"}


def test_readme_has_every_command_in_its_table(readme: str) -> None:
    rows = {
        name for row in re.findall(r"^\|.*\|$", readme, re.MULTILINE) for name in re.findall(r"subwhisper (\w+)", row)
    }
    assert rows == set(GRAMMAR.commands)


def test_readme_uses_only_commands_and_options_that_exist(readme: str) -> None:
    for line in shell_lines(readme):
        for call in re.findall(r"\bsubwhisper (\w+[^&|;#]*)", line):
            words = call.split()
            grammar = GRAMMAR.commands[words[0]]
            for word in words[1:]:
                if word in grammar.commands:
                    grammar = grammar.commands[word]
                elif re.match(r"--?[a-z]", word):
                    assert word.partition("=")[0] in grammar.options, f"{word} in: {line}"


def test_readme_has_the_test_command_that_ci_runs(readme: str) -> None:
    assert any(re.fullmatch(r"python3 -m venv .* -m tests", line) for line in shell_lines(readme))


@pytest.fixture
def run_python(tmp_path: Path) -> Callable[..., str]:
    """Runs Python in an empty folder, as a user would; what it printed comes back."""
    try:
        locate("bundled", offline=True)
    except ModelError as error:
        pytest.skip(error.message)

    def call(*arguments: object) -> str:
        command = [sys.executable, *map(str, arguments)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        ran = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600, check=False
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    return call


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_runs(example: Path, run_python: Callable[..., str]) -> None:
    assert run_python(example, WELCOME)


@pytest.mark.slow
def test_the_python_of_readme_runs(readme: str, run_python: Callable[..., str], tmp_path: Path) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    code = code.replace('"talk.mp4"', repr(str(WELCOME))).replace('"turbo"', '"bundled"')
    assert run_python("-c", code)
    assert (tmp_path / "talk.srt").exists()
