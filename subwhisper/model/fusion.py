"""Blocks that do the same in fewer and larger operations; they stand in for the plain ones after loading.

A decoder reads one token at a time, and starting an operation then takes as long as the operation. So queries, keys
and values come from one product, and the step of a single token goes straight to the operations, without the views
and module calls that longer texts need. The numbers are the same but for rounding.

Shapes: as in `whisper`.
"""

from functools import partial

import torch
from torch import Tensor, nn

from subwhisper.model.cache import KeyValueCache
from subwhisper.model.compiled import numbers
from subwhisper.model.whisper import Attention, Decoder, DecoderBlock, Encoder, Whisper, attend, attend_to_all


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
        self.joined.requires_grad_(plain.query.weight.requires_grad)
        self.out = plain.out

    def over(self, x: Tensor) -> Tensor:
        joined = self.joined(x)
        heard = numbers.attention(joined, self.n_heads)
        if heard is None:
            return super().over(x)
        return self.out(heard)  # type: ignore[no-any-return]

    def of_itself(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        query, keys, values = self.joined(x).view(*x.shape[:-1], 3, self.n_heads, -1).unbind(dim=-3)
        return query.transpose(1, 2), keys.transpose(1, 2), values.transpose(1, 2)


class ShortDecoderBlock(DecoderBlock):
    """A decoder block with a short way for single tokens.

    It holds what that way needs as plain attributes, since a module's own are looked up slowly. So it is made when
    the layers are what they will be, on the device where they will run.
    """

    attn: FusedAttention

    def __init__(self, plain: DecoderBlock) -> None:
        """Take over the layers of `plain`."""
        nn.Module.__init__(self)
        self.attn_ln, self.attn = plain.attn_ln, plain.attn  # type: ignore[assignment]  # after `fuse`
        self.cross_attn_ln, self.cross_attn = plain.cross_attn_ln, plain.cross_attn
        self.mlp_ln, self.mlp = plain.mlp_ln, plain.mlp
        self._n_heads = plain.attn.n_heads
        self._norms = tuple(
            partial(torch.layer_norm, normalized_shape=norm.normalized_shape, weight=norm.weight, bias=norm.bias)
            for norm in (self.attn_ln, self.cross_attn_ln, self.mlp_ln)
        )
        self._joined, self._said_out = self.attn.joined.forward, self.attn.out.forward
        self._query, self._heard_out = self.cross_attn.query.forward, self.cross_attn.out.forward
        self._widen, self._narrow = self.mlp[0].forward, self.mlp[2].forward

    def step(self, x: Tensor, layer: int, cache: KeyValueCache, mask: Tensor | None) -> Tensor:
        if x.shape[1] > 1:
            return super().step(x, layer, cache, mask)
        rows = x[:, 0]
        rows = rows + self._said(rows, layer, cache, mask)
        rows += self._heard(rows, layer, cache)
        rows += self._narrow(nn.functional.gelu(self._widen(self._norms[2](rows))))
        return rows[:, None]

    def _said(self, rows: Tensor, layer: int, cache: KeyValueCache, mask: Tensor | None) -> Tensor:
        """What (R, D) rows learn from the tokens before, (R, D), of which a mask (R or 1, 1, 1, L) hides some."""
        joined = self._joined(self._norms[0](rows)).view(len(rows), 3, self._n_heads, -1)
        keys, values = cache.append_one(layer, joined[:, 1:])
        query = joined[:, 0].reshape(len(keys), 1, -1)
        if mask is None:
            heard = attend_to_all(query, keys, values)
        else:
            asked, known, told = (one.view(len(rows), self._n_heads, *one.shape[1:]) for one in (query, keys, values))
            heard = attend(asked, known, told, mask)
        return self._said_out(heard.view(rows.shape))

    def _heard(self, rows: Tensor, layer: int, cache: KeyValueCache) -> Tensor:
        """What (R, D) rows learn from the audio, (R, D)."""
        query = self._query(self._norms[1](rows))
        keys, values = cache.cross[layer].by_head
        shared = cache.rows_per_window
        if shared == 1:
            heard = attend_to_all(query.view(len(keys), 1, -1), keys, values)
        else:  # the rows of a window become queries of one and the same keys
            by_window = query.view(-1, shared, self._n_heads, query.shape[1] // self._n_heads)
            together = by_window.transpose(1, 2).reshape(len(keys), shared, -1)
            heard = attend_to_all(together, keys, values).view(by_window.transpose(1, 2).shape).transpose(1, 2)
        return self._heard_out(heard.reshape(rows.shape))


def fuse(side: Encoder | Decoder) -> None:
    """Join the products of every self-attention, in place; before layers are replaced by stand-ins."""
    for block in side.blocks:
        block.attn = FusedAttention(block.attn)  # type: ignore[arg-type]  # ModuleList forgets what it holds


def shorten(network: Whisper) -> None:
    """Give a fused network's decoder the short way for single tokens, in place; once it is where it will run."""
    network.decoder.blocks = nn.ModuleList(ShortDecoderBlock(block) for block in network.decoder.blocks)  # type: ignore[arg-type]
