"""Every public Whisper: where it lives, how large it is, what it can do, which heads follow the speech.

Facts only; `model.store` fetches, `model.checkpoints` reads. Alignment heads are those OpenAI publishes with
openai-whisper (MIT); the distilled models state theirs in their own files, if at all.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType

from subwhisper.errors import ModelError
from subwhisper.languages import LANGUAGES
from subwhisper.model.dims import ModelDims

Heads = tuple[tuple[int, int], ...]

BUNDLED = "bundled"
"""The name of the small model inside the package."""


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One public model."""

    name: str
    repo_id: str
    """Where the Hugging Face hub has it."""
    dims: ModelDims
    size_bytes: int
    """The download, within one percent."""
    languages: tuple[str, ...]
    """Codes it was trained to write; only English for `.en` and distilled models."""
    can_translate: bool
    """Whether it was trained to put other languages into English."""
    alignment_heads: Heads | None
    """(layer, head) published for it; None where nothing is."""
    aliases: tuple[str, ...] = ()


# Size of the family: width, heads, encoder layers.
_FAMILIES = {
    "tiny": (384, 6, 4),
    "base": (512, 8, 6),
    "small": (768, 12, 12),
    "medium": (1024, 16, 24),
    "large": (1280, 20, 32),
}

# Layer of the decoder -> heads, from openai-whisper's table.
_HEADS: dict[str, dict[int, tuple[int, ...]]] = {
    "tiny.en": {1: (0,), 2: (0, 5), 3: (0, 1, 2, 3, 4)},
    "tiny": {2: (2,), 3: (0, 2, 3, 4, 5)},
    "base.en": {3: (3,), 4: (7,), 5: (1, 5, 7)},
    "base": {3: (1,), 4: (2, 3, 7), 5: (1, 2, 4, 6)},
    "small.en": {6: (6,), 7: (0, 3, 8), 8: (2, 5, 7), 9: (0, 4, 8, 10), 10: (0, 1, 2, 3, 6, 11), 11: (2, 4)},
    "small": {5: (3, 9), 8: (0, 4, 7, 8), 9: (0, 7, 9), 10: (5,)},
    "medium.en": {
        11: (4,),
        14: (1, 12, 14),
        15: (4,),
        16: (0, 4, 9),
        17: (12, 14),
        18: (7, 10, 15),
        20: (0, 3, 9, 14),
        21: (12,),
    },
    "medium": {13: (15,), 15: (4, 15), 16: (1,), 20: (0,), 23: (4,)},
    "large-v1": {9: (19,), 11: (2, 4, 17), 22: (7, 11, 17), 23: (2, 15)},
    "large-v2": {
        10: (12,),
        13: (17,),
        16: (11, 12, 13),
        17: (15, 16),
        18: (4, 11, 19),
        19: (11,),
        21: (2, 3),
        22: (3, 9, 12),
        23: (5, 7, 13),
        25: (5,),
        26: (1, 12),
        27: (15,),
    },
    "large-v3": {
        7: (0,),
        10: (17,),
        12: (18,),
        13: (12,),
        16: (1,),
        17: (14,),
        19: (11,),
        21: (4,),
        24: (1,),
        25: (6,),
    },
    "large-v3-turbo": {2: (4, 11), 3: (3, 6, 11, 14)},
}


def _entry(
    name: str,
    repo_id: str = "",
    *,
    text_layers: int | None = None,
    weight_bytes: int = 4,
    aliases: tuple[str, ...] = (),
) -> CatalogEntry:
    english = name.endswith(".en")
    third = "v3" in name  # 128 mel bins and a hundredth language since large-v3
    distilled = name.startswith("distil-")
    width, heads, layers = next(shape for family, shape in _FAMILIES.items() if family in name)
    dims = ModelDims(
        n_mels=128 if third else 80,
        n_audio_ctx=1500,
        n_audio_state=width,
        n_audio_head=heads,
        n_audio_layer=layers,
        n_vocab=51864 if english else 51866 if third else 51865,
        n_text_ctx=448,
        n_text_state=width,
        n_text_head=heads,
        n_text_layer=text_layers or layers,
    )
    published = _HEADS.get(name)
    return CatalogEntry(
        name=name,
        repo_id=repo_id or f"openai/whisper-{name}",
        dims=dims,
        size_bytes=_parameters(dims) * weight_bytes + 1_600_000,  # vocabulary and configuration
        languages=("en",) if english or distilled else tuple(LANGUAGES)[: 100 if third else 99],
        can_translate=not (english or distilled or "turbo" in name),
        alignment_heads=None if published is None else tuple((la, h) for la, hs in published.items() for h in hs),
        aliases=aliases,
    )


