"""From a model's name to a folder on this machine: found in the cache, or fetched from the model hub.

The cache is huggingface_hub's own (`HF_HUB_CACHE`, `HF_HOME`), shared with every other program that uses it. What lies
there complete is used without asking the network. A mirror is named by `HF_ENDPOINT`.

Files are asked for by exact name (a repository may hold the same weights several times), weights last, so that a
folder with weights is complete. `model.download` does the fetching.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from subwhisper.errors import ConfigError, DownloadError, ModelError
from subwhisper.model import catalog
from subwhisper.model.download import OnProgress, Repository, repository_folder
from subwhisper.model.files import (
    ADAPTER_CONFIG,
    ADAPTER_WEIGHTS,
    WEIGHTS,
    base_of,
    is_adapter,
    read_json,
    shard_names,
    weight_files,
)
from subwhisper.model.fingerprint import fingerprint_of
from subwhisper.model.kept_weights import forget

BUNDLED_FOLDER = Path(__file__).parent / "bundled"
PUBLIC_ENDPOINT = "https://huggingface.co"

_SMALL_FILES = ("config.json", "generation_config.json", "vocab.json", "merges.txt", "added_tokens.json")
_WEIGHT_SUFFIXES = (".pt", ".bin", ".safetensors", ".gguf", ".ggml")
_REPO_ID = re.compile(r"[\w.-]+/[\w.-]+", flags=re.ASCII)
_TRUE = {"1", "on", "yes", "true"}


def locate(model: str, *, offline: bool = False, on_progress: OnProgress | None = None) -> Path:
    """Find a model's file or folder, fetching it if need be.

    Args:
        model: a path; `bundled`; a name of the catalog (which wins over a file of that name in the
            working folder: write `./tiny` for that); or a repository of the hub, `owner/name`.
        offline: never use the network; `HF_HUB_OFFLINE=1` does the same.
        on_progress: hears of a download.

    Raises:
        ModelError: there is no such model.
        DownloadError: it could not be fetched, or is not here and `offline` is set.
    """
    found = _locate(model, offline, on_progress)
    if is_adapter(found):  # of no use without the model it was trained on
        try:
            locate_base(found, offline=offline, on_progress=on_progress)
        except DownloadError as error:
            raise type(error)(f"{model} is an adapter, and {error.message}", hint=error.hint) from error
    return found


def locate_base(adapter: Path, *, offline: bool = True, on_progress: OnProgress | None = None) -> Path:
    """Find the model that an adapter was trained on, as `locate` does.

    Raises:
        ModelError: there is no such model, or it is itself an adapter.
    """
    stated = base_of(adapter)
    try:
        base = _locate(stated, offline, on_progress)
    except DownloadError:
        raise
    except ModelError as error:
        hint = f"name a model that is here as base_model_name_or_path in {adapter / ADAPTER_CONFIG}"
        raise ModelError(f"{adapter} is an adapter of {stated}, which is not here", hint=hint) from error
    if is_adapter(base):
        raise ModelError(f"{adapter} is an adapter of {stated}, which is itself one", hint="merge that one first")
    return base


def _locate(model: str, offline: bool, on_progress: OnProgress | None) -> Path:
    if model == catalog.BUNDLED:
        return _bundled()
    path = Path(model).expanduser()
    is_path = any(separator in model for separator in ("/", os.sep)) or path.suffix in _WEIGHT_SUFFIXES
    entry = catalog.known(model)
    if path.exists() and (is_path or entry is None):
        return path
    repo_id = entry.repo_id if entry else _repo_id(model, is_path=is_path)
    cached = _complete_snapshot(repo_id)
    if cached is not None:
        return cached
    if offline or _environment_is_offline():
        raise DownloadError(f"the model {model} is not on this machine, and downloads are off", hint=_by_hand(repo_id))
    return _fetch(model, repo_id, on_progress)


def is_repository(model: str) -> bool:
    """Whether a name has the form `owner/name`."""
    return bool(_REPO_ID.fullmatch(model)) and not model.startswith(".") and not model.endswith(_WEIGHT_SUFFIXES)


def _repo_id(model: str, *, is_path: bool) -> str:
    """Take `owner/name` for a repository; anything else that is unknown and not there is an error."""
    if is_repository(model):
        return model
    if is_path:
        raise ModelError(f"{model} does not exist", hint="give a model's name, a .pt file, or a folder")
    return catalog.find(model).repo_id  # raises, naming the nearest


def installed() -> list[catalog.CatalogEntry]:
    """List the catalog's models that are in the cache, complete; `locate` finds them without a network."""
    return [entry for entry in catalog.CATALOG.values() if _complete_snapshot(entry.repo_id) is not None]


