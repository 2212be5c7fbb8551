"""A decoder that takes its steps in C (`decoder.c`), and stands in for torch's after loading.

Shapes: as in `whisper`; O outputs and I inputs of a matrix.
"""

import ctypes
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn import functional

from subwhisper.model.cache import CrossAttended, HeardWindows, KeyValueCache
from subwhisper.model.compiled.library import ONE_AT_A_TIME, Cross, Layer, Matrix, Norm, Step, library
from subwhisper.model.compiled.packing import BLOCK, Packed, pack, pack_matrix
from subwhisper.model.pages import paged
from subwhisper.model.whisper import Attention, Decoder, DecoderBlock, counted

_LANES = 16
_VOCABULARY = "vocabulary"
_KINDS = {torch.float32: 0, torch.float16: 1, torch.int8: 2}


class _Stepping(threading.local):
    """Whether this thread takes steps."""

    is_on: bool = False


class _Threads:
    """Keeps torch to one thread while anybody takes steps, and remembers how many it had.

    A thread that torch has not run in before begins with the number that was set last, whoever set it: one, while
    another takes steps. So the number is remembered once for all.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_stepping = 0
        self._before = 1

    @property
    def number(self) -> int:
        """How many threads products have that are not torch's."""
        with self._lock:
            return self._before if self._n_stepping else torch.get_num_threads()

    def take(self) -> None:
        with self._lock:
            if not self._n_stepping:
                self._before = torch.get_num_threads()
            self._n_stepping += 1
            torch.set_num_threads(1)

    def give_back(self) -> None:
        with self._lock:
            self._n_stepping -= 1
            torch.set_num_threads(self._before)


_stepping, _threads = _Stepping(), _Threads()


