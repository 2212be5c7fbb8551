"""What a window may not say next: one class per rule.

A rule takes the logits of one step and makes tokens impossible, or less probable, in place.

Shapes: R decoder rows, V vocabulary, n tokens sampled so far in this window.
"""

from collections.abc import Iterable
from typing import Protocol

import torch
from torch import Tensor

from subwhisper.engine.options import MODEL_SUPPRESSED, DecodeOptions
from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.model.compiled.numbers import best
from subwhisper.model.dims import ModelDims

SECONDS_PER_TIMESTAMP = 0.02
_NEVER = float("-inf")


class LogitRule(Protocol):
    """Forbids tokens, or discourages them.

    To add a rule: write a class here, add it to `rules_for`, and test it on hand-written
    logits of ten tokens.
    """

    def apply(self, logits: Tensor, sampled: Tensor) -> None:
        """Set logits (R, V) of forbidden tokens to minus infinity, given (R, n) tokens sampled so far."""
        ...


class SuppressTokens:
    """Some tokens are never said."""

    def __init__(self, tokens: Iterable[int]) -> None:
        self._tokens = torch.tensor(sorted(set(tokens)))

    def apply(self, logits: Tensor, sampled: Tensor) -> None:
        self._tokens = self._tokens.to(logits.device)
        logits.index_fill_(1, self._tokens, _NEVER)


class SuppressAtStart(SuppressTokens):
    """Some tokens never come first: a lone space, or the end of a text that has not begun."""

    def apply(self, logits: Tensor, sampled: Tensor) -> None:
        if sampled.shape[1] == 0:
            super().apply(logits, sampled)


class RepetitionPenalty:
    """What the window has said already becomes less probable.

    Source: Keskar et al. 2019, arXiv:1909.05858, section 4.1, with negative logits multiplied instead of divided.
    """

    def __init__(self, penalty: float) -> None:
        self._penalty = penalty

    def apply(self, logits: Tensor, sampled: Tensor) -> None:
        known = logits.gather(1, sampled)
        logits.scatter_(1, sampled, torch.where(known < 0, known * self._penalty, known / self._penalty))


class NoRepeatedSequence:
    """No run of `size` tokens comes twice in a window.

    Source: Paulus et al. 2017, arXiv:1705.04304, section 2.5.
    """

    def __init__(self, size: int) -> None:
        self._size = size

    def apply(self, logits: Tensor, sampled: Tensor) -> None:
        n_sampled = sampled.shape[1]
        if n_sampled < self._size:
            return
        runs = sampled.unfold(1, self._size, 1)  # (R, n - size + 1, size)
        begun = sampled[:, None, n_sampled - self._size + 1 :]
        rows, at = (runs[:, :, :-1] == begun).all(dim=-1).nonzero(as_tuple=True)
        logits[rows, runs[rows, at, -1]] = _NEVER


class TimestampRules:
    """Timestamps come in pairs, never run backwards, open every window, and win when likelier than any text."""

    def __init__(self, *, begin: int, eot: int, no_timestamps: int, latest_first: int | None) -> None:
        """Name the tokens.

        Args:
            begin: the timestamp of 0.00; every id from here on is a timestamp.
            eot: the first id that is no text.
            no_timestamps: the token that would switch timestamps off.
            latest_first: largest step after `begin` that may open a window; `None`: any.
        """
        self._begin, self._eot, self._no_timestamps, self._latest_first = begin, eot, no_timestamps, latest_first
        self._tokens = torch.empty(0)

    def apply(self, logits: Tensor, sampled: Tensor) -> None:
        logits[:, self._no_timestamps] = _NEVER
        if sampled.shape[1] == 0:
            self._open(logits)
        else:
            self._pair(logits, sampled)
        self._prefer(logits)

    def _open(self, logits: Tensor) -> None:
        logits[:, : self._begin] = _NEVER
        if self._latest_first is not None:
            logits[:, self._begin + self._latest_first + 1 :] = _NEVER

    def _pair(self, logits: Tensor, sampled: Tensor) -> None:
        begin, after_one = self._begin, sampled[:, -1] >= self._begin
        # a window opens with a single timestamp, which counts as the second of a pair
        after_two = (sampled[:, -2] >= begin) & after_one if sampled.shape[1] > 1 else after_one
        opens = after_one & ~after_two
        _forbid(logits[:, : self._eot], opens)

        # The second of a pair may repeat the first; any other timestamp must be later than the last,
        # or a segment would be empty and the window never end. Timestamps are larger than all text.
        last = sampled.amax(dim=1).clamp_(min=begin - 1)
        earliest = (last + 1 - opens.long()).masked_fill_(after_two, logits.shape[1])
        if len(self._tokens) != logits.shape[1] or self._tokens.device != logits.device:
            self._tokens = torch.arange(logits.shape[1], device=logits.device)
        logits[:, begin:].masked_fill_(self._tokens[begin:] < earliest[:, None], _NEVER)

    def _prefer(self, logits: Tensor) -> None:
        any_timestamp = best(logits[:, self._begin :].float(), 1)[2]
        best_text = logits[:, : self._begin].amax(dim=-1)
        _forbid(logits[:, : self._begin], any_timestamp > best_text)


def _forbid(logits: Tensor, rows: Tensor) -> None:
    """Make all of these tokens impossible in the rows (R,) that are true; in most steps that is none of them."""
    if rows.any():
        logits.masked_fill_(rows[:, None], _NEVER)


def rules_for(
    tokenizer: Tokenizer, dims: ModelDims, options: DecodeOptions, model_suppressed: Iterable[int] | None
) -> list[LogitRule]:
    """The rules of one decoding, in the order in which they apply.

    Args:
        tokenizer: names the tokens.
        dims: its vocabulary may be padded beyond the tokenizer's.
        options: which rules are wanted.
        model_suppressed: what -1 stands for among the suppressed; `None`: the tokenizer's unspoken symbols.
    """
    rules: list[LogitRule] = []
    if options.repetition_penalty != 1:
        rules.append(RepetitionPenalty(options.repetition_penalty))
    if options.no_repeat_ngram_size:
        rules.append(NoRepeatedSequence(options.no_repeat_ngram_size))
    if options.suppress_blank:
        rules.append(SuppressAtStart([*tokenizer.encode(" "), tokenizer.eot]))
    if options.suppress_tokens:
        chosen = {token for token in options.suppress_tokens if token != MODEL_SUPPRESSED}
        if MODEL_SUPPRESSED in options.suppress_tokens:
            chosen |= set(tokenizer.non_speech_tokens if model_suppressed is None else model_suppressed)
        # other tools write the same lists for larger vocabularies
        chosen = {token for token in chosen if token < dims.n_vocab}
        rules.append(SuppressTokens(chosen | set(tokenizer.control_tokens)))
    if dims.n_vocab > tokenizer.timestamp_end:
        rules.append(SuppressTokens(range(tokenizer.timestamp_end, dims.n_vocab)))
    if not options.without_timestamps:
        latest = options.max_initial_timestamp
        rules.append(
            TimestampRules(
                begin=tokenizer.timestamp_begin,
                eot=tokenizer.eot,
                no_timestamps=tokenizer.no_timestamps,
                latest_first=round(latest / SECONDS_PER_TIMESTAMP) if latest else None,
            )
        )
    return rules
