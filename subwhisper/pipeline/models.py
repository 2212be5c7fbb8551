"""Which model a job uses, and what happens when there is none.

A model that was named is used or the job fails. Without a name, the best one on this machine that can do
the job is used, else the default one is fetched; only when neither can be had does a single recording fall back
to the small model inside the package, and says so. Several recordings never fall back: nobody should find
a night's work done by the smallest model.
"""

import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from subwhisper.engine.abilities import check_public
from subwhisper.engine.options import TranscribeOptions
from subwhisper.engine.transcriber import Transcriber
from subwhisper.errors import DownloadError, ModelError
from subwhisper.languages import language_code
from subwhisper.model import store
from subwhisper.model.catalog import BUNDLED, CATALOG, CatalogEntry, find, known
from subwhisper.model.checkpoints import Checkpoint, read_checkpoint
from subwhisper.model.checkpoints.ggml import GgmlTensors
from subwhisper.model.checkpoints.shapes import n_parameters
from subwhisper.model.files import is_adapter
from subwhisper.pipeline import OnProgress
from subwhisper.pipeline.conversion import size_of

DEFAULT = "turbo"
"""Fetched when no model is named and none is present; openai-whisper's default too."""
DEFAULT_TRANSLATOR = "medium"
"""The same for translation, which turbo was not trained for."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ModelChoice:
    """A model and how to run it."""

    name: str | None = None
    """A known name, a checkpoint's path, or `bundled`; `None` leaves the choice to us."""
    folder: Path | None = None
    """Where to look for `NAME` or `NAME.pt` before anywhere else."""
    offline: bool = False
    device: str = "auto"
    compute: str = "auto"
    threads: int | None = None
    """`None` is as many as torch finds fit."""


def load(choice: ModelChoice, options: TranscribeOptions, *, several: bool, on_progress: OnProgress) -> Transcriber:
    """Find the model, fetch it if need be, and make it ready.

    Args:
        choice: what was asked for.
        options: of the job, which not every model can do.
        several: whether there is more than one recording, so that falling back is out of the question.
        on_progress: hears of a download, in bytes.

    Raises:
        OptionError: it is a public model that does not know a language of the job.
        ModelError: unknown, damaged, not to be had, or no translator where one is wanted.
    """
    return load_from(locate(choice, options, several=several, on_progress=on_progress), choice)


def load_from(path: Path, choice: ModelChoice) -> Transcriber:
    """Make a checkpoint ready to run as chosen.

    Raises:
        ModelError: it is damaged, or not what it should be.
    """
    return Transcriber(read_checkpoint(path), device=choice.device, compute=choice.compute, threads=choice.threads)


def locate(choice: ModelChoice, options: TranscribeOptions, *, several: bool, on_progress: OnProgress) -> Path:
    """Find the checkpoint of a choice, fetching it if need be.

    Raises:
        OptionError: it is a public model that does not know a language of the job.
        ModelError: as `load`.
    """
    if choice.name is not None:
        _refuse_unfit(choice, options)
        return _in_folder(choice) or _fetch(choice.name, choice.offline, on_progress)
    present = [entry for entry in store.installed() if _suits(entry, options)]
    default = find(DEFAULT_TRANSLATOR if options.translates else DEFAULT)
    if present:
        best = default if default in present else max(present, key=lambda entry: entry.size_bytes)
        return _fetch(best.name, True, on_progress)
    try:
        return _fetch(default.name, choice.offline, on_progress)
    except DownloadError as error:
        return _fall_back(error, options, several)


def to_fetch(choice: ModelChoice, options: TranscribeOptions) -> CatalogEntry | None:
    """The model that `locate` would have to download; `None` if what is chosen is on this machine.

    Raises:
        OptionError: it does not know a language of the job.
        ModelError: it is unknown, or cannot translate where that is wanted.
    """
    present = store.installed()
    if choice.name is None:
        default = find(DEFAULT_TRANSLATOR if options.task != "transcribe" else DEFAULT)
        return None if any(_suits(entry, options) for entry in present) else default
    if choice.name == BUNDLED or _in_folder(choice) or Path(choice.name).exists():
        return None
    _refuse_unfit(choice, options)
    entry = known(choice.name)
    if entry is None and store.is_repository(choice.name):
        _require_here(choice.name)
        return None
    entry = entry or find(choice.name)  # raises, naming the nearest
    return None if entry in present else entry


def _require_here(repository: str) -> None:
    """Refuse a repository of the hub that is not on this machine: nobody knows how much it would be to fetch."""
    try:
        store.locate(repository, offline=True)
    except DownloadError as error:
        hint = f"fetch it first: subwhisper models download {repository}"
        raise ModelError(f"{repository} is not on this machine, and its size is not known", hint=hint) from error


def _refuse_unfit(choice: ModelChoice, options: TranscribeOptions) -> None:
    """Say what a public model cannot do before it is fetched."""
    if choice.name and not _in_folder(choice) and not Path(choice.name).exists():
        check_public(choice.name, options)


