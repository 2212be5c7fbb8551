import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from subwhisper.audio import Audio
from subwhisper.engine.language import first_openings
from subwhisper.engine.options import DecodeOptions, FallbackOptions, TranscribeOptions, VadOptions
from subwhisper.engine.recording import Progress
from subwhisper.engine.transcriber import Transcriber
from subwhisper.errors import ModelError, OptionError
from subwhisper.transcript import Transcript

from .networks import micro_checkpoint
from .test_streaming import bursts

QUICK = TranscribeOptions(
    plan="sequential",
    vad=VadOptions(detector="none"),
    decode=DecodeOptions(beam_size=2, best_of=2, sample_len=16),
    fallback=FallbackOptions(temperatures=(0.0, 0.8)),
)


def sound(seconds: float, seed: int = 3) -> Audio:
    random = np.random.default_rng(seed)
    n_samples = round(seconds * 16_000)
    tone = np.sin(2 * math.pi * np.cumsum(200 + 100 * random.normal(size=n_samples).cumsum() / 4000) / 16_000)
    return Audio((0.3 * tone + 0.01 * random.normal(size=n_samples)).astype(np.float32))


class InPieces:
    """The same sound, block by block."""

    def __init__(self, audio: Audio, size: int) -> None:
        self.audio, self.size = audio, size

    def blocks(self) -> Iterator[np.ndarray]:
        for at in range(0, len(self.audio.samples), self.size):
            yield self.audio.samples[at : at + self.size]


@pytest.fixture(scope="module")
def english() -> Transcriber:
    return Transcriber(micro_checkpoint(), device="cpu", compute="float32")


@pytest.fixture(scope="module")
def polyglot() -> Transcriber:
    return Transcriber(micro_checkpoint(languages=("en", "de", "es")), device="cpu", compute="float32")


def test_windows_of_a_small_model_cover_the_recording(english: Transcriber) -> None:
    transcript = english.transcribe(sound(7.3), QUICK)
    assert transcript.duration == 7.3
    assert transcript.language == "en"
    seeks = [segment.seek for segment in transcript.segments]
    assert seeks == sorted(seeks)
    assert len(set(seeks)) >= 3  # windows of two seconds
    assert all(segment.quality for segment in transcript.segments)


def test_a_stream_gives_what_the_whole_gives(english: Transcriber) -> None:
    audio = sound(5)
    whole, pieces = english.transcribe(audio, QUICK), english.transcribe(InPieces(audio, 1777), QUICK)
    assert [s.tokens for s in pieces.segments] == [s.tokens for s in whole.segments]


def test_hotwords_are_told_to_every_window(english: Transcriber) -> None:
    alone, told = (
        english.transcribe(sound(5), replace(QUICK, condition_on_previous_text=False, hotwords=hotwords)).segments
        for hotwords in (None, "Zebra Quux")
    )
    seeks = {segment.seek for segment in (*alone, *told)}
    by_window = [[[s.tokens for s in one if s.seek == seek] for seek in sorted(seeks)] for one in (alone, told)]
    assert len(seeks) > 1
    assert all(first != second for first, second in zip(*by_window, strict=True))


def test_results_repeat_even_when_sampled(english: Transcriber) -> None:
    hot = replace(QUICK, fallback=FallbackOptions(temperatures=(1.0,)))
    assert english.transcribe(sound(3), hot).segments == english.transcribe(sound(3), hot).segments


def test_nothing_gives_an_empty_transcript(english: Transcriber, polyglot: Transcriber) -> None:
    silence = Audio(np.zeros(0, np.float32))
    assert english.transcribe(silence, QUICK).segments == ()
    assert polyglot.transcribe(silence, QUICK).duration == 0


def test_the_language_is_detected_unless_stated(polyglot: Transcriber) -> None:
    assert polyglot.transcribe(sound(2), QUICK).language in {"en", "de", "es"}
    stated = replace(QUICK, language="German")
    assert {s.language for s in polyglot.transcribe(sound(2), stated).segments} == {"de"}


