"""How precise word times are: ours, refined, openai-whisper's own function, and guessing.

The text is given, so that only times are compared: of sentences that espeak-ng speaks (and says itself when each word
is said), and of the example film. openai-whisper's function runs on the same weights, heads, tokens and mel frames.

    python benchmarks/word_times.py [MODEL]
"""

import json
import sys
from collections.abc import Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from whisper.model import ModelDimensions
from whisper.model import Whisper as OpenAIWhisper
from whisper.timing import find_alignment

from subwhisper.audio import SAMPLE_RATE, Samples
from subwhisper.engine.alignment import Aligner
from subwhisper.engine.energy import Loudness
from subwhisper.engine.features import log_mel
from subwhisper.engine.refine import refine
from subwhisper.engine.speech_model import SpeechModel
from subwhisper.media.decode import open_audio
from subwhisper.model.checkpoints import read_checkpoint
from subwhisper.model.store import locate
from subwhisper.training.synthesis import Espeak, Voice
from subwhisper.transcript import Word

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SENTENCES = """\
The weather was cold, but we walked to the river anyway.
She said that nothing would ever change in this town.
He opened the door slowly. Nobody was there.
Our government must protect the rights of every citizen.
It was a long road, full of stones and dust.
The doctor told him to rest, to eat, and to wait.
We will not forget what they did for us.
They bought bread, milk, and a little sugar.
The teacher asked a question, but no one answered.
My brother writes letters to his friends every week.""".splitlines()
VOICES = ("en-us+m3", "en-us+f2", "en-us+f3", "en-us+belinda")


class Clip(NamedTuple):
    """Sound that fits a window, and when its words are said."""

    samples: Samples
    words: Sequence[Word]


def spoken() -> list[Clip]:
    """Every sentence in every voice, after half a second to two of silence."""
    random, espeak, clips = np.random.default_rng(11), Espeak(), []
    for name in VOICES:
        for sentence in SENTENCES:
            voice = Voice(name, rate=int(random.integers(140, 180)), pitch=int(random.integers(35, 65)))
            utterance = espeak.speak(sentence, voice)
            lead = int(random.uniform(0.5, 2.0) * SAMPLE_RATE)
            samples = np.concatenate([np.zeros(lead, np.float32), utterance.samples, np.zeros(8000, np.float32)])
            clips.append(Clip(samples, [word.shifted(lead / SAMPLE_RATE) for word in utterance.words]))
    return clips


def film(longest: float) -> list[Clip]:
    """The example film, cut in its pauses."""
    samples = np.concatenate([*open_audio(EXAMPLES / "welcome.mp4").blocks()])
    rows = json.loads((EXAMPLES / "welcome.words.json").read_text(encoding="utf-8"))
    words = [Word(f" {row['word']}", row["start"], row["end"]) for row in rows]
    clips, first, start = [], 0, 0.0
    for index in range(1, len(words) + 1):
        if index < len(words) and (
            words[index].start - words[index - 1].end < 0.2 or words[index].end - start < longest / 2
        ):
            continue
        end = words[index - 1].end + 0.1
        own = [word.shifted(-start) for word in words[first:index]]
        clips.append(Clip(samples[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)], own))
        first, start = index, end
    return clips


def theirs(model: SpeechModel) -> OpenAIWhisper:
    """openai-whisper's network with our weights and heads."""
    dims = model.network.dims
    network = OpenAIWhisper(ModelDimensions(**{name: getattr(dims, name) for name in ModelDimensions.__annotations__}))
    network.load_state_dict(model.network.state_dict(), strict=False)
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
    entered, _ = aligner.entered(flat, model.network.encode(mel[None]), n_frames // 2)
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


def report(title: str, clips: Sequence[Clip], model: SpeechModel) -> None:
    """Print a row per way."""
    reference = theirs(model)
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
        print(f"{name:24}{start:15.0f}{start_90:8.0f}{end:15.0f}{end_90:8.0f}")


if __name__ == "__main__":
    name = sys.argv[1] if len(sys.argv) > 1 else "bundled"
    model = SpeechModel.build(read_checkpoint(locate(name, offline=True)), device="cpu", compute="float32")
    longest = model.window_frames / 100
    report("Sentences spoken by espeak-ng", spoken(), model)
    report("The example film", film(longest), model)
