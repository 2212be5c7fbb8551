"""A model of almost no size that has learnt twenty-one sentences by heart: in Spanish, German and French, and English.

For tests that need a model which understands several languages and translates. Real ones are hundreds of megabytes;
this one is trained where the tests run, by the product's own training code, in a minute or two of one core.
"""

import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from multilingual import MultilingualWriter, Spoken
from torch import nn

from subwhisper.audio import SAMPLE_RATE, Samples
from subwhisper.engine.features import log_mel
from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.model.checkpoints.writer import save_directory
from subwhisper.model.dims import ModelDims
from subwhisper.model.whisper import Whisper
from subwhisper.training.dataset import Batch
from subwhisper.training.loop import draw_weights
from subwhisper.training.losses import Trainee
from subwhisper.training.synthesis import Espeak, Utterance, Voice
from subwhisper.training.vocabulary import learn_vocabulary
from subwhisper.training.windows import IGNORE, Labels, Placed, Stretch, phoneme_frames

WINDOW = 2.0
"""Seconds that the model hears at once."""
VOICES = {code: Voice(code, rate=190) for code in ("es", "de", "fr")}
SENTENCES = {
    "es": [
        ("La casa está cerca del mar.", "The house is near the sea."),
        ("Mañana vamos al mercado.", "Tomorrow we go to the market."),
        ("Mi hermano come pan con queso.", "My brother eats bread with cheese."),
        ("El perro duerme en la cocina.", "The dog sleeps in the kitchen."),
        ("Ella lee un libro muy largo.", "She reads a very long book."),
        ("Hoy hace mucho calor.", "Today it is very hot."),
        ("Nunca bebo café por la noche.", "I never drink coffee at night."),
    ],
    "de": [
        ("Der Zug kommt heute zu spät.", "The train is late today."),
        ("Wir trinken Wasser und Wein.", "We drink water and wine."),
        ("Meine Schwester wohnt in Berlin.", "My sister lives in Berlin."),
        ("Das Fenster ist noch offen.", "The window is still open."),
        ("Ich habe meinen Schlüssel verloren.", "I have lost my key."),
        ("Die Kinder spielen im Garten.", "The children play in the garden."),
        ("Morgen wird es regnen.", "Tomorrow it will rain."),
    ],
    "fr": [
        ("Le chat dort sous la table.", "The cat sleeps under the table."),
        ("Nous partons demain matin.", "We leave tomorrow morning."),
        ("La rue est vide ce soir.", "The street is empty tonight."),
        ("J'aime beaucoup cette chanson.", "I like this song very much."),
        ("Mon père travaille à Paris.", "My father works in Paris."),
        ("Il neige depuis trois jours.", "It has been snowing for three days."),
        ("Elle cherche son chapeau rouge.", "She is looking for her red hat."),
    ],
}