class CompiledDecoder(Decoder):
    """Reads tokens in C: on the processor, in float32, with weights in float32, half precision or 8 bits.

    Weights that are half precision at heart, as those of nearly every published checkpoint, stay so: half as much to
    fetch, and the same numbers. With 8 bits, cross keys and values are kept in half precision too. What is added up is
    float32 always, and a row's sums never depend on the rows beside it.
    """

    def __init__(self, plain: Decoder, *, int8: bool, packed: Mapping[str, Packed] | None = None) -> None:
        """Lay out the weights of `plain`; those that turn a window into keys and values are shared with it.

        Args:
            plain: of plain layers, on the processor.
            int8: whether weights are rounded to 8 bits.
            packed: what `matrices` of another decoder with the same weights is: nothing has to be laid out then.
        """
        nn.Module.__init__(self)
        found = library()
        if found is None:
            raise ValueError("there is no compiled step for this processor")
        self._library = found
        self.cross_dtype = torch.float16 if int8 else None
        self.blocks = nn.ModuleList(nn.ModuleDict({"cross_attn": _Heard(b.cross_attn)}) for b in plain.layers())
        self._table = plain.token_embedding.weight.detach()
        self._places = plain.positional_embedding.detach().float()
        self._kept: list[Tensor] = []
        self.matrices = packed or _packed(plain, int8)
        """Every matrix that steps read, by name."""
        blocks = plain.layers()
        self._n_heads = blocks[0].attn.n_heads
        self._layers = (Layer * len(blocks))()
        for index, (layer, block) in enumerate(zip(self._layers, blocks, strict=True)):
            layer.said_norm, layer.heard_norm, layer.wide_norm = map(
                self._norm, (block.attn_ln, block.cross_attn_ln, block.mlp_ln)
            )
            for name, parts in _products(block).items():
                setattr(layer, name, self._matrix(f"{index}.{name}", parts))
        self._last_norm = self._norm(plain.ln)
        self._vocabulary = self._matrix(_VOCABULARY)
        self._places_of: WeakKeyDictionary[CrossAttended, ctypes.Array[Cross]] = WeakKeyDictionary()

    def hear(self, features: Tensor) -> HeardWindows:
        dtype = self.cross_dtype or features.dtype
        layers = [block["cross_attn"].hear(features, dtype) for block in self.blocks]  # type: ignore[index]
        return HeardWindows(layers, features.dtype)

    def embed(self, tokens: Tensor, position: int, filler: Tensor | None = None) -> Tensor:
        places = counted(self._places, position, position + tokens.shape[-1], filler)
        return functional.embedding(tokens, self._table).float().add_(places)

    @contextmanager
    def stepping(self) -> Iterator[None]:
        """Keep torch to one thread: its others look for work for a while, on the processors that steps need."""
        if _stepping.is_on:
            yield
            return
        _threads.take()
        _stepping.is_on = True
        try:
            yield
        finally:
            _stepping.is_on = False
            _threads.give_back()

    def read(self, tokens: Tensor, cache: KeyValueCache, at: Sequence[int] | None = None) -> Tensor:
        n_tokens = tokens.shape[-1]
        asked = range(n_tokens) if at is None else [range(n_tokens)[index] for index in at]
        return self._read(tokens, cache, asked)

    def read_at_once(
        self, tokens: Tensor, heard: HeardWindows, heads: Sequence[tuple[int, int]]
    ) -> tuple[Tensor, Tensor]:
        n_tokens = tokens.shape[-1]
        cache = KeyValueCache(heard, range(len(heard)), rows_per_window=1, capacity=n_tokens)
        once = list(dict.fromkeys(heads))
        scores = torch.empty(len(tokens), len(once), n_tokens, cache.cross[0].keys.shape[2])
        slots = torch.full((len(self._layers), self._n_heads), -1)
        for slot, (layer, head) in enumerate(once):
            slots[layer, head] = slot
        logits = self._read(tokens, cache, range(n_tokens), slots=slots, scores=scores)
        return logits, scores if len(once) == len(heads) else scores[:, [once.index(head) for head in heads]]

    def _read(
        self,
        tokens: Tensor,
        cache: KeyValueCache,
        asked: Sequence[int],
        *,
        slots: Tensor | None = None,
        scores: Tensor | None = None,
    ) -> Tensor:
        """Take a step with (R, T) tokens; logits (R, len(asked), V) of what follows the tokens asked for."""
        n_rows, n_tokens = tokens.shape
        cache.need(n_tokens)
        x = self.embed(tokens, cache.length, cache.filler)
        wanted = _flat(n_rows, n_tokens, tuple(asked))
        logits = torch.empty(n_rows, len(asked), len(self._table))
        step = Step(
            layers=self._layers,
            last_norm=self._last_norm,
            vocabulary=self._vocabulary,
            cross=self._cross(cache.cross),
            known=cache.known.data_ptr(),
            filler=_at(cache.filler),
            asked=wanted.data_ptr(),
            slots=_at(slots),
            x=x.data_ptr(),
            logits=logits.data_ptr(),
            scores=_at(scores),
            n_layers=len(self._layers),
            n_rows=n_rows * n_tokens,
            n_tokens=n_tokens,
            width=x.shape[-1],
            heads=self._n_heads,
            length=cache.length,
            capacity=cache.capacity,
            shared=cache.rows_per_window,
            positions=cache.cross[0].keys.shape[2],
            cross_kind=_KINDS[cache.cross[0].keys.dtype],
            n_asked=len(wanted),
            n_slots=0 if scores is None else scores.shape[1],
        )
        threads = _threads.number
        scratch = torch.empty(self._library.scratch_floats(step, threads))
        step.scratch = scratch.data_ptr()
        with ONE_AT_A_TIME:
            self._library.take_step(step, threads)
        cache.advance(n_tokens)
        return logits

    def _cross(self, cross: tuple[CrossAttended, ...]) -> ctypes.Array[Cross]:
        """Where every layer's keys and values lie; remembered by the first layer's, which must not be held on to."""
        places = self._places_of.get(cross[0])
        if places is None:
            lying = [Cross(one.keys.data_ptr(), one.values.data_ptr()) for one in cross]
            self._places_of[cross[0]] = places = (Cross * len(cross))(*lying)
        return places

    def _norm(self, norm: nn.LayerNorm) -> Norm:
        weight, bias = norm.weight.detach().float().contiguous(), norm.bias.detach().float().contiguous()
        self._kept += [weight, bias]
        return Norm(weight.data_ptr(), bias.data_ptr())

    def _matrix(self, name: str, parts: Sequence[nn.Linear] = ()) -> Matrix:
        """Where a matrix lies, with the biases of the layers it is made of."""
        weights, scale = self.matrices[name].weights, self.matrices[name].scale
        bias = _joined_bias(parts)
        if bias is not None:
            self._kept.append(bias)
        n_outputs = sum(part.out_features for part in parts) or len(self._table)
        return Matrix(weights.data_ptr(), _at(scale), _at(bias), weights.shape[1], n_outputs, _KINDS[weights.dtype])


