"""How precise word times are: ours, refined, openai-whisper's own function, and guessing.

The text is given, so that only times are compared: of sentences that espeak-ng speaks (and says itself when each word
is said), of the example film, and of recordings whose words were timed by hand or by a forced aligner.
openai-whisper's function runs on the same weights, heads, tokens and mel frames.

    python benchmarks/word_times.py [--model MODEL] [--heads 0.2 1.1] [--samples FOLDER] [--speech MANIFEST]

FOLDER has recordings and a `manifest.json`; MANIFEST is JSONL with `path`, `speaker`, `text` and `words`.
"""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sounds import Clip, film, listed, read_by, spoken
from whisper.model import ModelDimensions
from whisper.model import Whisper as OpenAIWhisper
from whisper.timing import find_alignment

from subwhisper.audio import SAMPLE_RATE
from subwhisper.engine.alignment import Aligner
from subwhisper.engine.energy import Loudness
from subwhisper.engine.features import log_mel
from subwhisper.engine.refine import refine
from subwhisper.engine.speech_model import SpeechModel
from subwhisper.model.checkpoints import Checkpoint, read_checkpoint
from subwhisper.model.store import locate
from subwhisper.transcript import Word


def pieces(clip: Clip, longest: float) -> list[Clip]:
    """A recording cut in its pauses."""
    words, found, first, start = clip.words, [], 0, 0.0
    for index in range(1, len(words) + 1):
        if index < len(words) and (
            words[index].start - words[index - 1].end < 0.2 or words[index].end - start < longest / 2
        ):
            continue
        end = words[index - 1].end + 0.1
        own = [word.shifted(-start) for word in words[first:index]]
        samples = clip.samples[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)]
        found.append(Clip(samples, clip.text, own))
        first, start = index, end
    return found


def theirs(checkpoint: Checkpoint, model: SpeechModel) -> OpenAIWhisper:
    """openai-whisper's network with our weights, as they are stored, and heads."""
    dims = checkpoint.dims
    network = OpenAIWhisper(ModelDimensions(**{name: getattr(dims, name) for name in ModelDimensions.__annotations__}))
    missing, unexpected = network.load_state_dict(checkpoint.tensors, strict=False)
    assert {*missing} <= {"encoder.positional_embedding"}  # sinusoids, which both compute
    assert not unexpected
    heads = torch.zeros(dims.n_text_layer, dims.n_text_head, dtype=torch.bool)
    for layer, head in model.alignment_heads:
        heads[layer, head] = True
    network.register_buffer("alignment_heads", heads.to_sparse(), persistent=False)
    return network.eval()


class TheirTokenizer:
    """What openai-whisper's function asks of a tokenizer, answered by ours; words are those that were given."""

    def __init__(self, model: SpeechModel, words: Sequence[Sequence[int]]) -> None:
        ours = model.tokenizer
        self.sot_sequence = ours.start_sequence("en", "transcribe")
        self.no_timestamps, self.eot, self._words = ours.no_timestamps, ours.eot, words

    def split_to_word_tokens(self, tokens: list[int]) -> tuple[list[str], list[list[int]]]:
        return [str(index) for index in range(len(self._words) + 1)], [*map(list, self._words), [self.eot]]


def guessed(clip: Clip) -> list[Word]:
    """The time between the first and last sound, shared out by letters."""
    spans = Loudness.of([clip.samples]).spans()
    bounds = [0, *accumulate(len(word.text) for word in clip.words)]
    first, last = (spans[0].start, spans[-1].end) if spans else (0.0, len(clip.samples) / SAMPLE_RATE)
    times = [first + (last - first) * at / bounds[-1] for at in bounds]
    return [Word(word.text, *edges) for word, edges in zip(clip.words, pairwise(times), strict=True)]