def _parameters(dims: ModelDims) -> int:
    """Count the weights of the large matrices; biases and norms are lost in rounding."""
    square = dims.n_audio_state**2
    audio = 3 * dims.n_mels * dims.n_audio_state + 3 * square + 12 * square * dims.n_audio_layer
    text = dims.n_vocab * dims.n_text_state + 16 * square * dims.n_text_layer
    return audio + text + (dims.n_audio_ctx + dims.n_text_ctx) * dims.n_audio_state


def _distil(name: str, text_layers: int) -> CatalogEntry:
    return _entry(name, f"distil-whisper/{name}", text_layers=text_layers, weight_bytes=2)


_ENTRIES = (
    *(_entry(size + suffix) for size in ("tiny", "base", "small", "medium") for suffix in ("", ".en")),
    _entry("large-v1", "openai/whisper-large"),
    _entry("large-v2"),
    _entry("large-v3", weight_bytes=2, aliases=("large",)),
    _entry("large-v3-turbo", text_layers=4, weight_bytes=2, aliases=("turbo",)),
    _distil("distil-small.en", 4),
    _distil("distil-medium.en", 2),
    _distil("distil-large-v2", 2),
    _distil("distil-large-v3", 2),
    _distil("distil-large-v3.5", 2),
)

CATALOG: Mapping[str, CatalogEntry] = MappingProxyType({entry.name: entry for entry in _ENTRIES})
"""Name -> entry, smallest family first; aliases are found by `find` only."""

_BY_ANY_NAME = {name: entry for entry in _ENTRIES for name in (entry.name, *entry.aliases)}


def find(name: str) -> CatalogEntry:
    """Look a model up by name or alias.

    Raises:
        ModelError: no public model has that name; the hint names the nearest ones.
    """
    entry = _BY_ANY_NAME.get(name)
    if entry is None:
        near = get_close_matches(name.lower(), [*_BY_ANY_NAME, BUNDLED], n=3, cutoff=0.5)
        names = ", ".join([*_BY_ANY_NAME, BUNDLED])
        known = f"did you mean {' or '.join(near)}?" if near else f"known models: {names}."
        raise ModelError(f"there is no model named {name!r}", hint=f"{known} A file or folder works too")
    return entry


def known(name: str) -> CatalogEntry | None:
    """Look a model up by name, alias or hub repository (`openai/whisper-tiny`); None when there is none."""
    return _BY_ANY_NAME.get(name) or next((entry for entry in _ENTRIES if entry.repo_id == name), None)


def mentioned_in(text: str) -> CatalogEntry | None:
    """Find the model that a file or folder name speaks of, as in `ggml-large-v3-q5_0.bin`."""
    boundary = r"(?<![A-Za-z0-9]){}(?![A-Za-z0-9])(?!\.\d)"
    found = [name for name in _BY_ANY_NAME if re.search(boundary.format(re.escape(name)), text)]
    return _BY_ANY_NAME[max(found, key=len)] if found else None


def known_heads(name: str, dims: ModelDims) -> Heads | None:
    """Give the published alignment heads of the public model `name`, if its decoder has the shape of `dims`."""
    entry = known(name)
    if entry is None or (entry.dims.n_text_layer, entry.dims.n_text_head) != (dims.n_text_layer, dims.n_text_head):
        return None
    return entry.alignment_heads