def remove(model: str) -> int:
    """Delete a model from the hub's cache: every version of it, what a broken download left, and its 8-bit weights.

    Args:
        model: a name of the catalog, or a repository of the hub, `owner/name`.

    Returns:
        Bytes that were freed.

    Raises:
        ModelError: it is not there, or cannot be deleted.
    """
    if model == catalog.BUNDLED:
        raise ModelError("the bundled model is part of subwhisper")
    entry = catalog.known(model)
    if entry is None and Path(model).exists():
        raise ModelError(f"{model} is not in the cache", hint="delete files and folders of your own yourself")
    if entry is None and not is_repository(model):
        catalog.find(model)  # raises, naming the nearest
    folder = _repo_folder(entry.repo_id if entry else model)
    if not folder.is_dir():
        raise ModelError(
            f"the model {model} is not on this machine", hint="subwhisper models list shows those that are"
        )
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    n_bytes = sum(path.stat().st_size for path in files)
    fingerprints = {path.name for path in files if path.parent.name == "blobs"} | set(_fingerprints(folder))
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise ModelError(f"{folder} cannot be deleted: {error.strerror or error}") from error
    n_bytes += sum(map(forget, fingerprints))
    return n_bytes


def _fingerprints(repository: Path) -> Iterator[str]:
    """Those of every version that is there."""
    for snapshot in (repository / "snapshots").glob("*"):
        with suppress(ModelError, OSError):  # incomplete, or no model
            yield fingerprint_of(weight_files(snapshot))


def cache_folder() -> Path:
    """The hub's cache, by the same variables huggingface_hub reads; may not exist yet."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if stated := os.environ.get(name):
            return Path(stated).expanduser()
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    try:
        return Path(home).expanduser() / "hub"
    except RuntimeError as error:
        raise ConfigError("nobody says where your home folder is", hint="set HOME, or HF_HOME") from error


def _bundled() -> Path:
    if not (BUNDLED_FOLDER / "config.json").exists():
        raise ModelError("this installation has no bundled model", hint="name one to fetch: --model tiny.en")
    return BUNDLED_FOLDER


def _endpoint() -> str:
    return (os.environ.get("HF_ENDPOINT") or PUBLIC_ENDPOINT).rstrip("/")


def _environment_is_offline() -> bool:
    return any(os.environ.get(name, "").lower() in _TRUE for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"))


# What is in the cache


def _repo_folder(repo_id: str) -> Path:
    return repository_folder(cache_folder(), repo_id)


def _complete_snapshot(repo_id: str) -> Path | None:
    """Find a snapshot with everything a reader needs: the one `main` pointed to, else any."""
    folder = _repo_folder(repo_id)
    try:
        main = [folder / "snapshots" / (folder / "refs" / "main").read_text().strip()]
    except OSError:
        main = []
    snapshots = folder / "snapshots"
    others = sorted(snapshots.iterdir()) if snapshots.is_dir() else []
    return next((path for path in [*main, *others] if _is_complete(path)), None)


def _is_complete(snapshot: Path) -> bool:
    names = {path.name for path in snapshot.iterdir() if path.exists()} if snapshot.is_dir() else set()
    if ADAPTER_CONFIG in names and not names.intersection(WEIGHTS):
        return not names.isdisjoint(ADAPTER_WEIGHTS)
    has_vocabulary = {"vocab.json", "merges.txt"} <= names or "tokenizer.json" in names
    return "config.json" in names and has_vocabulary and _has_weights(snapshot, names)


def _has_weights(snapshot: Path, names: set[str]) -> bool:
    weights = next((name for name in WEIGHTS if name in names), None)
    if weights is None or not weights.endswith(".json"):
        return weights is not None
    return set(shard_names(read_json(snapshot / weights))) <= names


# Fetching


def _fetch(model: str, repo_id: str, on_progress: OnProgress | None) -> Path:
    """Fetch what a reader needs, weights last; the snapshot's folder."""
    endpoint = _endpoint()
    with _explained(model, repo_id, endpoint):
        # A stale token would lock users out of the public models, which need none.
        token: Literal[False] | None = False if catalog.known(repo_id) else None
        repository = Repository(repo_id, endpoint=endpoint, cache=cache_folder(), token=token)
        adapter = [name for name in ADAPTER_WEIGHTS if name in repository.names]
        if adapter and ADAPTER_CONFIG in repository.names and repository.names.isdisjoint(WEIGHTS):
            repository.fetch([ADAPTER_CONFIG, adapter[0]], on_progress)
            return repository.snapshot
        small = _small_files(repository.names, repo_id)
        found = [name for name in WEIGHTS if name in repository.names]
        if not found:
            raise ModelError(f"{repo_id} on {endpoint} holds no weights that can be read ({', '.join(WEIGHTS)})")
        weights = [found[0]]
        if found[0].endswith(".json"):
            repository.fetch(weights, None)
            weights += shard_names(read_json(repository.snapshot / found[0]))
        repository.fetch([*small, *weights], on_progress)
        return repository.snapshot


