"""What is learnt from is never twice the same, and its words stay where their sound is."""

from pathlib import Path

import numpy as np
import pytest
import torch

from subwhisper.audio import SAMPLE_RATE
from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.model.vocabulary import byte_pair_vocabulary
from subwhisper.training.lessons import Lesson, Teacher, VariationOptions, excerpt, paced
from subwhisper.training.material import Example, Sentence
from subwhisper.training.windows import IGNORE

TOKENIZER = Tokenizer(byte_pair_vocabulary([bytes([byte]) for byte in range(256)], ["en", "de"]), is_multilingual=True)
SENTENCES = (Sentence("One.", 0.5, 2.0), Sentence("Two.", 2.24, 4.0), Sentence("Three.", 6.0, 8.5))


def example() -> Example:
    """Each second of sound has a level of its own, so that a piece of it tells where it was."""
    sound = np.repeat(np.arange(1, 11), SAMPLE_RATE).astype(np.int16) * 1000
    return Example(sound, SENTENCES, "Before.", Path("talk.mp4"))


def teacher(**variation: float) -> Teacher:
    still = {"excerpt": 0.0, "slowest": 1.0, "fastest": 1.0, "wrong": 0.0, "plain": 0.0, "prompted": 0.0}
    return Teacher(TOKENIZER, "en", 448, 80, 1000, VariationOptions(**still | variation))


def times(lesson: Lesson) -> list[float]:
    begin, end = TOKENIZER.timestamp_begin, TOKENIZER.timestamp_end
    return [round((token - begin) * 0.02, 2) for token in lesson.targets if begin <= token < end]


def text(tokens: list[int]) -> str:
    return TOKENIZER.decode(token for token in tokens if 0 <= token < TOKENIZER.eot)


def test_a_plain_lesson_is_the_window_itself() -> None:
    lesson = teacher().lesson(example())
    assert lesson.mel.shape == (80, 1000)
    assert times(lesson) == [0.5, 2.0, 2.24, 4.0, 6.0, 8.5]
    assert text(lesson.targets) == " One. Two. Three."
    assert lesson.targets[:2] == [IGNORE, IGNORE]
    assert lesson.targets[-1] == TOKENIZER.eot
    again = teacher().lesson(example())
    assert torch.equal(again.mel, lesson.mel)


@pytest.mark.parametrize("seed", range(20))
def test_an_excerpt_is_whole_cues_with_their_own_sound(seed: int) -> None:
    part = excerpt(example(), np.random.default_rng(seed))
    whole = " ".join(sentence.text for sentence in SENTENCES)
    assert part.text in whole
    first = next(one for one in SENTENCES if one.text == part.sentences[0].text)
    began = first.start - part.sentences[0].start
    for sentence in part.sentences:
        original = next(one for one in SENTENCES if one.text == sentence.text)
        assert sentence.start + began == pytest.approx(original.start)
        middle = (sentence.start + sentence.end) / 2
        heard = part.sound[round(middle * SAMPLE_RATE)] // 1000 - 1
        assert heard == int((original.start + original.end) / 2)
    others = [one for one in SENTENCES if one.text not in part.text]
    end = began + len(part.sound) / SAMPLE_RATE
    assert all(one.end <= began + 1e-6 or one.start >= end - 1e-6 for one in others), (began, end)


@pytest.mark.parametrize("pace", [0.9, 1.1])
def test_another_pace_moves_sound_and_times_alike(pace: float) -> None:
    varied = teacher(slowest=pace, fastest=pace).varied(
        Example(example().sound[: 9 * SAMPLE_RATE], SENTENCES, "", Path("talk.mp4")), np.random.default_rng(1)
    )
    expected = [time / pace for one in SENTENCES for time in (one.start, one.end)]
    assert times(varied) == pytest.approx(expected, abs=0.011)
    assert paced(torch.zeros(80, 900), pace).shape == (80, round(900 / pace))


def test_what_fills_the_window_is_not_slowed_down() -> None:
    varied = teacher(slowest=0.5, fastest=1.0).varied(example(), np.random.default_rng(1))
    assert times(varied)[-1] == 8.5


def test_what_is_read_may_be_wrong_and_what_is_asked_is_right() -> None:
    right = teacher().lesson(example())
    wrong = teacher(wrong=0.5).varied(example(), np.random.default_rng(4))
    assert wrong.targets == right.targets
    changed = [at for at, (one, other) in enumerate(zip(wrong.tokens, right.tokens, strict=True)) if one != other]
    assert 3 < len(changed) < len(right.tokens) - 3
    assert all(right.tokens[at] < TOKENIZER.eot for at in changed)  # timestamps and special tokens stay


def test_plain_text_and_prompts_are_learnt_too() -> None:
    random = np.random.default_rng(1)
    plain = teacher(plain=1.0, prompted=1.0).varied(example(), random)
    assert times(plain) == []
    assert text(plain.targets) == " One. Two. Three."
    assert plain.tokens[0] == TOKENIZER.sot_prev
    assert text(plain.tokens).startswith(" Before.")