def test_the_language_of_a_recording_is_that_of_its_speech(polyglot: Transcriber) -> None:
    recording = bursts((9, 12), seconds=14)
    vad = VadOptions(detector="energy")
    [first] = first_openings(Audio(recording), vad, 1, 200)
    found = polyglot.hear_language(Audio(recording), replace(QUICK, vad=vad))
    for start, is_the_same in ((first, True), (0, False)):
        other = polyglot.hear_language(Audio(recording[start * 160 :]), QUICK).ranked
        assert (found.ranked == pytest.approx(other, abs=0.02)) == is_the_same


def test_translated_text_is_english(polyglot: Transcriber) -> None:
    options = replace(QUICK, language="de", task="translate")
    assert polyglot.transcribe(sound(2), options).language == "en"


BOTH = replace(QUICK, task="both", language="de")


def test_both_texts_come_from_one_reading(polyglot: Transcriber) -> None:
    transcript = polyglot.transcribe(sound(7), BOTH)
    original, english = (
        polyglot.transcribe(sound(7), replace(BOTH, task=task)) for task in ("transcribe", "translate")
    )
    said = [[(s.start, s.end, s.tokens) for s in one.segments] for one in (transcript, original)]
    assert said[0] == said[1]
    assert transcript.translation is not None
    assert (transcript.language, transcript.translation.language) == ("de", "en")
    assert {segment.language for segment in transcript.translation.segments} == {"en"}
    assert transcript.translation.segments[0].tokens == english.segments[0].tokens  # nothing came before the first
    times = [time for segment in transcript.translation.segments for time in (segment.start, segment.end)]
    assert times == sorted(times)
    again = Transcript.from_json(transcript.to_json()).translation
    assert again is not None
    assert again.segments == transcript.translation.segments


def test_english_is_not_translated_into_english(polyglot: Transcriber, caplog: pytest.LogCaptureFixture) -> None:
    transcript = polyglot.transcribe(sound(2), replace(BOTH, language="en"))
    assert transcript.translation is None
    assert "nothing to translate" in caplog.text


def test_the_language_is_one_of_those_allowed(polyglot: Transcriber) -> None:
    heard = polyglot.hear_language(sound(5), QUICK)
    others = tuple({"en", "de", "es"} - {heard.language})
    bound = replace(QUICK, languages=others, language_detection_segments=3, language_detection_threshold=0.99)
    transcript = polyglot.transcribe(sound(5), bound)
    assert transcript.language in others
    again = polyglot.hear_language(sound(5), bound)
    assert (transcript.language, transcript.language_probability) == (again.language, again.probability)


@pytest.mark.parametrize(
    ("languages", "options", "named"),
    [
        (("en", "de"), {"languages": ("fr", "de")}, "does not know French"),
        (("en", "de"), {"language": "fr"}, "does not know French"),
        ((), {"languages": ("en", "fr")}, "English only, not French"),
        ((), {"multilingual": True}, "can tell no languages apart"),
    ],
)
def test_languages_a_model_does_not_know_are_refused(
    languages: tuple[str, ...], options: dict[str, object], named: str
) -> None:
    model = Transcriber(micro_checkpoint(languages=languages), device="cpu", compute="float32")
    with pytest.raises(OptionError, match=named):
        model.transcribe(sound(1), TranscribeOptions(**options))


@pytest.mark.parametrize("name", ["micro", "turbo"])
def test_translation_is_refused_by_models_that_cannot(name: str) -> None:
    languages = ("en", "de") if name == "turbo" else ()
    model = Transcriber(micro_checkpoint(languages=languages, name=name), device="cpu", compute="float32")
    with pytest.raises(ModelError, match=rf"{name} cannot translate .*large-v3"):
        model.transcribe(sound(1), TranscribeOptions(task="translate"))
    with pytest.raises(ModelError, match="cannot translate"):
        model.transcribe(sound(1), TranscribeOptions(task="both"))


