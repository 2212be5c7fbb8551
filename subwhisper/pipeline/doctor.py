"""A look at everything a job needs: what is there, what is not, and what to do about it."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from subwhisper.engine.device import place
from subwhisper.errors import ConfigError, ModelError, OutputError
from subwhisper.media.facts import ffmpeg_facts, font_facts
from subwhisper.model import store
from subwhisper.model.catalog import BUNDLED
from subwhisper.model.compiled.library import library
from subwhisper.pipeline.models import DEFAULT
from subwhisper.pipeline.outputs import check_writable
from subwhisper.settings import cache_folder, config_files

_ROOM = 2_000_000_000
"""Bytes that the default model and its neighbours on the disk want."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    name: str
    detail: str
    healthy: bool = True
    needed: bool = True
    """Whether `transcribe` or `burn` cannot work without it."""
    remedy: str | None = None

    @property
    def mark(self) -> str:
        return "ok" if self.healthy else "BAD" if self.needed else "--"

    def to_dict(self) -> dict[str, Any]:
        """A row of the machine-readable report."""
        fields = ("name", "detail", "healthy", "needed", "remedy")
        return {field: getattr(self, field) for field in fields}


def examine(check_configuration: Callable[[], None]) -> Iterator[Finding]:
    """Look at one thing after another; nothing is fetched, and only caches are written.

    `check_configuration` raises a ConfigError for a file that cannot be used: who calls knows the options.
    """
    yield from _ffmpeg()
    yield _fonts()
    yield from _torch()
    yield _cache()
    yield from _models()
    yield _configuration(check_configuration)


def _ffmpeg() -> Iterator[Finding]:
    facts = ffmpeg_facts()
    told: set[str] = set()  # one fault, said once
    uses = (("decoding", facts.decoder, facts.no_decoder), ("burning", facts.burner, facts.no_burner))
    for use, chosen, problem in uses:
        known = {one.path: one for one in facts.known}
        version = known[chosen].version if chosen in known else None
        detail = f"{chosen} ({version or 'version unknown'})" if chosen else "no ffmpeg that can do it"
        yield Finding(f"ffmpeg for {use}", detail, chosen is not None, remedy=None if problem in told else problem)
        told |= {problem} if problem else set()
    for one in facts.known:
        if one.lacks_for_burning and one.path != facts.burner:
            lacks = ", ".join(sorted(one.lacks_for_burning))
            yield Finding("other ffmpeg", f"{one.path} is not used for burning: it lacks {lacks}")


def _fonts() -> Finding:
    facts = font_facts()
    if facts.problem is None:
        return Finding("fonts", f"{facts.family}, {len(facts.files)} files in {facts.folder}")
    remedy = "SUBWHISPER_CACHE can name a folder that can be written to; until then every burn writes its own"
    return Finding("fonts", facts.problem, healthy=False, needed=False, remedy=remedy)


def _torch() -> Iterator[Finding]:
    import torch

    yield Finding("torch", f"{torch.__version__}, {torch.get_num_threads()} threads")
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            yield Finding("device", f"cuda:{index} {torch.cuda.get_device_name(index)}")
        return
    yield _compiled()
    remedy = "a CUDA GPU makes large models many times faster; without one, smaller models help"
    yield Finding("device", f"cpu only, computing in {place().compute}", needed=False, remedy=remedy)


def _compiled() -> Finding:
    if library() is not None:
        return Finding("compiled decoder", f"built for this processor, in {cache_folder()}", needed=False)
    remedy = "a C compiler (gcc or clang) makes decoding up to twice as fast on Linux with an x86 processor (AVX2)"
    return Finding("compiled decoder", "none; torch decodes", healthy=False, needed=False, remedy=remedy)


def _cache() -> Finding:
    folder = cache_folder()
    try:
        check_writable(folder)
    except OutputError as error:
        return Finding("cache", error.message, healthy=False, needed=False, remedy="SUBWHISPER_CACHE can name another")
    free = shutil.disk_usage(folder).free
    detail = f"{folder}, {free / 1e9:.1f} GB free"
    if free < _ROOM:
        return Finding("cache", detail, healthy=False, needed=False, remedy="free some space, or set SUBWHISPER_CACHE")
    return Finding("cache", detail)


def _models() -> Iterator[Finding]:
    names = ", ".join(model.name for model in store.installed())
    remedy = f"subwhisper models download {DEFAULT} fetches one; --model {BUNDLED} needs none"
    yield Finding("models", names or "none fetched yet", bool(names), needed=False, remedy=None if names else remedy)
    try:
        yield Finding("bundled model", str(store.locate(BUNDLED, offline=True)))
    except ModelError as error:
        yield Finding("bundled model", error.message, healthy=False, needed=False, remedy=error.hint)


def _configuration(check: Callable[[], None]) -> Finding:
    try:
        check()
        files = config_files()
    except ConfigError as error:
        return Finding("configuration", error.message, healthy=False, remedy=error.hint)
    return Finding("configuration", ", ".join(map(str, files)) or "no file; all defaults", needed=False)
