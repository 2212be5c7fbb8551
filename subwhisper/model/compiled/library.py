"""Builds the C files beside it for this processor, once, and describes its structures.

Built with the machine's own compiler, for the instructions of its processor, into the user's cache folder. Where that
cannot be done there is no library, and decoding stays with torch; `SUBWHISPER_COMPILED=0` has the same effect.
"""

import ctypes
import hashlib
import logging
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from subwhisper.errors import ConfigError
from subwhisper.replacing import replacing
from subwhisper.settings import cache_folder

_log = logging.getLogger(__name__)
_FOLDER = Path(__file__).parent
_SOURCES = ("decoder.c", "encoder.c", "choice.c", "alignment.c", "crew.c")
_HEADERS = ("vectors.h", "crew.h")
_FLAGS = ("-O2", "-march=native", "-ffp-contract=fast", "-shared", "-fPIC", "-pthread")
_NEEDED = frozenset(("avx2", "fma", "f16c"))
_LONGEST = 120  # seconds: a compiler that takes longer will not be waited for


class Matrix(ctypes.Structure):
    """`struct matrix`."""

    _fields_ = (
        ("weights", ctypes.c_void_p),
        ("scale", ctypes.c_void_p),
        ("bias", ctypes.c_void_p),
        ("inputs", ctypes.c_int64),
        ("outputs", ctypes.c_int64),
        ("kind", ctypes.c_int64),
    )


class Norm(ctypes.Structure):
    """`struct norm`."""

    _fields_ = (("weight", ctypes.c_void_p), ("bias", ctypes.c_void_p))


class Layer(ctypes.Structure):
    """`struct layer`."""

    _fields_ = (
        ("said_norm", Norm),
        ("heard_norm", Norm),
        ("wide_norm", Norm),
        ("joined", Matrix),
        ("said_out", Matrix),
        ("query", Matrix),
        ("heard_out", Matrix),
        ("widen", Matrix),
        ("narrow", Matrix),
    )


class Cross(ctypes.Structure):
    """`struct cross`."""

    _fields_ = (("keys", ctypes.c_void_p), ("values", ctypes.c_void_p))


class Step(ctypes.Structure):
    """`struct step`."""

    _fields_ = (
        ("layers", ctypes.POINTER(Layer)),
        ("last_norm", Norm),
        ("vocabulary", Matrix),
        ("cross", ctypes.POINTER(Cross)),
        *(
            (name, ctypes.c_void_p)
            for name in ("known", "filler", "asked", "slots", "x", "logits", "scores", "scratch")
        ),
        *((name, ctypes.c_int64) for name in ("n_layers", "n_rows", "n_tokens", "width", "heads", "length")),
        *((name, ctypes.c_int64) for name in ("capacity", "shared", "positions", "cross_kind", "n_asked", "n_slots")),
    )


_POINTER, _COUNT = ctypes.c_void_p, ctypes.c_int64
_FUNCTIONS: dict[str, tuple[Any, ...]] = {
    "take_step": (None, ctypes.POINTER(Step), _COUNT),
    "scratch_floats": (_COUNT, ctypes.POINTER(Step), _COUNT),
    "attend_to_all": (ctypes.c_int, _POINTER, _POINTER, *5 * (_COUNT,)),
    "choose_rows": (None, _POINTER, *4 * (_COUNT,), _POINTER, _POINTER, _POINTER),
    "rule_by_timestamps": (None, _POINTER, *5 * (_COUNT,), _POINTER, _POINTER),
    "attention_map": (ctypes.c_int, _POINTER, *4 * (_COUNT,), _POINTER, _COUNT),
    "cheapest_path": (_COUNT, _POINTER, _COUNT, _COUNT, _POINTER),
}
"""What each function returns, and takes."""


ONE_AT_A_TIME = threading.Lock()
"""Held by who calls what has threads of its own: they are there once."""


@cache
def has_long_vectors() -> bool:
    """Whether the processor has vectors of 512 bits."""
    return "avx512f" in _processor_flags()


@cache
def library() -> ctypes.CDLL | None:
    """The library for this processor, built where it is not yet; `None` where it cannot be."""
    flags = _processor_flags()
    if os.environ.get("SUBWHISPER_COMPILED") == "0" or platform.machine() != "x86_64" or not flags >= _NEEDED:
        return None
    texts = [(_FOLDER / name).read_bytes() for name in (*_SOURCES, *_HEADERS)]
    facts = (*texts, " ".join(_FLAGS).encode(), " ".join(sorted(flags)).encode())
    name = f"{hashlib.sha256(b'|'.join(facts)).hexdigest()[:16]}.so"
    try:
        built = cache_folder() / "compiled" / name
        found = _loaded(built) if built.is_file() else None
        if found is None:
            _build(built)
            found = _loaded(built)
    except (ConfigError, OSError, subprocess.SubprocessError) as error:
        _log.info("decoding stays with torch: %s", error)
        return None
    return found


def _loaded(built: Path) -> ctypes.CDLL | None:
    """The library in a file; `None` where the file is damaged."""
    try:
        found = ctypes.CDLL(str(built))
        for name, (result, *arguments) in _FUNCTIONS.items():
            function = getattr(found, name)
            function.restype, function.argtypes = result, arguments
    except (AttributeError, OSError) as error:
        _log.info("%s cannot be used: %s", built, error)
        return None
    return found


def _compilers() -> Iterator[list[str]]:
    """What may build it, best first: the one that `CC` names, with its arguments, then those that are there."""
    with suppress(ValueError):  # quotes that do not close
        if stated := shlex.split(os.environ.get("CC", "")):
            yield stated
    yield from ([found] for name in ("cc", "gcc", "clang") if (found := shutil.which(name)))


def _processor_flags() -> frozenset[str]:
    """The instructions that Linux says the processor has; none elsewhere."""
    try:
        text = Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:
        return frozenset()
    lines = (line.partition(":") for line in text.partition("\n\n")[0].splitlines())
    return frozenset(next((value.split() for name, _, value in lines if name.strip() == "flags"), ()))


def _build(target: Path) -> None:
    """Compile, and put the library into its place whole: another process may be doing the same.

    Raises:
        OSError: there is no compiler, or the place cannot be written.
        SubprocessError: the last compiler there is fails.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    failed: Exception = FileNotFoundError("there is no C compiler")
    for compiler in _compilers():
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / target.name
            command = [*compiler, *_FLAGS, "-o", str(made), *(str(_FOLDER / name) for name in _SOURCES), "-lm"]
            try:
                subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=_LONGEST)
            except (OSError, subprocess.SubprocessError) as error:
                failed = error
                continue
            with replacing(target) as file:
                file.write(made.read_bytes())
            return
    raise failed