def aligned(clip: Clip, model: SpeechModel, reference: OpenAIWhisper) -> dict[str, list[Word]]:
    """The words of a clip as each way times them."""
    start = model.tokenizer.start_sequence("en", "transcribe")
    aligner = Aligner(model.network, model.tokenizer, model.alignment_heads, start, "en", prepended="", appended="")
    mel = log_mel(torch.from_numpy(clip.samples), model.network.dims.n_mels)[:, : model.window_frames]
    n_frames = mel.shape[1]
    mel = torch.nn.functional.pad(mel, (0, model.window_frames - n_frames))
    tokens = [model.tokenizer.encode(word.text) for word in clip.words]
    flat = [token for own in tokens for token in own]
    bounds = [0, *accumulate(map(len, tokens))]
    entered, _ = aligner.entered(flat, model.network.hear(model.network.encode(mel[None])), n_frames // 2)
    ours = [
        Word(word.text, float(entered[first]), float(entered[end]))
        for word, (first, end) in zip(clip.words, pairwise(bounds), strict=True)
    ]
    tokenizer: Any = TheirTokenizer(model, tokens)
    timings = find_alignment(reference, tokenizer, flat, mel, n_frames)
    return {
        "openai-whisper": [
            Word(w.text, float(t.start), float(t.end)) for w, t in zip(clip.words, timings, strict=True)
        ],
        "subwhisper": ours,
        "subwhisper --refine": list(refine(ours, Loudness.of([clip.samples]))),
        "shared out by letters": guessed(clip),
    }


def report(title: str, clips: Iterable[Clip], model: SpeechModel, reference: OpenAIWhisper) -> None:
    """Print a row per way."""
    errors: dict[str, list[tuple[float, float]]] = {}
    for clip in clips:
        for name, words in aligned(clip, model, reference).items():
            pairs = zip(words, clip.words, strict=True)
            errors.setdefault(name, []).extend((w.start - true.start, w.end - true.end) for w, true in pairs)
    print(f"\n{title}: {len(next(iter(errors.values())))} words; milliseconds of error")
    print(f"{'':24}{'start: median':>15}{'90 %':>8}{'end: median':>15}{'90 %':>8}")
    for name, rows in errors.items():
        sizes = 1000 * np.abs(np.array(rows))
        (start, end), (start_90, end_90) = np.median(sizes, axis=0), np.quantile(sizes, 0.9, axis=0)
        print(f"{name:24}{start:15.0f}{start_90:8.0f}{end:15.0f}{end_90:8.0f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="bundled")
    parser.add_argument("--heads", nargs="+", help="layer.head, instead of the model's own")
    parser.add_argument("--samples", type=Path)
    parser.add_argument("--speech", type=Path)
    parser.add_argument("--speakers", nargs="+", default=["5652"])
    parser.add_argument("--most", type=int, default=40, help="clips of each speaker")
    arguments = parser.parse_args()
    checkpoint = read_checkpoint(locate(arguments.model, offline=True))
    model = SpeechModel.build(checkpoint, device="cpu", compute="float32")
    if arguments.heads:
        chosen = [tuple(map(int, head.split("."))) for head in arguments.heads]
        model = replace(model, alignment_heads=tuple((layer, head) for layer, head in chosen))
    longest, reference = model.window_frames / 100, theirs(checkpoint, model)
    report("Sentences spoken by espeak-ng", spoken(lead=(0.5, 2.0)), model, reference)
    report("The example film", pieces(film(), longest), model, reference)
    if arguments.samples:
        timed = {
            n: c for kind in ("speech", "video") for n, c in listed(arguments.samples, kind, "en").items() if c.words
        }
        report(
            "Sample recordings", [piece for clip in timed.values() for piece in pieces(clip, longest)], model, reference
        )
    for speaker in arguments.speakers if arguments.speech else ():
        clips = read_by(arguments.speech, [speaker], arguments.most)
        report(f"Reader {speaker}", [piece for clip in clips for piece in pieces(clip, longest)], model, reference)


if __name__ == "__main__":
    main()