def test_a_model_that_reads_no_prompts_hears_every_window_afresh() -> None:
    """The bundled one hears much worse behind a prompt."""
    model = Transcriber(replace(micro_checkpoint(), reads_prompts=False), device="cpu", compute="float32")
    first, second = (
        model.transcribe(sound(5), replace(QUICK, condition_on_previous_text=condition)) for condition in (True, False)
    )
    assert first.segments == second.segments
    for asked in ({"initial_prompt": "Names."}, {"hotwords": "Names"}):
        with pytest.raises(OptionError, match=r"reads no prompts .*(initial-prompt|hotwords)"):
            model.transcribe(sound(1), TranscribeOptions(**asked))


def test_an_english_model_refuses_another_language(english: Transcriber) -> None:
    with pytest.raises(OptionError, match="English only, not German"):
        english.transcribe(sound(1), TranscribeOptions(language="de"))


def test_words_lie_in_order_and_carry_the_text(english: Transcriber) -> None:
    options = replace(QUICK, word_timestamps=True, fallback=FallbackOptions(temperatures=(0.0,)))
    transcript = english.transcribe(sound(6), options)
    words = list(transcript.words())
    assert words
    for segment in transcript.segments:
        assert "".join(word.text for word in segment.words) == segment.text
        assert all(word.start <= word.end for word in segment.words)
    assert all(0 <= word.probability <= 1 for word in words if word.probability is not None)


def test_only_the_clips_are_read(english: Transcriber) -> None:
    options = replace(QUICK, clip_timestamps=(1.0, 2.5, 4.0))
    seen: list[Progress] = []
    transcript = english.transcribe(sound(5), options, on_progress=seen.append)
    assert all(100 <= s.seek < 250 or 400 <= s.seek < 500 for s in transcript.segments)
    assert seen[-1] == Progress(5.0, 5.0)
    assert [p.position for p in seen] == sorted(p.position for p in seen)


def test_segments_come_one_window_at_a_time(english: Transcriber) -> None:
    found = english.segments(sound(6), QUICK)
    first = next(found)
    assert first.seek == 0
    assert [first, *found] == list(english.transcribe(sound(6), QUICK).segments)


@pytest.mark.parametrize("compute", ["bfloat16", "float16", "int8"])
def test_other_precisions_say_much_the_same(english: Transcriber, compute: str) -> None:
    model = Transcriber(micro_checkpoint(), device="cpu", compute=compute)
    transcript = model.transcribe(sound(3), QUICK)
    assert transcript.provenance["compute"] == compute
    assert transcript.segments


def test_the_result_tells_how_it_was_made(english: Transcriber) -> None:
    transcript = english.transcribe(sound(1), QUICK)
    again = Transcript.from_json(transcript.to_json())
    assert again.provenance["model"] == "micro"
    assert again.provenance["compute"] == "float32"
    assert again.provenance["options"]["decode"]["beam_size"] == 2


@pytest.mark.parametrize(
    "options", [{"device": "abacus"}, {"device": "cuda:99"}, {"compute": "float8"}, {"threads": -1}]
)
def test_a_place_that_is_not_there_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(OptionError):
        Transcriber(micro_checkpoint(), **{"device": "cpu", **options})  # type: ignore[arg-type]


def test_weights_that_do_not_fit_are_named(tmp_path: Path) -> None:
    from dataclasses import replace

    checkpoint = micro_checkpoint()
    tensors = {key: tensor for key, tensor in checkpoint.tensors.items() if key != "decoder.ln.weight"}
    with pytest.raises(ModelError, match=r"decoder\.ln\.weight"):
        Transcriber(replace(checkpoint, tensors=tensors), device="cpu", compute="float32")


def test_provenance_is_plain_json(english: Transcriber) -> None:
    json.dumps(english.provenance(QUICK))
