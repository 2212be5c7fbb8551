"""The command line starts at once, because it loads nothing heavy before it has to."""

import subprocess
import sys
from pathlib import Path

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


def test_what_is_imported_quickly_is_whole_and_the_collector_goes_on() -> None:
    code = """
import gc, sys
from subwhisper.pipeline.quickstart import quick_imports
with quick_imports(["/nothing/there"]):
    import torch
assert gc.isenabled()
assert gc.get_freeze_count() > 100_000
assert torch.Generator().manual_seed(1).initial_seed() == 1
frozen = gc.get_freeze_count()
with quick_imports():
    pass
assert gc.get_freeze_count() == frozen
"""
    assert "torch._meta_registrations" in loaded_by(code)


def test_a_file_that_cannot_be_read_is_told_later_and_by_somebody_else(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no film")
    code = f"""
from subwhisper.pipeline.quickstart import _look_ahead
for name in ("/nothing/there", "-", "https://example.org/film.mp4", {str(tmp_path / "text.mp4")!r}):
    _look_ahead([name])
"""
    assert "torch" not in loaded_by(code)
