import numpy as np
import pytest

from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.training.synthesis import Phoneme, Utterance
from subwhisper.training.windows import IGNORE, Placed, Stretch, Writer, phoneme_frames, place
from subwhisper.transcript import Word

HELLO = Utterance(
    "Hi, you.",
    np.ones(16000, np.float32),
    (Word(" Hi,", 0.0, 0.3), Word(" you.", 0.5, 0.8)),
    (Phoneme("h", 0.0, 0.1), Phoneme("aI", 0.1, 0.3), Phoneme("_", 0.3, 0.5), Phoneme("j", 0.5, 0.8)),
)


@pytest.fixture
def writer(byte_tokenizer: Tokenizer) -> Writer:
    return Writer(byte_tokenizer)


def written(writer: Writer, stretch: Stretch) -> str:
    labels = writer.labels(stretch)
    return writer.tokenizer.decode_with_timestamps(token for token in labels.targets if token != IGNORE)


def test_sentences_stand_between_their_timestamps(writer: Writer) -> None:
    stretch = Stretch(5.0, (Placed(HELLO, 0.5), Placed(HELLO, 2.0)), 0, timestamps=True)
    assert written(writer, stretch) == "<|0.50|> Hi, you.<|1.30|><|2.00|> Hi, you.<|2.80|><|endoftext|>"


def test_a_stretch_inside_a_window_tells_the_windows_time(writer: Writer) -> None:
    stretch = Stretch(5.0, (Placed(HELLO, 0.5),), 500, timestamps=True)
    assert written(writer, stretch) == "<|10.50|> Hi, you.<|11.30|><|endoftext|>"


def test_a_late_first_sentence_gets_the_latest_timestamp_decoders_allow(writer: Writer) -> None:
    stretch = Stretch(5.0, (Placed(HELLO, 3.0),), 0, timestamps=True)
    assert written(writer, stretch).startswith("<|1.00|>")


def test_a_sentence_cut_by_the_window_gives_only_its_start(writer: Writer) -> None:
    stretch = Stretch(3.0, (Placed(HELLO, 0.5), Placed(HELLO, 2.5)), 1350, timestamps=True)
    assert written(writer, stretch) == "<|27.50|> Hi, you.<|28.30|><|29.50|><|endoftext|>"


def test_silence_answers_no_speech_and_then_nothing(writer: Writer) -> None:
    assert written(writer, Stretch(5.0, (), 0, timestamps=True)) == "<|nospeech|><|endoftext|>"


def test_letters_listen_to_their_word_and_marks_to_the_pause(writer: Writer) -> None:
    labels = writer.labels(Stretch(5.0, (Placed(HELLO, 0.0),), 0, timestamps=False))
    heard = dict(zip(writer.tokenizer.decode(labels.targets[1:9]), labels.listens[1:9], strict=True))
    assert len(labels.tokens) == len(labels.targets) == len(labels.listens)
    assert heard["H"] == (0, 8)
    assert heard["i"] == (8, 15)
    assert heard[","] == (15, 25)
    assert heard["y"][0] == 25


def test_each_position_knows_its_sound() -> None:
    frames = phoneme_frames(Stretch(2.0, (Placed(HELLO, 1.0),), 0, timestamps=True), {"h": 1, "aI": 2, "j": 3})
    assert frames.tolist() == [0] * 50 + [1] * 5 + [2] * 10 + [0] * 10 + [3] * 15 + [0] * 10


def test_what_does_not_begin_inside_is_left_out() -> None:
    placed = place([HELLO, HELLO, HELLO], [0.2, 0.5, 0.5], seconds=2.5)
    assert [item.start for item in placed] == pytest.approx([0.2, 1.7])


def test_a_sentence_too_long_for_its_window_is_written_as_far_as_it_goes(writer: Writer) -> None:
    stretch = Stretch(0.75, (Placed(HELLO, 0.0),), 0, timestamps=True)
    assert written(writer, stretch) == "<|0.00|> Hi,<|endoftext|>"


def test_the_rest_of_a_sentence_begins_with_its_word() -> None:
    rest = HELLO.from_word(1)
    assert (rest.text, rest.words[0].start, rest.duration) == ("you.", 0.0, 0.5)
    assert rest.phonemes[0].name == "j"
