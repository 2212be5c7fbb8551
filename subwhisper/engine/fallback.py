"""Whether a window's text is believed, and what happens when it is not.

Source: Radford et al. 2022, arXiv:2212.04356, section 4.5; thresholds as in openai-whisper.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from subwhisper.engine.decoding.loop import Decoded
from subwhisper.engine.options import FallbackOptions

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a text passes, and why not."""

    accepted: bool
    reason: str


def judge(decoded: Decoded, options: FallbackOptions) -> Verdict:
    """Decide whether a text is good enough, or should be decoded again at a higher temperature."""
    unsure = options.logprob_threshold is not None and decoded.avg_logprob < options.logprob_threshold
    silent = options.no_speech_threshold is not None and decoded.no_speech_prob > options.no_speech_threshold
    if unsure and silent:
        return Verdict(True, "silence: no text is expected, so a poor one is no reason to try again")
    ratio = options.compression_ratio_threshold
    if ratio is not None and decoded.compression_ratio > ratio:
        return Verdict(False, f"repetition: the text compresses {decoded.compression_ratio:.2f} times")
    if unsure:
        return Verdict(False, f"guess: mean log-probability {decoded.avg_logprob:.2f}")
    return Verdict(True, "fluent")


def is_silence(decoded: Decoded, options: FallbackOptions) -> bool:
    """Decide whether a window is skipped: probably no speech, and no confident text against it."""
    if options.no_speech_threshold is None or decoded.no_speech_prob <= options.no_speech_threshold:
        return False
    return options.logprob_threshold is None or decoded.avg_logprob <= options.logprob_threshold


def is_noise(decoded: Decoded, options: FallbackOptions, noise_logprob: float | None) -> bool:
    """Decide whether a text is what its model makes of noise, as its makers measured; never where guesses pass."""
    return noise_logprob is not None and options.logprob_threshold is not None and decoded.avg_logprob < noise_logprob


def decode_with_fallback(
    decode: Callable[[float, Sequence[int]], Sequence[Decoded]],
    n_texts: int,
    options: FallbackOptions,
    doubt: Callable[[str], str | None] = lambda text: None,
    *,
    likeliest: bool = False,
) -> list[Decoded]:
    """Decode at rising temperatures until each text passes; of those that never do, the last stands.

    Args:
        decode: gives the texts with these indices, at a temperature.
        n_texts: decoded together at first; later only those that have not passed.
        options: the temperatures and thresholds.
        doubt: a further reason to disbelieve a text, if there is one.
        likeliest: where none passes, take the likeliest that does not repeat itself, as faster-whisper does.
    """
    tried: list[list[Decoded]] = [[] for _ in range(n_texts)]
    doubts: list[tuple[str, ...]] = [()] * n_texts
    waiting: Sequence[int] = range(n_texts)
    for temperature in options.temperatures:
        for text, decoded in zip(waiting, decode(temperature, waiting), strict=True):
            tried[text].append(replace(decoded, doubts=doubts[text]))
        reasons = {text: _disbelief(tried[text][-1], options, doubt) for text in waiting}
        for text, reason in reasons.items():
            if reason:
                _log.debug("text %d at temperature %.1f: %s", text, temperature, reason)
                doubts[text] = (*doubts[text], f"decoded again, for {reason}")
        waiting = [text for text, reason in reasons.items() if reason]
        if not waiting:
            break
    found = [attempts[-1] for attempts in tried]
    for text in waiting if likeliest else ():
        found[text] = _likeliest(tried[text], options)
    return found


def _likeliest(tried: Sequence[Decoded], options: FallbackOptions) -> Decoded:
    """The best of texts that were all disbelieved; its temperature is that of the last, for what comes after it."""
    last, ratio = tried[-1], options.compression_ratio_threshold
    varied = [one for one in tried if ratio is None or one.compression_ratio <= ratio]
    best = max(varied or tried, key=lambda one: one.avg_logprob)
    if best is last:
        return last
    note = f"none was believed; the likeliest was kept, of temperature {best.temperature:.1f}"
    return replace(best, temperature=last.temperature, doubts=(*last.doubts, note))


def _disbelief(decoded: Decoded, options: FallbackOptions, doubt: Callable[[str], str | None]) -> str | None:
    """Why a text is not believed; `None` where it is, or where it is taken for silence anyway."""
    verdict = judge(decoded, options)
    if not verdict.accepted:
        return verdict.reason
    return None if is_silence(decoded, options) else doubt(decoded.text)