@contextmanager
def _explained(model: str, repo_id: str, endpoint: str) -> Iterator[None]:
    """Turn what huggingface_hub raises into one line and a remedy."""
    from huggingface_hub.errors import (  # type: ignore[attr-defined]  # HTTPError: that of the httpx it uses
        GatedRepoError,
        HfHubHTTPError,
        HTTPError,
        RepositoryNotFoundError,
    )

    said = f"the model {model} could not be fetched from {endpoint}/{repo_id}"
    try:
        yield
    except GatedRepoError as error:
        raise DownloadError(f"{said}: its owner asks for consent", hint="log in with: hf auth login") from error
    except RepositoryNotFoundError as error:
        raise DownloadError(
            f"{model} is no file or folder here, and no public model on {endpoint}", hint=_by_hand(repo_id)
        ) from error
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else "an error"
        raise DownloadError(f"{said}: the server answered {status}", hint=_by_hand(repo_id)) from error
    except (HTTPError, OSError, ValueError) as error:  # no network, no space, a mirror that is none
        reason = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        raise DownloadError(f"{said}: {reason}", hint=_by_hand(repo_id)) from error


def _by_hand(repo_id: str) -> str:
    files = "config.json, generation_config.json, vocab.json, merges.txt, added_tokens.json and model.safetensors"
    return f"or fetch {files} from {_endpoint()}/{repo_id} elsewhere, and give their folder as --model FOLDER"


def _small_files(names: set[str], repo_id: str) -> list[str]:
    if "config.json" not in names:
        raise ModelError(f"{repo_id} on the hub is no Whisper model: it has no config.json", hint=_instead(repo_id))
    chosen = [name for name in _SMALL_FILES if name in names]
    if not {"vocab.json", "merges.txt"} <= names:
        if "tokenizer.json" not in names:
            raise ModelError(f"{repo_id} on the hub has no vocabulary that can be read", hint=_instead(repo_id))
        chosen = [name for name in chosen if name not in ("vocab.json", "merges.txt", "added_tokens.json")]
        chosen.append("tokenizer.json")
    return chosen


def _instead(repo_id: str) -> str:
    entry = catalog.mentioned_in(repo_id)
    return f"use --model {entry.name if entry else 'NAME'}; models made for other programs are not read"
