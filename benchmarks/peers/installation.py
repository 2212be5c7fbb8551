"""A virtual environment with the peers in it. Standard library only: this runs before there is anything else."""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def default_home() -> Path:
    """Where the environment and the checkpoints lie when nobody says otherwise."""
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "subwhisper-peers"


def python_of(home: Path) -> Path:
    """The environment's Python."""
    return home / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def install(home: Path) -> Path:
    """Make the environment, once; returns its Python."""
    python, done = python_of(home), home / "venv" / "installed.txt"
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    if not done.exists() or done.read_text(encoding="utf-8") != wanted:
        venv.create(home / "venv", with_pip=True)
        if not _pip(python, "-r", str(REQUIREMENTS), "-e", str(ROOT)):
            sys.exit(f"the peers could not be installed into {home / 'venv'}: pip says why above")
        _drop_useless_torchaudio(python)
        _build_natively(python, wanted)
        done.write_text(wanted, encoding="utf-8")
    return python


def _drop_useless_torchaudio(python: Path) -> None:
    """stable-ts brings torchaudio; one that is behind torch does not load, and keeps transformers from loading too."""
    if subprocess.run([str(python), "-c", "import torchaudio"], capture_output=True, check=False).returncode:
        print("torchaudio does not go with this torch: stable-ts cannot be measured", file=sys.stderr)
        subprocess.run([str(python), "-m", "pip", "uninstall", "-q", "-y", "torchaudio"], check=False)


def _build_natively(python: Path, wanted: str) -> None:
    """whisper.cpp from its sources, where there is a compiler: the package in the index does without AVX-512."""
    line = next(line for line in wanted.splitlines() if line.startswith("pywhispercpp"))
    if not shutil.which("cmake") or not shutil.which("c++"):
        print("no compiler: whisper.cpp stays as the package index has it", file=sys.stderr)
        return
    if not _pip(python, "--no-deps", "--force-reinstall", "--no-binary", "pywhispercpp", line):
        print("whisper.cpp could not be built; it stays as the package index has it", file=sys.stderr)
        _pip(python, "--no-deps", "--force-reinstall", line)


def _pip(python: Path, *arguments: str) -> bool:
    """Install; returns whether that went well."""
    command = [str(python), "-m", "pip", "install", "-q", *arguments]
    return subprocess.run(command, check=False).returncode == 0
