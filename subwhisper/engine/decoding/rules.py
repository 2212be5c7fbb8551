"""What a window may not say next: one class per rule.

A rule takes the logits of one step and makes tokens impossible, or less probable, in place.

Shapes: R decoder rows, V vocabulary, n tokens sampled so far in this window.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

import torch
from torch import Tensor

from subwhisper.engine.options import MODEL_SUPPRESSED, DecodeOptions
from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.model.compiled.numbers import rule_by_timestamps
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

    def apply(self, logits: Tensor, sampled: Tensor) -> None:
        logits[:, self._no_timestamps] = _NEVER
        if sampled.shape[1] == 0:
            logits[:, : self._begin] = _NEVER
            if self._latest_first is not None:
                logits[:, self._begin + self._latest_first + 1 :] = _NEVER
            return
        last_two = torch.cat([sampled[:, -2:], sampled.amax(dim=1, keepdim=True)], dim=1).tolist()
        no_text, earliest = zip(*(self._allowed(row[:-1], row[-1], logits.shape[1]) for row in last_two), strict=True)
        if not rule_by_timestamps(logits, self._begin, self._eot, no_text, earliest):
            self._rule(logits, no_text, earliest)

    def _allowed(self, last: Sequence[int], latest: int, n_tokens: int) -> tuple[bool, int]:
        """Whether text may not follow a row's last one or two tokens, and from which token on timestamps may.

        The second of a pair may repeat the first; any other timestamp must be later than the latest so far, or a
        segment would be empty and the window never end. A window opens with a single one, which counts as a second.
        """
        after_one = last[-1] >= self._begin
        if after_one and last[0] >= self._begin:
            return False, n_tokens
        return after_one, max(self._begin, latest + 1 - after_one)

    def _rule(self, logits: Tensor, no_text: Sequence[bool], earliest: Sequence[int]) -> None:
        begin, device = self._begin, logits.device
        if any(no_text):
            logits[:, : self._eot].masked_fill_(torch.tensor(no_text, device=device)[:, None], _NEVER)
        timestamps = torch.arange(begin, logits.shape[1], device=device)
        logits[:, begin:].masked_fill_(timestamps < torch.tensor(earliest, device=device)[:, None], _NEVER)
        likelier = logits[:, begin:].float().logsumexp(dim=-1) > logits[:, :begin].amax(dim=-1)
        if likelier.is_cuda or likelier.any():  # to ask a GPU takes longer than to tell it
            logits[:, :begin].masked_fill_(likelier[:, None], _NEVER)


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
