"""What every reader returns: weights, their shape, and what is needed to use them."""

import hashlib
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch

from subwhisper.errors import ModelError
from subwhisper.model.dims import ModelDims
from subwhisper.model.vocabulary import Vocabulary

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One trained Whisper, ready to be put into a network."""

    dims: ModelDims
    tensors: Mapping[str, torch.Tensor]
    """Under OpenAI's names, in the type they are stored in (quantised ones in float32), mapped or decoded on demand
    where the file allows that."""
    vocabulary: Vocabulary
    is_multilingual: bool
    alignment_heads: tuple[tuple[int, int], ...]
    """(layer, head) of the cross-attention heads that follow the speech; never empty."""
    suppress_tokens: tuple[int, ...] | None
    """Ids that text must not contain; None leaves the choice to the tokenizer."""
    reads_prompts: bool
    """Whether it was trained to go on from the text before; a model that was not is better off without."""
    name: str
    """The catalog's name where it is a known model, else that of the file or folder."""
    fingerprint: str
    """SHA-256 of the weights, in hex; empty where nobody knows it, and nothing is kept under it then."""
    noise_logprob: float | None = None
    """Mean log-probability per token below which its text is what it makes of noise; `None` where nobody knows."""
    spreads_timestamps: bool = False
    """Whether it was taught that a timestamp's neighbours are partly right, which spreads its probability over them."""

    @property
    def identity(self) -> str:
        """Hash of all that recognition depends on, in hex: the weights, and what the model states beside them."""
        weightless = replace(self, tensors={}, name="", vocabulary=Vocabulary({}, {}))
        vocabulary = (sorted(self.vocabulary.ranks.items()), sorted(self.vocabulary.special_tokens.items()))
        return hashlib.blake2b(repr((weightless, vocabulary)).encode(), digest_size=16).hexdigest()


def stated_heads(stated: object, dims: ModelDims) -> tuple[tuple[int, int], ...] | None:
    """Read a list of (layer, head) pairs; None where there is none or one does not exist.

    Some distilled models state those of their teacher, which do not fit and say nothing.
    """
    if not isinstance(stated, list) or not stated:
        return None
    heads = []
    for pair in stated:
        fits = isinstance(pair, list) and len(pair) == 2 and all(type(number) is int for number in pair)
        if not fits or not (0 <= pair[0] < dims.n_text_layer and 0 <= pair[1] < dims.n_text_head):
            logger.warning("alignment head %s does not exist in this model; the stated heads are not used", pair)
            return None
        heads.append((pair[0], pair[1]))
    return tuple(dict.fromkeys(heads))


def stated_ids(stated: object, n_vocab: int) -> tuple[int, ...] | None:
    """Read a list of token ids to suppress; None where there is none.

    Raises:
        ModelError: one is outside the vocabulary.
    """
    if not isinstance(stated, list):
        return None
    if not all(type(token) is int and 0 <= token < n_vocab for token in stated):
        raise ModelError(f"suppress_tokens names an id outside the vocabulary of {n_vocab} entries")
    return tuple(stated)


def stated_number(stated: object) -> float | None:
    """Read a number; None where there is none."""
    is_number = isinstance(stated, int | float) and not isinstance(stated, bool) and math.isfinite(stated)
    return float(stated) if is_number else None  # type: ignore[arg-type]
