"""Planted offsets and drifts are found again; what does not belong together is not believed."""

from collections.abc import Sequence

import numpy as np
import pytest

from subwhisper.errors import InputError
from subwhisper.subtitles.sync import FRAME_RATES, Fit, fit, usual_ratios

Spans = list[tuple[float, float]]


def dialogue(minutes: float, seed: int) -> tuple[Spans, Spans]:
    """Cues as people make them (a little off, lingering) and speech as detectors find it (some missed, some noise)."""
    random = np.random.default_rng(seed)
    cues: Spans = []
    speech: Spans = []
    now = 3.0
    while now < minutes * 60:
        length = random.uniform(0.8, 4.5)
        cues.append((now + random.normal(0, 0.04), now + length + random.uniform(0, 0.8)))
        pause = now + random.uniform(0.4, 0.6) * length
        speech += [(now, pause), (pause + 0.2, now + length)] if length > 2.5 else [(now, now + length)]
        now += length + random.choice([0.15, 0.6, 1.5, 4.0])
    kept = [span for span in speech if random.random() > 0.1]
    noise = [(at, at + 0.5) for at in random.uniform(0, minutes * 60, round(minutes * 3))]
    return cues, sorted([*kept, *noise])


def planted(cues: Spans, factor: float, offset: float) -> Spans:
    """The cues as a file has them that must be stretched by `factor` and then moved by `offset`."""
    moved = [((start - offset) / factor, (end - offset) / factor) for start, end in cues]
    return [span for span in moved if span[0] >= 0]


def furthest_off(found: Fit, cues: Spans, factor: float, offset: float) -> float:
    """Seconds by which the worst cue misses its place."""
    return max(abs(found.ratio * start + found.offset - (factor * start + offset)) for start, _ in cues)


@pytest.mark.parametrize("offset", [-60.0, -7.77, 0.0, 0.4, 60.0])
@pytest.mark.parametrize("source", FRAME_RATES[:4])
@pytest.mark.parametrize("target", [23.976, 25.0])
def test_offset_and_drift_are_recovered_within_50_ms(source: float, target: float, offset: float) -> None:
    cues, speech = dialogue(8, seed=round(source * target + offset))
    factor = min(usual_ratios(), key=lambda ratio: abs(ratio - source / target))
    found = fit(wrong := planted(cues, factor, offset), speech)
    assert furthest_off(found, wrong, factor, offset) <= 0.05
    assert found.confidence > 0.99


def test_another_subtitle_is_as_good_as_the_sound() -> None:
    cues, _ = dialogue(3, seed=1)
    translated = [(start + 0.06, end - 0.3) for start, end in cues if start % 3 > 0.5]
    found = fit(wrong := planted(cues, 1.0, -33.0), translated)
    assert furthest_off(found, wrong, 1.0, -33.0 + 0.06) <= 0.05


@pytest.mark.parametrize("seed", range(5))
def test_what_does_not_belong_together_is_not_believed(seed: int) -> None:
    assert fit(dialogue(5, seed)[0], dialogue(5, seed + 100)[1]).confidence < 0.5


def test_a_drift_that_no_frame_rates_explain_is_found() -> None:
    cues, speech = dialogue(20, seed=5)
    found = fit(wrong := planted(cues, 1.00025, 2.0), speech)
    assert furthest_off(found, wrong, 1.00025, 2.0) <= 0.05


def test_only_the_ratios_that_are_given_are_tried() -> None:
    cues, speech = dialogue(5, seed=2)
    assert fit(planted(cues, 1.25, 0.0), speech, ratios=(1.0,)).confidence < 0.5


def test_two_hours_take_seconds() -> None:
    cues, speech = dialogue(120, seed=3)
    assert furthest_off(fit(cues, speech), cues, 1.0, 0.0) <= 0.05


@pytest.mark.parametrize(("cues", "speech"), [([], [(0, 1)]), ([(0, 1), (2, 3)], [(0, 1)])])
def test_too_little_to_compare_is_refused(cues: Sequence[tuple[float, float]], speech: Spans) -> None:
    with pytest.raises(InputError, match="too little"):
        fit(cues, speech)


BREAKS = [(900.0, 30.0), (1800.0, 45.0)]
"""When something is put into the recording, and how long it lasts."""


def with_breaks(cues: Spans, speech: Spans, breaks: Sequence[tuple[float, float]]) -> tuple[Spans, Spans]:
    """Where the cues belong, and the speech, once breaks are put in: none falls into a sentence."""
    cuts = [(min((end for _, end in cues if end > at), default=at), length) for at, length in breaks]

    def later(span: tuple[float, float]) -> tuple[float, float]:
        lasts = sum(length for at, length in cuts if span[0] > at - 0.5)
        return span[0] + lasts, span[1] + lasts

    return [later(span) for span in cues], [later(span) for span in speech]


def errors(found: Fit, cues: Spans, right: Spans) -> list[float]:
    """Seconds by which each cue that is kept misses its place."""
    offsets = np.zeros(len(cues))
    for piece in found.pieces:
        offsets[piece.first :] = piece.offset
    return [
        abs(cue[0] * found.ratio + offset - place[0])
        for index, (cue, offset, place) in enumerate(zip(cues, offsets, right, strict=True))
        if index not in found.left_out
    ]


@pytest.mark.parametrize("source", [25.0, 24.0])
@pytest.mark.parametrize("seed", range(3))
def test_breaks_put_into_a_recording_are_found(seed: int, source: float) -> None:
    cues, speech = dialogue(45, seed)
    right, speech = with_breaks(cues, speech, BREAKS)
    factor = 25.0 / source
    found = fit([(start / factor, end / factor) for start, end in cues], speech, ratios=(1.0, factor), most_breaks=8)
    missed = errors(found, [(start / factor, end / factor) for start, end in cues], right)
    assert len(found.pieces) == 3
    assert sum(error > 0.05 for error in missed) <= 2  # a cue at a break may go with the wrong side
    assert np.median(missed) < 0.05
    assert found.confidence > 0.99


def test_a_scene_cut_out_of_a_recording_takes_its_cues_with_it() -> None:
    cues, speech = dialogue(30, seed=4)
    first, last = (next(index for index, cue in enumerate(cues) if cue[0] > at) for at in (800, 860))
    gone = cues[last][0] - cues[first][0]
    start, end = cues[first][0] - 0.1, cues[last][0] - 0.1
    heard = [(a - gone, b - gone) if a >= end else (a, b) for a, b in speech if not (start <= a < end)]
    found = fit(cues, heard, most_breaks=4)
    assert [piece.offset for piece in found.pieces] == pytest.approx([0, -gone], abs=0.05)
    assert len(found.left_out) == pytest.approx(last - first, abs=2)


@pytest.mark.parametrize("seed", range(3))
def test_one_line_is_kept_where_pieces_are_not_clearly_better(seed: int) -> None:
    cues, speech = dialogue(30, seed)
    assert len(fit(planted(cues, 25 / 24, 7.0), speech, most_breaks=8).pieces) == 1


@pytest.mark.parametrize("seed", range(3))
def test_breaks_do_not_make_strangers_fit(seed: int) -> None:
    assert fit(dialogue(20, seed)[0], dialogue(20, seed + 50)[1], most_breaks=8).confidence < 0.5
