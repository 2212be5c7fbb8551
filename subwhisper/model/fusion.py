"""Blocks that do the same in fewer and larger operations; they stand in for the plain ones after loading.

A decoder reads one token at a time, and starting an operation then takes as long as the operation. So queries, keys
and values come from one product, and the step of a single token goes straight to the operations, without the views
and module calls that longer texts need. The numbers are the same but for rounding.

Shapes: as in `whisper`.
"""

from typing import Any

import torch
from torch import Tensor, nn

from subwhisper.model.cache import KeyValueCache
from subwhisper.model.whisper import Attention, DecoderBlock, Whisper, attend_to_all


class FusedAttention(Attention):
    """Self-attention with one product for queries, keys and values."""

    def __init__(self, plain: Attention) -> None:
        """Join the weights of `plain`; its output layer is shared."""
        nn.Module.__init__(self)
        self.n_heads = plain.n_heads
        parts = (plain.query, plain.key, plain.value)
        weights: list[Tensor] = [part.weight for part in parts]
        biases: list[Tensor] = [torch.zeros(part.out_features) if part.bias is None else part.bias for part in parts]
        with torch.device("meta"):
            self.joined = nn.Linear(plain.query.in_features, 3 * plain.query.out_features)
        self.joined.load_state_dict({"weight": torch.cat(weights), "bias": torch.cat(biases)}, assign=True)
        self.out = plain.out

    def of_itself(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        query, keys, values = self.joined(x).view(*x.shape[:-1], 3, self.n_heads, -1).unbind(dim=-3)
        return query.transpose(1, 2), keys.transpose(1, 2), values.transpose(1, 2)


class FusedDecoderBlock(DecoderBlock):
    """A decoder block with a short way for single tokens."""

    attn: FusedAttention

    def __init__(self, plain: DecoderBlock) -> None:
        """Take over the layers of `plain`."""
        nn.Module.__init__(self)
        self.attn_ln, self.attn = plain.attn_ln, FusedAttention(plain.attn)
        self.cross_attn_ln, self.cross_attn = plain.cross_attn_ln, plain.cross_attn
        self.mlp_ln, self.mlp = plain.mlp_ln, plain.mlp

    def step(self, x: Tensor, layer: int, cache: KeyValueCache, mask: Tensor | None) -> Tensor:
        if x.shape[1] > 1 or mask is not None:
            return super().step(x, layer, cache, mask)
        rows = x[:, 0]
        rows = rows + self._said(rows, layer, cache)
        rows += self._heard(rows, layer, cache)
        wide = _called(self.mlp[0], _normed(self.mlp_ln, rows))
        rows += _called(self.mlp[2], nn.functional.gelu(wide))
        return rows[:, None]

    def _said(self, rows: Tensor, layer: int, cache: KeyValueCache) -> Tensor:
        """What (R, D) rows learn from the tokens before, (R, D)."""
        n_rows, width = rows.shape
        joined = _called(self.attn.joined, _normed(self.attn_ln, rows)).view(n_rows, 3, self.attn.n_heads, -1)
        keys, values = cache.append_one(layer, joined[:, 1:])
        heard = attend_to_all(joined[:, 0].reshape(len(keys), 1, -1), keys, values)
        return _called(self.attn.out, heard.view(n_rows, width))

    def _heard(self, rows: Tensor, layer: int, cache: KeyValueCache) -> Tensor:
        """What (R, D) rows learn from the audio, (R, D)."""
        (n_rows, width), n_heads = rows.shape, self.cross_attn.n_heads
        query = _called(self.cross_attn.query, _normed(self.cross_attn_ln, rows))
        cross, shared = cache.cross[layer], cache.rows_per_window
        keys, values = cross.keys.flatten(0, 1), cross.values.flatten(0, 1)
        if shared == 1:
            heard = attend_to_all(query.view(len(keys), 1, -1), keys, values).view(n_rows, width)
        else:
            together = query.view(-1, shared, n_heads, width // n_heads).transpose(1, 2)
            heard = attend_to_all(together.reshape(len(keys), shared, -1), keys, values)
            heard = heard.view(-1, n_heads, shared, width // n_heads).transpose(1, 2).reshape(n_rows, width)
        return _called(self.cross_attn.out, heard)


def fuse(network: Whisper) -> None:
    """Replace the blocks of `network`, in place."""
    for block in network.encoder.blocks:
        block.attn = FusedAttention(block.attn)  # type: ignore[arg-type]
    network.decoder.blocks = nn.ModuleList(FusedDecoderBlock(block) for block in network.decoder.blocks)  # type: ignore[arg-type]


def _called(layer: Any, x: Tensor) -> Tensor:
    """A layer's result without the machinery around modules, which takes as long as a small product."""
    result: Tensor = layer.forward(x)
    return result


def _normed(norm: nn.LayerNorm, x: Tensor) -> Tensor:
    return torch.layer_norm(x, norm.normalized_shape, norm.weight, norm.bias, norm.eps)
