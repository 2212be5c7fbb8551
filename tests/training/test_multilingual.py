"""What a model of several languages is asked, token by token. A dot is where nothing is asked."""

import numpy as np
import pytest
from multilingual import MultilingualWriter

from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.model.vocabulary import byte_pair_vocabulary
from subwhisper.training.synthesis import Phoneme, Utterance
from subwhisper.training.windows import IGNORE, Labels, Placed, Stretch
from subwhisper.transcript import Word

HALLO = Utterance("Na?", np.ones(16000, np.float32), (Word(" Na?", 0.0, 0.5),), (Phoneme("n", 0.0, 0.5),))
SPOKEN = (Placed(HALLO, 0.4),)


@pytest.fixture(scope="module")
def writer() -> MultilingualWriter:
    vocabulary = byte_pair_vocabulary([bytes([byte]) for byte in range(256)], ["en", "de"])
    return MultilingualWriter(Tokenizer(vocabulary, is_multilingual=True))


def read(writer: MultilingualWriter, labels: Labels) -> tuple[str, str]:
    assert len(labels.tokens) == len(labels.targets) == len(labels.listens)
    name = writer.tokenizer.decode_with_timestamps
    return name(labels.tokens), "".join("." if token == IGNORE else name([token]) for token in labels.targets)


def test_the_language_is_told_and_the_task_is_given(writer: MultilingualWriter) -> None:
    tokens, targets = read(writer, writer.transcription(Stretch(2.0, SPOKEN, 0, timestamps=True), "de"))
    assert tokens == "<|startoftranscript|><|de|><|transcribe|><|0.40|> Na?<|0.90|>"
    assert targets == "<|de|>.<|0.40|> Na?<|0.90|><|endoftext|>"


def test_timestamps_can_be_left_out(writer: MultilingualWriter) -> None:
    tokens, targets = read(writer, writer.transcription(Stretch(2.0, SPOKEN, 0, timestamps=False), "de"))
    assert tokens == "<|startoftranscript|><|de|><|transcribe|><|notimestamps|> Na?"
    assert targets == "<|de|>.. Na?<|endoftext|>"


def test_a_translation_stands_between_the_times_of_what_is_heard(writer: MultilingualWriter) -> None:
    tokens, targets = read(writer, writer.translation(Stretch(2.0, SPOKEN, 0, timestamps=True), "de", ["Well?"]))
    assert tokens == "<|startoftranscript|><|de|><|translate|><|0.40|> Well?<|0.90|>"
    assert targets == "<|de|>.<|0.40|> Well?<|0.90|><|endoftext|>"


def test_silence_tells_no_language(writer: MultilingualWriter) -> None:
    tokens, targets = read(writer, writer.transcription(Stretch(2.0, (), 0, timestamps=True), "de"))
    assert tokens == "<|startoftranscript|><|de|><|transcribe|><|0.00|>"
    assert targets == "<|nospeech|>..<|endoftext|>"
