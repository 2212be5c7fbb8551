"""Better alignment heads for a model that states none: searched in recordings with known words, or another model's."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from subwhisper.audio import SAMPLE_RATE
from subwhisper.engine.features import log_mel
from subwhisper.engine.head_search import POSITIONS_PER_SECOND, FoundHeads, KnownWindow, find_heads
from subwhisper.engine.speech_model import SpeechModel
from subwhisper.errors import InputError, ModelError
from subwhisper.media.decode import open_audio
from subwhisper.model.catalog import Heads, find, known_heads
from subwhisper.model.checkpoints import Checkpoint
from subwhisper.pipeline import OnProgress
from subwhisper.transcript import Transcript, Word

_MARGIN = 0.2  # seconds of sound before the first word of a window


def inherited(checkpoint: Checkpoint, base: str) -> Heads:
    """Give the heads published for a public model whose decoder has the same shape.

    Raises:
        ModelError: the base is unknown, publishes none, or has another shape.
    """
    heads = known_heads(find(base).name, checkpoint.dims)
    if heads is None:
        raise ModelError(f"{base} has no published alignment heads for a decoder of this shape", hint="search for them")
    return heads


def search(checkpoint: Checkpoint, recordings: Sequence[Path], language: str, on_progress: OnProgress) -> FoundHeads:
    """Find the heads that follow the speech of recordings with known words.

    Args:
        checkpoint: the model.
        recordings: beside each lies `STEM.words.json` or `STEM.json`: a list of `word`, `start` and `end`, or
            a transcript.
        language: that is spoken, as a code.
        on_progress: hears of windows read.

    Raises:
        InputError: a recording has no words beside it, or they cannot be read.
    """
    model = SpeechModel.build(checkpoint, compute="float32")
    windows = [window for path in recordings for window in _windows(model, path)]

    def on_window(done: int, total: int) -> None:
        on_progress("listening", done, total)

    return find_heads(
        model.network, model.tokenizer, windows, now=model.alignment_heads, language=language, on_progress=on_window
    )


def known_words(recording: Path) -> tuple[Word, ...]:
    """Read the words that lie beside a recording.

    Raises:
        InputError: there are none, or they cannot be read.
    """
    places = [recording.with_suffix(suffix) for suffix in (".words.json", ".json")]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        hint = f"put them in {places[0].name}: a list of objects with word, start and end"
        raise InputError(f"{recording} has no words with known times beside it", hint=hint)
    text = path.read_text(encoding="utf-8")
    try:
        table = json.loads(text)
        if isinstance(table, list):
            words = [Word(" " + str(w["word"]).strip(), float(w["start"]), float(w["end"]), 1.0) for w in table]
        else:
            words = list(Transcript.from_json(text).words())
    except (ValueError, TypeError, KeyError, InputError) as error:
        raise InputError(f"{path} holds no words with times") from error
    if not words:
        raise InputError(f"{path} holds no words with times")
    return tuple(sorted(words, key=lambda word: word.start))


def _windows(model: SpeechModel, recording: Path) -> Iterator[KnownWindow]:
    """Cut a recording before words, into windows as long as the network hears."""
    samples = np.concatenate([*open_audio(recording).blocks(), np.zeros(0, np.float32)])
    longest = model.window_frames / 100
    words = list(known_words(recording))
    while words:
        start = max(0.0, words[0].start - _MARGIN)
        inside = [word for word in words if word.end <= start + longest][: model.network.dims.n_text_ctx // 8]
        if not inside:
            return
        words = words[len(inside) :]
        end = min(start + longest, words[0].start if words else inside[-1].end + 1.0)
        yield _window(model, samples[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)], inside, start)


def _window(model: SpeechModel, samples: np.ndarray, words: Sequence[Word], start: float) -> KnownWindow:
    full = np.zeros(model.window_frames * SAMPLE_RATE // 100, np.float32)
    full[: len(samples)] = samples[: len(full)]
    mel = log_mel(torch.from_numpy(full), model.network.dims.n_mels)
    with torch.inference_mode():
        features = model.network.encode(mel[None].to(model.placement.device))
    return KnownWindow(
        features,
        min(features.shape[1], len(samples) * POSITIONS_PER_SECOND // SAMPLE_RATE),
        tuple(word.text for word in words),
        tuple(word.start - start for word in words),
    )
