"""The Whisper network (Radford et al. 2022, arXiv:2212.04356).

Knows tensors only: no audio files, no text, no timestamps. Decoding lives in `engine`.
Parameters carry the names of OpenAI's checkpoints.

Shapes: B windows, R decoder rows (B * rows per window), M mel bins, F mel frames (two per position),
A audio positions, T text tokens, H heads, D width, d = D / H, V vocabulary.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn import functional

from subwhisper.model.cache import CrossAttended, HeardWindows, KeyValueCache
from subwhisper.model.dims import ModelDims


def sinusoids(length: int, channels: int, max_timescale: float = 10_000.0) -> Tensor:
    """Positions as sines and cosines of geometrically spaced wavelengths, (length, channels).

    Source: Vaswani et al. 2017, arXiv:1706.03762; sines in the first half, cosines in the second.
    """
    # Always real numbers: on the meta device, where networks begin, arithmetic makes torch import 900 modules.
    steps = torch.arange(channels // 2, dtype=torch.float32, device="cpu") / (channels // 2 - 1)
    positions = torch.arange(length, dtype=torch.float32, device="cpu")
    angles = positions[:, None] * torch.exp(-steps * torch.tensor(max_timescale, device="cpu").log())
    return torch.cat([angles.sin(), angles.cos()], dim=1)


_FEW_QUERIES = 8  # torch's fused kernel pays for many queries and loses badly for one
_MOST_SCORES = 2**18  # of a head that are kept for its gradients: those of 30 s would take gigabytes


def attend(query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None) -> Tensor:
    """Softmax attention, (B, H, T, d) x (B, H, L, d) -> (B, H, T, d); `mask` is added to the scores."""
    n_queries, width = query.shape[-2:]
    is_learnt = query.requires_grad and query.device.type == "cpu"
    if is_learnt and n_queries * keys.shape[-2] <= _MOST_SCORES:  # the fused kernel's gradients take half as long again
        scores = (query * width**-0.5) @ keys.transpose(-1, -2)
        return torch.softmax(scores if mask is None else scores + mask, dim=-1) @ values
    if n_queries > _FEW_QUERIES:
        keys, values = (_by_position(kept.to(query.dtype)) for kept in (keys, values))
        return functional.scaled_dot_product_attention(query, keys, values, attn_mask=mask)
    if mask is not None:
        scores = (query * width**-0.5) @ keys.to(query.dtype).transpose(-1, -2) + mask
        return torch.softmax(scores, dim=-1, dtype=torch.float32).to(values.dtype) @ values
    heard = attend_to_all(query.reshape(-1, n_queries, width), keys.flatten(0, 1), values.flatten(0, 1))
    return heard.view(query.shape)


def _by_position(kept: Tensor) -> Tensor:
    """The same with each position's numbers side by side: the fused kernel takes four times as long for others."""
    return kept if kept.stride(-1) == 1 else kept.contiguous()


