"""One window, or several with the same beginning, to text.

Joins the network, the rules and a search; each can be exchanged without the others.

Shapes: B windows, g rows per window, A audio positions, D width.
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

    @property
    def compression_ratio(self) -> float:
        """Bytes of text over bytes after zlib; high means repetition."""
        encoded = self.text.encode()
        return len(encoded) / len(zlib.compress(encoded))


class WindowDecoder:
    """Decodes the windows of one recording: same network, language, task and options throughout."""

    def __init__(
        self,
        model: Whisper,
        tokenizer: Tokenizer,
        options: DecodeOptions,
        start: Sequence[int],
        *,
        model_suppressed: Sequence[int] | None = None,
    ) -> None:
        """Prepare the rules.

        Args:
            model: in evaluation mode.
            tokenizer: of the same checkpoint.
            options: how to search.
            start: control tokens every window begins with, from `Tokenizer.start_sequence`.
            model_suppressed: the checkpoint's own list of tokens to suppress, if it has one.

        Raises:
            OptionError: the prefix leaves no room for text.
        """
        self._model, self._tokenizer, self._options = model, tokenizer, options
        self._n_context = model.dims.n_text_ctx
        self._sample_len = options.sample_len or self._n_context // 2
        self._start = (*start, *self._start_of_text())
        if len(self._start) + self._n_context // 2 > self._n_context:
            raise OptionError(f"the prefix is too long: {len(self._start)} tokens with the control tokens")
        self._rules = rules_for(tokenizer, model.dims, options, model_suppressed)

    def _start_of_text(self) -> tuple[int, ...]:
        no_timestamps = (self._tokenizer.no_timestamps,) if self._options.without_timestamps else ()
        if not self._options.prefix:
            return no_timestamps
        prefix = self._tokenizer.encode_prompt(self._options.prefix)
        # prefix and sampled text share half of the context; where that is all sampled text, the prefix stays whole
        room = self._n_context // 2 - self._sample_len
        return (*no_timestamps, *(prefix[-room:] if room > 0 else prefix))

    def decode(
        self, features: Tensor, *, temperature: float = 0.0, prompt: Sequence[int] = (), seeds: Sequence[int] = ()
    ) -> list[Decoded]:
        """Find the text of each window.

        Args:
            features: (B, A, D) from `Whisper.encode`.
            temperature: 0 searches for the most probable text; above 0 samples.
            prompt: tokens of the text before; only the last half context is read.
            seeds: one per window, for sampling; the same seed gives the same text, whatever the other windows.
        """
        initial = self._initial(prompt)
        search = self._search(len(features), temperature, seeds, features.device)
        with torch.inference_mode():
            no_speech = self._run(features, initial, search)
        pick = [max(found, key=lambda c: c.score(self._options.length_penalty)) for found in search.candidates()]
        return [self._decoded(best, p, temperature) for best, p in zip(pick, no_speech, strict=True)]

    def _initial(self, prompt: Sequence[int]) -> tuple[int, ...]:
        """Everything the network reads before it writes."""
        room = self._n_context // 2 - 1
        if not prompt or self._tokenizer.sot_prev is None or room <= 0:
            return self._start
        return (self._tokenizer.sot_prev, *prompt[-room:], *self._start)

    def _search(self, n_windows: int, temperature: float, seeds: Sequence[int], device: torch.device) -> Search:
        options, eot = self._options, self._tokenizer.eot
        if temperature > 0:
            generators = [torch.Generator(device).manual_seed(seed) for seed in seeds]
            return Sampling(
                generators, temperature=temperature, eot=eot, device=device, rows_per_window=options.best_of
            )
        if options.beam_size > 1:
            return Beam(n_windows, eot=eot, device=device, rows_per_window=options.beam_size, patience=options.patience)
        return Greedy(n_windows, eot=eot, device=device)

    def _run(self, features: Tensor, initial: tuple[int, ...], search: Search) -> list[float]:
        """Let the search write until it is done; return each window's probability of no speech."""
        n_steps = min(self._sample_len, self._n_context - len(initial) + 1)
        cache = self._model.start(features, capacity=min(self._n_context, len(initial) + n_steps))
        beginning = torch.tensor([initial], device=features.device).expand(len(features), -1)
        at_sot = initial.index(self._tokenizer.sot)
        logits = self._model.decode(beginning, cache, at=(at_sot, len(initial) - 1))
        no_speech = self._no_speech(logits[:, 0])
        logits = logits[:, 1]
        if search.rows_per_window > 1:
            cache.widen(search.rows_per_window)
            logits = logits.repeat_interleave(search.rows_per_window, dim=0)
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
