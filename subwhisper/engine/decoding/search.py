"""How the next token is chosen: the most probable one, a sample, or several beams at once.

A search owns the tokens of every decoder row and their probabilities; the loop owns the network.
Windows decoded together never influence each other; one decoded for two tasks counts as two.

Shapes: B windows, g rows of each window (neighbours), R = B * g, V vocabulary, n tokens sampled so far.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Protocol

import torch
from torch import Tensor

from subwhisper.model.compiled.numbers import best


@dataclass(frozen=True, slots=True)
class Candidate:
    """One finished text of a window."""

    tokens: tuple[int, ...]
    """What was sampled, the end token left out."""
    logprob: float
    """Sum over the tokens and the end token."""

    def score(self, length_penalty: float | None) -> float:
        """Log-probability made comparable between lengths.

        Source: Wu et al. 2016, arXiv:1609.08144, equation 14, for a given penalty; else the mean per token.
        """
        length = len(self.tokens)
        if length_penalty is None:
            return self.logprob / max(length, 1)
        return float(self.logprob / ((5 + length) / 6) ** length_penalty)


class Search(Protocol):
    """Chooses tokens row by row until every window has its texts."""

    rows_per_window: int
    tokens: Tensor
    """(R, n) sampled so far."""

    @property
    def done(self) -> bool:
        """Every window has its texts."""
        ...

    def advance(self, logits: Tensor) -> Tensor | None:
        """Choose the next token of every row from (R, V) logits.

        Returns:
            (R,) which row each row now continues, or `None` where each continues itself.
        """
        ...

    def retire(self) -> Tensor | None:
        """Let windows go that have their texts, if enough of them have to make it worth the copying.

        Returns:
            (R',) the rows that go on, or `None` where all do. From then on R is R'.
        """
        ...

    def candidates(self) -> list[list[Candidate]]:
        """The texts found for each window, at least one."""
        ...


_FEW_LEFT = 0.75
"""Share of the windows still being read at which the rest leaves: copying what they know takes a step's time."""


class Greedy:
    """Always the most probable token."""

    def __init__(self, n_windows: int, *, eot: int, device: torch.device, rows_per_window: int = 1) -> None:
        n_rows = n_windows * rows_per_window
        self.rows_per_window = rows_per_window
        self.tokens = torch.empty(n_rows, 0, dtype=torch.long, device=device)
        self.done = False
        self._eot = eot
        self._sums = torch.zeros(n_rows, device=device)
        self._ended = [False] * n_rows
        self._windows = list(range(n_windows))
        self._texts: list[list[Candidate]] = [[] for _ in range(n_windows)]

    def advance(self, logits: Tensor) -> None:
        chosen, logprobs = self._choose(logits.float())
        if any(self._ended):
            ended = self.tokens[:, -1] == self._eot
            chosen, logprobs = chosen.masked_fill(ended, self._eot), logprobs.masked_fill(ended, 0.0)
        self._sums += logprobs
        self.tokens = torch.cat([self.tokens, chosen[:, None]], dim=1)
        self._ended = [token == self._eot for token in chosen.tolist()]
        self.done = all(self._ended)

    def _choose(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """The next token of each row, (R,), and its log-probability."""
        highest, chosen, total = best(logits, 1)
        return chosen[:, 0], highest[:, 0] - total

    def retire(self) -> Tensor | None:
        width = self.rows_per_window
        going_on = [not all(self._ended[first : first + width]) for first in range(0, len(self._ended), width)]
        if sum(going_on) > _FEW_LEFT * len(self._windows):
            return None
        self._take_texts()
        kept = [row for row in range(len(self._ended)) if going_on[row // width]]
        rows = torch.tensor(kept, device=self.tokens.device)
        self.tokens, self._sums = self.tokens[rows], self._sums[rows]
        self._ended = [self._ended[row] for row in kept]
        self._leave(going_on)
        return rows

    def _leave(self, going_on: list[bool]) -> None:
        """Go on with these of the present windows."""
        self._windows = [*compress(self._windows, going_on)]

    def _take_texts(self) -> None:
        texts = [row[: row.index(self._eot)] if self._eot in row else row for row in self.tokens.tolist()]
        found = [Candidate(tuple(text), total) for text, total in zip(texts, self._sums.tolist(), strict=True)]
        for at, window in enumerate(self._windows):
            self._texts[window] = found[at * self.rows_per_window : (at + 1) * self.rows_per_window]

    def candidates(self) -> list[list[Candidate]]:
        self._take_texts()
        return self._texts


class Sampling(Greedy):
    """A random token, by its probability at a temperature; several independent rows per window."""

    def __init__(
        self,
        generators: Sequence[torch.Generator],
        *,
        temperature: float,
        eot: int,
        device: torch.device,
        rows_per_window: int,
    ) -> None:
        """Take one source of randomness per window, so that a window's text is its own affair."""
        super().__init__(len(generators), eot=eot, device=device, rows_per_window=rows_per_window)
        self._generators, self._temperature = list(generators), temperature

    def _choose(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        # The smallest of exponential waiting times with rates p picks each token with probability p.
        waits = torch.empty_like(logits)
        by_window = waits.view(len(self._generators), -1)
        for window, generator in zip(by_window, self._generators, strict=True):
            window.exponential_(generator=generator)
        chosen = (logits / self._temperature - waits.clamp_min(1e-30).log()).argmax(dim=-1)
        return chosen, logits.gather(1, chosen[:, None])[:, 0] - logits.logsumexp(dim=-1)

    def _leave(self, going_on: list[bool]) -> None:
        super()._leave(going_on)
        self._generators = [*compress(self._generators, going_on)]


class Beam:
    """The few most probable texts so far, all continued.

    Source: the patience factor is Kasai et al. 2022, arXiv:2204.05424.
    """

    def __init__(
        self,
        n_windows: int,
        *,
        eot: int,
        device: torch.device,
        rows_per_window: int,
        patience: float = 1.0,
        joined_from: int | None = None,
    ) -> None:
        """With `joined_from`, tokens from there on (timestamps) are one choice: the likeliest, as likely as all.

        That is what beams go on by; a text that has ended has the probability of its own tokens.
        """
        n_rows = n_windows * rows_per_window
        self.rows_per_window = rows_per_window
        self.tokens = torch.empty(n_rows, 0, dtype=torch.long, device=device)
        self._eot, self._joined_from = eot, joined_from
        self._wanted = round(rows_per_window * patience)
        self._sums = torch.zeros(n_rows, device=device)
        self._joined = torch.zeros(n_rows, device=device)  # of the sums, what joined tokens add
        self._finished: list[list[Candidate]] = [[] for _ in range(n_windows)]
        self._unfinished: list[list[Candidate] | None] = [None] * n_windows
        self._windows = list(range(n_windows))

    @property
    def done(self) -> bool:
        return all(len(found) >= self._wanted for found in self._finished)

    def advance(self, logits: Tensor) -> Tensor | None:
        n_beams = self.rows_per_window
        logprobs, chosen, gains = self._continuations(logits.float())
        # a GPU is waited for each time, so all windows are fetched at once
        totals, options = (self._sums[:, None] + logprobs).tolist(), chosen.tolist()
        kept: list[tuple[int, int, float]] = []
        for at in range(len(self._windows)):
            own = slice(at * n_beams, (at + 1) * n_beams)
            kept += self._rank(at, totals[own], options[own])
        rows, tokens, sums = zip(*kept, strict=True)
        device = logits.device
        sources, added = torch.tensor([rows, tokens], device=device)
        self.tokens = torch.cat([self.tokens[sources], added[:, None]], dim=1)
        self._sums = torch.tensor(sums, device=device)
        if self._joined_from is not None:
            is_joined = self.tokens[:, -1] >= self._joined_from
            self._joined = self._joined[sources] + gains[sources].nan_to_num(0.0) * is_joined
        self._close_finished()
        return None if rows == tuple(range(len(rows))) else sources

    def _continuations(self, logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What each row may go on with.

        Returns:
            (R, n) log-probabilities; (R, n) tokens, of which the last stands for all that are joined; (R,) how much
            likelier these are together than it is alone.
        """
        apart = logits[:, : self._joined_from]
        highest, chosen, total = best(apart, min(self.rows_per_window + 1, apart.shape[1]))
        if self._joined_from is None:
            return highest - total[:, None], chosen, torch.zeros_like(total)
        likeliest, joined, together = best(logits[:, self._joined_from :], 1)
        highest = torch.cat([highest, together[:, None]], dim=1)
        chosen = torch.cat([chosen, joined + self._joined_from], dim=1)
        total = torch.logaddexp(total, together)
        return highest - total[:, None], chosen, together - likeliest[:, 0]

    def _rank(self, at: int, totals: list[list[float]], chosen: list[list[int]]) -> list[tuple[int, int, float]]:
        """Best continuations of one window as (row, token, total); texts that end among them are set aside."""
        finished, first = self._finished[self._windows[at]], at * self.rows_per_window
        # before the first token all beams of a window are the same text: let one speak for all
        n_speaking = self.rows_per_window if self.tokens.shape[1] else 1
        options = [
            (first + beam, token, total)
            for beam in range(n_speaking)
            for token, total in zip(chosen[beam], totals[beam], strict=True)
        ]
        options.sort(key=lambda option: -option[2])  # stable: equals keep the order of beams
        kept: list[tuple[int, int, float]] = []
        for row, token, total in options:
            if token == self._eot:
                if len(finished) < self._wanted and total > -math.inf:  # among what is forbidden, any order will do
                    finished.append(Candidate(tuple(self.tokens[row].tolist()), total - float(self._joined[row])))
            else:
                kept.append((row, token, total))
                if len(kept) == self.rows_per_window:
                    break
        return kept

    def _close_finished(self) -> None:
        """Remember the unfinished beams of a window at the moment it has enough: later steps are not its own."""
        for at, window in enumerate(self._windows):
            if len(self._finished[window]) >= self._wanted and self._unfinished[window] is None:
                self._unfinished[window] = self._open_beams(at)

    def retire(self) -> Tensor | None:
        going_on = [self._unfinished[window] is None for window in self._windows]
        if sum(going_on) > _FEW_LEFT * len(self._windows):
            return None
        kept = torch.tensor(going_on, device=self.tokens.device).repeat_interleave(self.rows_per_window)
        rows = kept.nonzero()[:, 0]
        self.tokens, self._sums, self._joined = self.tokens[rows], self._sums[rows], self._joined[rows]
        self._windows = [*compress(self._windows, going_on)]
        return rows

    def _open_beams(self, at: int) -> list[Candidate]:
        rows = slice(at * self.rows_per_window, (at + 1) * self.rows_per_window)
        texts, sums = self.tokens[rows].tolist(), (self._sums[rows] - self._joined[rows]).tolist()
        beams = [Candidate(tuple(text), total) for text, total in zip(texts, sums, strict=True)]
        return sorted(beams, key=lambda beam: -beam.logprob)

    def candidates(self) -> list[list[Candidate]]:
        still_open = {window: self._open_beams(at) for at, window in enumerate(self._windows)}
        every = []
        for window, found in enumerate(self._finished):
            rest = self._unfinished[window]
            n_missing = max(0, self.rows_per_window - len(found))
            every.append(found + (still_open[window] if rest is None else rest)[:n_missing])
        return every
