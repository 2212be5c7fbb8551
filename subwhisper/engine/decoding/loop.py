"""Windows to texts, one or several of each: the original, its translation.

Joins the network, the rules and a search; each can be exchanged without the others.

Shapes: B windows, N texts (B * texts per window), A audio positions, D width.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from subwhisper.engine.decoding.rules import rules_for
from subwhisper.engine.decoding.search import Beam, Candidate, Greedy, Sampling, Search
from subwhisper.engine.options import DecodeOptions
from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.errors import OptionError
from subwhisper.model.cache import HeardWindows, KeyValueCache
from subwhisper.model.whisper import Whisper


@dataclass(frozen=True, slots=True)
class Decoded:
    """What the network says about one window."""

    tokens: tuple[int, ...]
    """Timestamps included, end token left out."""
    text: str
    avg_logprob: float
    """Mean over tokens and end token."""
    no_speech_prob: float
    """0 where the vocabulary has no token for it."""
    temperature: float
    doubts: tuple[str, ...] = ()
    """Why the texts that were found before this one were not believed."""

    @property
    def compression_ratio(self) -> float:
        """Bytes of text over bytes after zlib; high means repetition."""
        encoded = self.text.encode()
        return len(encoded) / len(zlib.compress(encoded))


@dataclass(frozen=True, slots=True)
class Beginning:
    """What the network reads before it writes a text."""

    start: tuple[int, ...]
    """Control tokens, from `Tokenizer.start_sequence`; equally many in every text."""
    prompt: tuple[int, ...] = ()
    """The text before; only the last half context is read."""

    @property
    def alone(self) -> "Beginning":
        """The same without the text before."""
        return Beginning(self.start)


class WindowDecoder:
    """Decodes the windows of one recording: same network and options throughout."""

    def __init__(
        self,
        model: Whisper,
        tokenizer: Tokenizer,
        options: DecodeOptions,
        *,
        model_suppressed: Sequence[int] | None = None,
        spreads_timestamps: bool = False,
    ) -> None:
        """Prepare the rules.

        Args:
            model: in evaluation mode.
            tokenizer: of the same checkpoint.
            options: how to search.
            model_suppressed: the checkpoint's own list of tokens to suppress, if it has one.
            spreads_timestamps: whether its probability of a timestamp is spread over the neighbours; beams go on with
                one timestamp each then, instead of filling with texts that are all the same.

        Raises:
            OptionError: the prefix leaves no room for text.
        """
        self._model, self._tokenizer, self._options = model, tokenizer, options
        self._joined_from = tokenizer.timestamp_begin if spreads_timestamps and not options.without_timestamps else None
        self._n_context = model.dims.n_text_ctx
        self._sample_len = options.sample_len or self._n_context // 2
        self._start_of_text = self._tokens_before_text()
        n_start = tokenizer.n_start + len(self._start_of_text)
        if n_start + self._n_context // 2 > self._n_context:
            raise OptionError(f"the prefix is too long: {n_start} tokens with the control tokens")
        self._rules = rules_for(tokenizer, model.dims, options, model_suppressed)

    def _tokens_before_text(self) -> tuple[int, ...]:
        no_timestamps = (self._tokenizer.no_timestamps,) if self._options.without_timestamps else ()
        if not self._options.prefix:
            return no_timestamps
        prefix = self._tokenizer.encode_prompt(self._options.prefix)
        # prefix and sampled text share half of the context; where that is all sampled text, the prefix stays whole
        room = self._n_context // 2 - self._sample_len
        return (*no_timestamps, *(prefix[-room:] if room > 0 else prefix))

    def decode(
        self,
        heard: HeardWindows,
        beginnings: Sequence[Beginning],
        windows: Sequence[int] | None = None,
        *,
        temperature: float = 0.0,
        seeds: Sequence[int] = (),
    ) -> list[Decoded]:
        """Find the texts of each window. A text does not depend on those it is decoded with.

        Args:
            heard: windows from `Whisper.hear`.
            beginnings: N, one per text; texts of a window are neighbours and share its keys and values.
            windows: which of those heard, in order; all when not given.
            temperature: 0 searches for the most probable text; above 0 samples.
            seeds: N, for sampling; the same seed gives the same text.
        """
        rows = [self._initial(beginning) for beginning in beginnings]
        search = self._search(len(rows), temperature, seeds, heard.device)
        with torch.inference_mode():
            no_speech = self._run(heard, range(len(heard)) if windows is None else windows, rows, search)
        pick = [max(found, key=lambda c: c.score(self._options.length_penalty)) for found in search.candidates()]
        return [self._decoded(best, p, temperature) for best, p in zip(pick, no_speech, strict=True)]

    def _initial(self, beginning: Beginning) -> tuple[int, ...]:
        """Everything the network reads before it writes."""
        start = (*beginning.start, *self._start_of_text)
        room = self._n_context // 2 - 1
        if not beginning.prompt or self._tokenizer.sot_prev is None or room <= 0:
            return start
        return (self._tokenizer.sot_prev, *beginning.prompt[-room:], *start)

    def _search(self, n_windows: int, temperature: float, seeds: Sequence[int], device: torch.device) -> Search:
        options, eot = self._options, self._tokenizer.eot
        if temperature > 0:
            generators = [torch.Generator(device).manual_seed(seed) for seed in seeds]
            return Sampling(
                generators, temperature=temperature, eot=eot, device=device, rows_per_window=options.best_of
            )
        if options.beam_size > 1:
            return Beam(
                n_windows,
                eot=eot,
                device=device,
                rows_per_window=options.beam_size,
                patience=options.patience,
                joined_from=self._joined_from,
            )
        return Greedy(n_windows, eot=eot, device=device)

    def _run(
        self, heard: HeardWindows, windows: Sequence[int], rows: Sequence[tuple[int, ...]], search: Search
    ) -> list[float]:
        """Let the search write until it is done; return each text's probability of no speech."""
        longest = max(map(len, rows))
        n_steps = min(self._sample_len, self._n_context - longest + 1)
        missing = [longest - len(row) for row in rows]
        cache = self._model.start(
            heard,
            windows,
            rows_per_window=len(rows) // len(windows),
            capacity=min(self._n_context, longest + n_steps),
            filler=torch.tensor(missing, device=heard.device) if any(missing) else None,
        )
        with self._model.decoder.stepping():
            return self._step(rows, longest, n_steps, cache, search)

    def _step(
        self, rows: Sequence[tuple[int, ...]], longest: int, n_steps: int, cache: KeyValueCache, search: Search
    ) -> list[float]:
        """Read the beginnings, filled up to the `longest`, then one token after the other."""
        missing = [longest - len(row) for row in rows]
        filled = [(self._tokenizer.eot,) * n + row for n, row in zip(missing, rows, strict=True)]
        at_sot = longest - len(rows[0]) + rows[0].index(self._tokenizer.sot)
        logits = self._model.decode(torch.tensor(filled, device=search.tokens.device), cache, at=(at_sot, longest - 1))
        no_speech = self._no_speech(logits[:, 0])
        logits = logits[:, 1]
        if search.rows_per_window > 1:
            cache.widen(search.rows_per_window)
            logits = logits.repeat_interleave(search.rows_per_window, dim=0)
        is_one_text_each = len(rows) == cache.n_windows
        for step in range(n_steps):
            if step:
                logits = self._model.decode(search.tokens[:, -1:], cache)[:, -1]
            for rule in self._rules:
                rule.apply(logits, search.tokens)
            sources = search.advance(logits)
            if search.done:
                break
            if sources is not None:
                cache.reorder(sources)
            # the texts of a window share what is heard, so they could only leave together
            going_on = search.retire() if is_one_text_each else None
            if going_on is not None:
                cache.keep(going_on)
        return no_speech

    def _no_speech(self, logits: Tensor) -> list[float]:
        if self._tokenizer.no_speech is None:
            return [0.0] * len(logits)
        probabilities: list[float] = logits.softmax(dim=-1)[:, self._tokenizer.no_speech].tolist()
        return probabilities

    def _decoded(self, best: Candidate, no_speech: float, temperature: float) -> Decoded:
        return Decoded(
            tokens=best.tokens,
            text=self._tokenizer.decode(best.tokens).strip(),
            avg_logprob=best.logprob / (len(best.tokens) + 1),
            no_speech_prob=no_speech,
            temperature=temperature,
        )