def attend_to_all(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Softmax attention of a few queries without a mask, (N, T, d) x (N, L, d) -> (N, T, d) like the queries."""
    asked = queries.to(keys.dtype)
    nothing = asked.new_empty(1, 1, 1)  # `beta` leaves it out
    scores = torch.baddbmm(nothing, asked, keys.transpose(1, 2), beta=0, alpha=queries.shape[-1] ** -0.5)
    weights = torch.softmax(scores, dim=-1, dtype=torch.float32).to(values.dtype)
    return torch.bmm(weights, values).to(queries.dtype)


def causal_mask(n_new: int, n_known: int, like: Tensor, filler: Tensor | None = None) -> Tensor | None:
    """Mask that hides the future, (n_new, n_known + n_new); `None` where there is none to hide.

    With `filler` (R,), so many tokens at the start of each row are hidden from those after them too; the mask
    is (R, 1, n_new, n_known + n_new) then.
    """
    hidden = float("-inf")
    if filler is None:
        if n_new == 1:
            return None
        ahead = torch.full((n_new, n_known + n_new), hidden, dtype=like.dtype, device=like.device)
        return ahead.triu_(diagonal=n_known + 1)
    keys = torch.arange(n_known + n_new, device=like.device)
    queries = keys[n_known:, None]
    # a filler token sees filler, or its softmax would be over nothing
    is_filler = (keys < filler[:, None, None]) & (queries >= filler[:, None, None])
    return torch.zeros((), dtype=like.dtype, device=like.device).where(~(is_filler | (keys > queries)), hidden)[:, None]


def counted(places: Tensor, first: int, end: int, filler: Tensor | None = None) -> Tensor:
    """Rows of (P, D) places from `first` to `end`, counted from behind each row's filler (R,) where there is any."""
    if end > len(places):
        raise ValueError(f"the decoder reads {len(places)} tokens, {end} were given")
    if filler is None:
        return places[first:end]
    return places[(torch.arange(first, end, device=filler.device) - filler[:, None]).clamp(min=0)]


class Attention(nn.Module):
    """Multi-head attention; whoever calls decides what is attended to."""

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def split(self, x: Tensor) -> Tensor:
        """(B, T, D) -> (B, H, T, d)."""
        return x.view(*x.shape[:-1], self.n_heads, -1).transpose(1, 2)

    def merge(self, x: Tensor) -> Tensor:
        """(B, H, T, d) -> (B, T, D)."""
        return x.transpose(1, 2).flatten(-2)

    def queries(self, x: Tensor) -> Tensor:
        return self.split(self.query(x))

    def keys_and_values(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.split(self.key(x)), self.split(self.value(x))

    def of_itself(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values of one sequence."""
        return self.queries(x), *self.keys_and_values(x)

    def over(self, x: Tensor) -> Tensor:
        """Every position of (B, T, D) attends to all."""
        return self(*self.of_itself(x))  # type: ignore[no-any-return]

    def forward(self, query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None) -> Tensor:
        """Queries (R, H, T, d) -> (R, T, D); keys and values (B, H, L, d) are shared by the R / B rows of a window."""
        n_rows, n_heads, n_tokens, width = query.shape
        shared = n_rows // keys.shape[0]
        if shared == 1:
            return self.out(self.merge(attend(query, keys, values, mask)))  # type: ignore[no-any-return]
        # (B * g, H, T, d) -> (B, H, g * T, d): the rows of a window become further queries
        together = query.view(-1, shared, n_heads, n_tokens, width).transpose(1, 2).flatten(2, 3)
        heard = attend(together, keys, values).view(-1, n_heads, shared, n_tokens, width).transpose(1, 2)
        return self.out(self.merge(heard.reshape(query.shape)))  # type: ignore[no-any-return]


class EncoderBlock(nn.Module):
    """Self-attention and a feed-forward part, each behind a layer norm."""

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.attn_ln = nn.LayerNorm(width)
        self.attn = Attention(width, n_heads)
        self.mlp_ln = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        x = self.attn.over(self.attn_ln(x)).add_(x)  # into what is new: large, and fetched already
        return self.mlp(self.mlp_ln(x)).add_(x)  # type: ignore[no-any-return]


class DecoderBlock(nn.Module):
    """Causal self-attention, cross-attention to the audio, and a feed-forward part."""

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.attn_ln = nn.LayerNorm(width)
        self.attn = Attention(width, n_heads)
        self.cross_attn_ln = nn.LayerNorm(width)
        self.cross_attn = Attention(width, n_heads)
        self.mlp_ln = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def step(self, x: Tensor, layer: int, cache: KeyValueCache, mask: Tensor | None) -> Tensor:
        """Read (R, T, D) new tokens after those in the cache."""
        query, keys, values = self.attn.of_itself(self.attn_ln(x))
        x = x + self.attn(query, *cache.append(layer, keys, values), mask)
        cross = cache.cross[layer]
        x = x + self.cross_attn(self.cross_attn.queries(self.cross_attn_ln(x)), cross.keys, cross.values)
        return x + self.mlp(self.mlp_ln(x))  # type: ignore[no-any-return]

    def whole(
        self, x: Tensor, cross: CrossAttended, mask: Tensor | None, heads: Sequence[int]
    ) -> tuple[Tensor, Tensor | None]:
        """Read all tokens at once, (B, T, D); cross scores (B, len(heads), T, A) before softmax where asked for."""
        x = x + self.attn(*self.attn.of_itself(self.attn_ln(x)), mask)
        query = self.cross_attn.queries(self.cross_attn_ln(x))
        keys = cross.keys.to(query.dtype)
        x = x + self.cross_attn(query, keys, cross.values)
        scores = None
        if heads:
            chosen = list(heads)
            scores = (query[:, chosen] * query.shape[-1] ** -0.5) @ keys[:, chosen].transpose(-1, -2)
        return x + self.mlp(self.mlp_ln(x)), scores


class Encoder(nn.Module):
    """Mel frames to audio features."""

    positional_embedding: Tensor

    def __init__(self, dims: ModelDims) -> None:
        super().__init__()
        width = dims.n_audio_state
        self.conv1 = nn.Conv1d(dims.n_mels, width, kernel_size=3, padding=1)
        self.conv2 = nn.Conv1d(width, width, kernel_size=3, stride=2, padding=1)
        self.register_buffer("positional_embedding", sinusoids(dims.n_audio_ctx, width))
        self.blocks = nn.ModuleList(EncoderBlock(width, dims.n_audio_head) for _ in range(dims.n_audio_layer))
        self.ln_post = nn.LayerNorm(width)

    def forward(self, mel: Tensor, first: Tensor | None = None) -> Tensor:
        """Mel frames to features, (B, M, F) -> (B, A, D).

        Args:
            mel: log-mel frames; at most a full window of them.
            first: (B,) position of each row's first frame inside its window; 0 when not given.
                Training on stretches shorter than a window uses it.
        """
        x = functional.gelu(self.conv2(functional.gelu(self.conv1(mel)))).transpose(1, 2)
        n_positions = x.shape[1]
        if first is None:
            x = x + self.positional_embedding[:n_positions]
        else:
            x = x + self.positional_embedding[first[:, None] + torch.arange(n_positions, device=first.device)]
        for block in self.blocks:
            x = block(x)
        return self.ln_post(x)  # type: ignore[no-any-return]


class TokenEmbedding(nn.Embedding):
    """Tokens to vectors, and with the same matrix back to logits."""

    def reset_parameters(self) -> None:
        """Draw numbers to begin training with; on the meta device torch would import its compiler for it."""
        if not self.weight.is_meta:
            super().reset_parameters()

    def logits(self, x: Tensor) -> Tensor:
        """(..., D) -> (..., V) float32."""
        return functional.linear(x, self.weight).float()


class Decoder(nn.Module):
    """Tokens and audio features to the logits of the next token."""

    cross_dtype: torch.dtype | None = None
    """In which cross keys and values are kept while decoding; the features' own if not given."""

    def __init__(self, dims: ModelDims) -> None:
        super().__init__()
        width = dims.n_text_state
        self.token_embedding = TokenEmbedding(dims.n_vocab, width)
        self.positional_embedding = nn.Parameter(torch.zeros(dims.n_text_ctx, width))
        self.blocks = nn.ModuleList(DecoderBlock(width, dims.n_text_head) for _ in range(dims.n_text_layer))
        self.ln = nn.LayerNorm(width)

    def embed(self, tokens: Tensor, position: int, filler: Tensor | None = None) -> Tensor:
        """Tokens from `position` on, (R, T) -> (R, T, D); positions are counted from behind each row's filler (R,)."""
        places = counted(self.positional_embedding, position, position + tokens.shape[-1], filler)
        return self.token_embedding(tokens) + places  # type: ignore[no-any-return]

    def logits(self, x: Tensor) -> Tensor:
        return self.token_embedding.logits(self.ln(x))

    def hear(self, features: Tensor) -> HeardWindows:
        """(B, A, D) features to every layer's cross keys and values."""
        dtype = self.cross_dtype or features.dtype
        projections = [block.cross_attn.keys_and_values for block in self.layers()]
        return HeardWindows(
            [CrossAttended.by_width(features, project, dtype) for project in projections], features.dtype
        )

    def hear_to_learn(self, features: Tensor) -> HeardWindows:
        """The same as the projections leave them, so that gradients flow and nothing is copied."""
        return HeardWindows(
            [CrossAttended(*b.cross_attn.keys_and_values(features)) for b in self.layers()], features.dtype
        )

    def stepping(self) -> AbstractContextManager[None]:
        """Take many steps inside this."""
        return nullcontext()

    def read(self, tokens: Tensor, cache: KeyValueCache, at: Sequence[int] | None = None) -> Tensor:
        """Append tokens to the cache; see `Whisper.decode`."""
        x = self.embed(tokens, cache.length, cache.filler)
        mask = causal_mask(tokens.shape[-1], cache.length, like=x, filler=cache.filler)
        for layer, block in enumerate(self.layers()):
            x = block.step(x, layer, cache, mask)
        cache.advance(tokens.shape[-1])
        return self.logits(x if at is None else x[:, list(at)])

    def read_at_once(
        self, tokens: Tensor, heard: HeardWindows, heads: Sequence[tuple[int, int]]
    ) -> tuple[Tensor, Tensor]:
        """Read whole texts, and tell where heads look; see `Whisper.attention_scores`."""
        x = self.embed(tokens, 0)
        mask = causal_mask(tokens.shape[-1], 0, like=x)
        cross = heard.in_front(range(len(heard)))
        kept: dict[tuple[int, int], Tensor] = {}
        for layer, block in enumerate(self.layers()):
            wanted = sorted({head for at, head in heads if at == layer})
            x, scores = block.whole(x, cross[layer], mask, wanted)
            if scores is not None:
                kept |= {(layer, head): scores[:, i] for i, head in enumerate(wanted)}
        none = x.new_zeros((len(tokens), 0, tokens.shape[-1], cross[0].keys.shape[2]))
        return self.logits(x), torch.stack([kept[at] for at in heads], dim=1) if heads else none

    def layers(self) -> list[DecoderBlock]:
        """From the first to the last."""
        return list(self.blocks)  # type: ignore[arg-type]  # ModuleList forgets what it holds


class Whisper(nn.Module):
    """Encoder and decoder of one checkpoint."""

    def __init__(self, dims: ModelDims) -> None:
        super().__init__()
        self.dims = dims
        self.encoder = Encoder(dims)
        self.decoder = Decoder(dims)

    def encode(self, mel: Tensor) -> Tensor:
        """(B, M, F) log-mel -> (B, A, D) features, in the network's own precision."""
        return self.encoder(mel.to(self.encoder.conv1.weight.dtype))  # type: ignore[no-any-return]

    def hear(self, features: Tensor) -> HeardWindows:
        """(B, A, D) features from `encode` to what the decoder attends to: once for all that is read of them."""
        return self.decoder.hear(features)

    def start(
        self,
        heard: HeardWindows,
        windows: Sequence[int] | None = None,
        *,
        rows_per_window: int = 1,
        capacity: int | None = None,
        filler: Tensor | None = None,
    ) -> KeyValueCache:
        """Open a cache for decoding windows; those opened before on the same windows are closed by it.

        Args:
            heard: B windows from `hear`.
            windows: indices of those to decode, each once; all when not given.
            rows_per_window: decoder rows (tasks, beams, samples) for each window; rows of a window are neighbours.
            capacity: tokens to reserve room for; the whole text context when not given.
            filler: (R,) tokens at the start of each row that are read as if they were not there.
        """
        return KeyValueCache(
            heard,
            range(len(heard)) if windows is None else windows,
            rows_per_window=rows_per_window,
            capacity=capacity or self.dims.n_text_ctx,
            filler=filler,
        )

    def decode(self, tokens: Tensor, cache: KeyValueCache, at: Sequence[int] | None = None) -> Tensor:
        """Append (R, T) tokens to the cache; return float32 logits (R, T, V) of what follows each.

        With `at`, only of what follows the tokens at these indices, (R, len(at), V): a long prompt
        times a large vocabulary is much memory for logits that nobody reads.
        """
        return self.decoder.read(tokens, cache, at)

    def attention_scores(
        self, tokens: Tensor, heard: HeardWindows, heads: Sequence[tuple[int, int]]
    ) -> tuple[Tensor, Tensor]:
        """Read known tokens in one pass and tell where they look in the audio.

        Args:
            tokens: (B, T).
            heard: B windows from `hear`; to train, from `Decoder.hear_to_learn`.
            heads: (layer, head) pairs.

        Returns:
            Float32 logits (B, T, V), and cross-attention scores before softmax (B, len(heads), T, A),
            in the order of `heads`.
        """
        return self.decoder.read_at_once(tokens, heard, heads)