@lru_cache(maxsize=64)
def _flat(n_rows: int, n_tokens: int, asked: tuple[int, ...]) -> Tensor:
    """Where the tokens asked for lie among those of all rows."""
    return torch.tensor([row * n_tokens + token for row in range(n_rows) for token in asked])


def _products(block: DecoderBlock) -> dict[str, tuple[nn.Linear, ...]]:
    """The plain layers whose outputs lie side by side in each product of a step."""
    said, heard = block.attn, block.cross_attn
    wide, narrow = (layer for layer in block.mlp if isinstance(layer, nn.Linear))
    return {
        "joined": (said.query, said.key, said.value),
        "said_out": (said.out,),
        "query": (heard.query,),
        "heard_out": (heard.out,),
        "widen": (wide,),
        "narrow": (narrow,),
    }


def _packed(plain: Decoder, int8: bool) -> dict[str, Packed]:
    """Every matrix that steps read, laid out."""
    packed = {
        f"{index}.{name}": pack(parts, int8=int8)
        for index, block in enumerate(plain.layers())
        for name, parts in _products(block).items()
    }
    return packed | {_VOCABULARY: pack_matrix(plain.token_embedding.weight.detach(), int8=int8)}


def matrix_shapes(plain: Decoder) -> dict[str, tuple[int, int]]:
    """Outputs and inputs of every matrix that steps read, by name."""
    shapes = {
        f"{index}.{name}": (sum(part.out_features for part in parts), parts[0].in_features)
        for index, block in enumerate(plain.layers())
        for name, parts in _products(block).items()
    }
    n_tokens, width = plain.token_embedding.weight.shape
    return shapes | {_VOCABULARY: (n_tokens, width)}


def _joined_bias(parts: Sequence[nn.Linear]) -> Tensor | None:
    """The biases of layers one behind the other, float32; `None` if no layer has one."""
    if all(part.bias is None for part in parts):
        return None
    each = [torch.zeros(part.out_features) if part.bias is None else part.bias.detach().float() for part in parts]
    return torch.cat(each)


class _Heard(Attention):
    """Keys and values of the audio, by torch: large products are what it is good at."""

    def __init__(self, plain: Attention) -> None:
        """Take over what makes keys and values."""
        nn.Module.__init__(self)
        self.n_heads, self.key, self.value = plain.n_heads, plain.key, plain.value

    def hear(self, features: Tensor, dtype: torch.dtype) -> CrossAttended:
        """(B, A, D) features to keys and values; plain layers give them in the order in which they will be read."""
        if not isinstance(self.key, nn.Linear):
            return CrossAttended.by_width(features, self.keys_and_values, dtype)
        n_windows, n_positions, width = features.shape
        by_width = paged((2, n_windows, self.n_heads, width // self.n_heads, n_positions), dtype)
        for layer, places in zip((self.key, self.value), by_width.flatten(2, 3), strict=True):
            for window, place in zip(features, places, strict=True):
                product = torch.mm(layer.weight, window.T, out=None if place.dtype != window.dtype else place)
                if layer.bias is not None:
                    product += layer.bias[:, None]
                if product is not place:
                    place.copy_(product)
        return CrossAttended(*by_width.transpose(-1, -2))


def can_compile(decoder: Decoder) -> bool:
    """Whether there is a compiled step for this processor and a decoder of this shape."""
    block = decoder.layers()[0]
    width = block.attn.out.in_features
    return width % BLOCK == 0 and width // block.attn.n_heads % _LANES == 0 and library() is not None


def _at(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()
