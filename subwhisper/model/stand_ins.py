"""Putting other modules in the place of a network's linear layers, which the network itself never mentions.

Shapes: O outputs, I inputs.
"""

from collections.abc import Callable
from typing import Protocol

from torch import Tensor, nn

from subwhisper.model.whisper import TokenEmbedding


class Kind(Protocol):
    """Makes the stand-in of one layer from its (O, I) weights and (O,) bias."""

    def __call__(self, weight: Tensor, bias: Tensor | None) -> nn.Module: ...


class SplitTokenEmbedding(nn.Module):
    """Tokens to vectors with the embedding's own weights, vectors to logits with a stand-in."""

    def __init__(self, embedding: TokenEmbedding, product: nn.Module) -> None:
        """Take the embedding, and the stand-in for the product with its matrix."""
        super().__init__()
        self.embedding, self.product = embedding, product

    def forward(self, tokens: Tensor) -> Tensor:
        return self.embedding(tokens)  # type: ignore[no-any-return]

    def logits(self, x: Tensor) -> Tensor:
        return self.product(x)  # type: ignore[no-any-return]


def replace_linears(module: nn.Module, choose: Callable[[str, Tensor], Kind | None]) -> None:
    """Put stand-ins in the place of linear layers, and of the product with the vocabulary.

    Args:
        module: changed in place.
        choose: given the name of a layer inside `module` and its weights, what shall stand in for it; None: nothing.
    """
    for path, child in list(module.named_modules()):
        if not isinstance(child, nn.Linear | TokenEmbedding):
            continue
        kind = choose(path, child.weight)
        if kind is None:
            continue
        parent, _, name = path.rpartition(".")
        if isinstance(child, TokenEmbedding):
            stand_in: nn.Module = SplitTokenEmbedding(child, kind(child.weight, None))
        else:
            stand_in = kind(child.weight, child.bias)
        setattr(module.get_submodule(parent), name, stand_in)