def every_sentence() -> list[Spoken]:
    return [Spoken(text, english, code) for code, pairs in SENTENCES.items() for text, english in pairs]


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One thing to learn."""

    mel: torch.Tensor
    stretch: Stretch
    labels: Labels


def speak(espeak: Espeak, sentence: Spoken) -> Utterance:
    return espeak.speak(sentence.text, VOICES[sentence.language])


def examples(tokenizer: Tokenizer, n_mels: int, random: np.random.Generator, n_takes: int) -> Iterator[Example]:
    """Every sentence at several places of a window, to be written in three ways; and silence."""
    writer = MultilingualWriter(tokenizer)
    espeak = Espeak()
    for sentence in every_sentence():
        utterance = speak(espeak, sentence)
        for _ in range(n_takes):
            placed = (Placed(utterance, float(random.uniform(0.1, 0.3))),)
            ended = random.random() < 0.3
            recorded = float(random.uniform(placed[0].start + utterance.duration, WINDOW)) if ended else WINDOW
            timed, plain = (Stretch(WINDOW, placed, 0, timestamps=on, recorded=recorded) for on in (True, False))
            mel = heard(timed.mix() * np.float32(random.uniform(0.5, 1)), n_mels, random)
            yield Example(mel, timed, writer.transcription(timed, sentence.language))
            yield Example(mel, timed, writer.translation(timed, sentence.language, [sentence.english]))
            yield Example(mel, plain, writer.transcription(plain, sentence.language))
    for language in VOICES:
        for _ in range(n_takes):
            silence = Stretch(WINDOW, (), 0, timestamps=True)
            yield Example(heard(silence.mix(), n_mels, random), silence, writer.transcription(silence, language))


def heard(sound: Samples, n_mels: int, random: np.random.Generator) -> torch.Tensor:
    """(M, F) of a sound in a little noise; zeros behind its end, as decoders have it."""
    noise = random.standard_normal(len(sound)).astype(np.float32) * np.float32(10 ** random.uniform(-5, -3))
    mel = log_mel(torch.from_numpy(sound + noise), n_mels)
    return nn.functional.pad(mel, (0, round(WINDOW * 100) - mel.shape[1]))


def batch_of(chosen: Sequence[Example], classes: dict[str, int]) -> Batch:
    longest = max(len(example.labels.tokens) for example in chosen)

    def padded(name: str, filler: object) -> torch.Tensor:
        rows = [getattr(example.labels, name) for example in chosen]
        return torch.tensor([(*row, *[filler] * (longest - len(row))) for row in rows])

    return Batch(
        mel=torch.stack([example.mel for example in chosen]),
        first_position=torch.zeros(len(chosen), dtype=torch.long),
        phonemes=torch.from_numpy(np.stack([phoneme_frames(example.stretch, classes) for example in chosen])),
        tokens=padded("tokens", 0),
        targets=padded("targets", IGNORE),
        listens=padded("listens", (0, 0)),
        seconds=len(chosen) * WINDOW,
    )


def train_polyglot(folder: Path, *, n_steps: int = 600, rows: int = 12, width: int = 96) -> Path:
    """Learn every sentence by heart, and save the model."""
    sentences = every_sentence()
    texts = [text for sentence in sentences for text in (sentence.text, sentence.english)]
    vocabulary = learn_vocabulary(texts, 520, languages=("en", *VOICES))
    tokenizer = Tokenizer(vocabulary, is_multilingual=True)
    dims = ModelDims(
        n_mels=40, n_audio_ctx=round(WINDOW * 50), n_audio_state=width, n_audio_head=4, n_audio_layer=2,
        n_vocab=vocabulary.size, n_text_ctx=96, n_text_state=width, n_text_head=4, n_text_layer=2,
    )  # fmt: skip
    torch.manual_seed(3)
    random = np.random.default_rng(3)
    espeak = Espeak()
    names = {phoneme.name for sentence in sentences for phoneme in speak(espeak, sentence).phonemes}
    classes = {name: index for index, name in enumerate(sorted(names - {"_"}), start=1)}
    network = Whisper(dims)
    draw_weights(network)
    heads = [(layer, head) for layer in range(2) for head in range(2)]
    trainee = Trainee(network, len(classes) + 1, heads[:2], heads[2:])
    material = list(examples(tokenizer, dims.n_mels, random, n_takes=4))
    optimizer = torch.optim.AdamW(trainee.parameters(), lr=0.0, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    for step in range(n_steps):
        share = step / n_steps
        batch = batch_of([material[index] for index in random.integers(len(material), size=rows)], classes)
        rate = 3e-3 * min(1.0, (step + 1) / 50) * min(1.0, (1.0 - share) / 0.5)
        for group in optimizer.param_groups:
            group["lr"] = max(rate, 1e-5)
        losses = trainee(batch)
        losses.total.backward()
        nn.utils.clip_grad_norm_(trainee.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    save_directory(
        folder,
        dims=dims,
        tensors=network.state_dict(),
        vocabulary=vocabulary,
        alignment_heads=heads[2:],
        is_multilingual=True,
        reads_prompts=False,
        suppress_tokens=(),
    )
    return folder


def write_speech(path: Path, sentences: Sequence[Spoken]) -> Path:
    """Speak sentences into a file, each in a window of its own."""
    espeak = Espeak()
    windows = []
    for sentence in sentences:
        placed = (Placed(speak(espeak, sentence), 0.2),)
        windows.append(Stretch(WINDOW, placed, 0, timestamps=True).mix())
    samples = (np.concatenate(windows) * 32000).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.tobytes())
    return path