def _in_folder(choice: ModelChoice) -> Path | None:
    """The model as openai-whisper keeps it: a file named after it in a folder."""
    if choice.folder is None or choice.name is None:
        return None
    candidates = (choice.folder / choice.name, choice.folder / f"{choice.name}.pt")
    return next((path for path in candidates if path.exists()), None)


def _fetch(name: str, offline: bool, on_progress: OnProgress) -> Path:
    def on_bytes(done: int, total: int | None) -> None:
        on_progress(f"fetching {name}", done, total)

    return store.locate(name, offline=offline, on_progress=on_bytes)


def _suits(entry: CatalogEntry, options: TranscribeOptions) -> bool:
    if options.translates and not entry.can_translate:
        return False
    if options.language is None or options.multilingual:  # to be detected, which takes a model of many languages
        return len(entry.languages) > 1 and {*options.candidates} <= {*entry.languages}
    return language_code(options.language) in entry.languages


def _fall_back(error: DownloadError, options: TranscribeOptions, several: bool) -> Path:
    english = {*options.candidates, language_code(options.language or "en")} == {"en"} and not options.multilingual
    if several or options.translates or not english:
        reason = "more than one recording" if several else "this job, which is not plain English"
        raise DownloadError(
            f"there is no model on this machine and none could be fetched: {error.message}",
            hint=f"the small English model inside subwhisper is not used for {reason}; name one with --model",
        ) from error
    logger.warning(
        "no model on this machine and none could be fetched, so the small English model inside subwhisper is used; "
        "for a better one, go online and run: subwhisper models download %s",
        DEFAULT,
    )
    return store.locate(BUNDLED, offline=True)


def present_names() -> frozenset[str]:
    """Names of the catalog's models that are on this machine."""
    return frozenset(model.name for model in store.installed())


def catalog() -> tuple[CatalogEntry, ...]:
    """Every public model."""
    return tuple(CATALOG.values())


def download(name: str, *, on_progress: OnProgress) -> Path:
    """Fetch a model so that later jobs need no network.

    Raises:
        ModelError: it is unknown or cannot be fetched.
    """
    if name == BUNDLED:
        raise ModelError("the bundled model is part of subwhisper", hint="use it with --model bundled")
    if Path(name).exists() or not store.is_repository(name):
        find(name)  # a path or a slip of the pen is not to be taken for a repository
    return _fetch(name, False, on_progress)


def path_of(name: str) -> Path:
    """Where a model is on this machine.

    Raises:
        ModelError: it is unknown, or not here.
    """
    return store.locate(name, offline=True)


def remove(name: str) -> int:
    """Delete a model from the cache; the bytes that were freed.

    Raises:
        ModelError: it is not there, or cannot be deleted.
    """
    return store.remove(name)


def describe(name: str) -> dict[str, Any]:
    """What a model is, as plain JSON values: of one that is here, what its files say, else what the catalog knows.

    Raises:
        ModelError: it is unknown, or damaged.
    """
    try:
        path = store.locate(name, offline=True)
    except DownloadError:
        entry = known(name)
        if entry is None:
            raise
        return {"name": entry.name, "present": False, "download": entry.size_bytes} | _facts(entry)
    checkpoint = read_checkpoint(path)
    tensors, entry = checkpoint.tensors, known(checkpoint.name)
    return {
        "name": checkpoint.name,
        "present": True,
        "path": str(path),
        "format": _format(path, checkpoint),
        "weights": tensors.weights if isinstance(tensors, GgmlTensors) else _type_name(checkpoint),
        "bytes": size_of(path),
        "sha256": checkpoint.fingerprint,
        "languages": list(checkpoint.vocabulary.languages) if checkpoint.is_multilingual else ["en"],
        "translates": checkpoint.is_multilingual and (entry is None or entry.can_translate),
        "reads_prompts": checkpoint.reads_prompts,
        "alignment_heads": [list(pair) for pair in checkpoint.alignment_heads],
        "dims": asdict(checkpoint.dims),
        "parameters": n_parameters(checkpoint.dims),
    }


def _facts(entry: CatalogEntry) -> dict[str, Any]:
    return {
        "languages": list(entry.languages),
        "translates": entry.can_translate,
        "alignment_heads": [list(pair) for pair in entry.alignment_heads or entry.dims.upper_half_heads],
        "dims": asdict(entry.dims),
        "parameters": n_parameters(entry.dims),
    }


def _format(path: Path, checkpoint: Checkpoint) -> str:
    if path.is_dir():
        return "adapter" if is_adapter(path) else "huggingface"
    return "ggml" if isinstance(checkpoint.tensors, GgmlTensors) else "openai"


def _type_name(checkpoint: Checkpoint) -> str:
    """As `--weights` of a conversion has it."""
    names = {torch.float32: "f32", torch.float16: "f16", torch.bfloat16: "bf16", torch.float64: "f64"}
    return names[checkpoint.tensors["decoder.token_embedding.weight"].dtype]
