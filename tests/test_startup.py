"""The command line starts at once, because it loads nothing heavy before it has to."""

import subprocess
import sys

import pytest

HEAVY = {"torch", "numpy", "av", "tiktoken", "pysubs2", "yt_dlp", "ray", "huggingface_hub", "safetensors", "ffmpeg"}


def loaded_by(code: str) -> set[str]:
    """The modules in a fresh interpreter after running `code`."""
    shown = subprocess.check_output(
        [sys.executable, "-c", f"{code}\nprint('##', *__import__('sys').modules)"], text=True
    )
    return set(shown.rpartition("##")[2].split())


@pytest.mark.parametrize(
    "arguments", [["--help"], ["transcribe", "--help"], ["burn", "--help"], ["convert", "--help"], ["--version"]]
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = f"""
from subwhisper.cli import main
try:
    main({arguments!r})
except SystemExit as leaving:
    assert leaving.code == 0, leaving.code
"""
    assert not loaded_by(code) & HEAVY


def test_importing_the_package_loads_none_of_its_modules() -> None:
    assert not {name for name in loaded_by("import subwhisper") if name.startswith("subwhisper.")}


def test_importing_settings_asks_nothing_of_the_machine() -> None:
    assert "platformdirs" not in loaded_by("import subwhisper.settings")
