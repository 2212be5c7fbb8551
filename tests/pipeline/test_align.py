"""The example film's own text, found again in its sound by the bundled model."""

import json
from pathlib import Path

import numpy as np
import pytest

from subwhisper.errors import InputError, ModelError
from subwhisper.model.store import locate
from subwhisper.pipeline.align import AlignJob, align_file
from subwhisper.pipeline.edit import Destination
from subwhisper.pipeline.inputs import Source
from subwhisper.pipeline.models import ModelChoice
from subwhisper.pipeline.picture import picture_of
from subwhisper.subtitles.formats import read_track, write_track
from subwhisper.subtitles.layout.frames import Clock
from subwhisper.subtitles.track import Cue, Track

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FILM, TEXT, TRUTH = (EXAMPLES / f"welcome.{suffix}" for suffix in ("mp4", "txt", "words.json"))
JOB = AlignJob(model=ModelChoice(name="bundled", offline=True))


@pytest.fixture(autouse=True)
def _needs_the_model() -> None:
    try:
        locate("bundled", offline=True)
    except ModelError as error:
        pytest.skip(error.message)


def test_words_of_a_script_are_timed_and_what_nobody_says_is_told(tmp_path: Path) -> None:
    title = "A Long Title That Nobody In This Film Has Ever Read Out"
    script = tmp_path / "script.txt"
    script.write_text(f"{title}\n{TEXT.read_text(encoding='utf-8')}", encoding="utf-8")
    aligned = align_file(Source(FILM), script, Destination(tmp_path / "out.json"), JOB)
    (told,) = aligned.unspoken
    beyond = told.removeprefix(title).split()
    assert told.startswith(title)
    assert len(beyond) <= 1  # the bundled model hears the word at the border as two
    truth = json.loads(TRUTH.read_text(encoding="utf-8"))[len(beyond) :]
    cues = json.loads(aligned.output.read_text(encoding="utf-8"))["segments"]
    found = [word for cue in cues for word in cue["words"]]
    assert [word["word"].strip() for word in found] == [word["word"] for word in truth]
    errors = [abs(word["start"] - true["start"]) for word, true in zip(found, truth, strict=True)]
    assert np.median(errors) < 0.04
    assert np.quantile(errors, 0.9) < 0.2
    clock = Clock(picture_of(FILM).frame_rate)
    times = [round(cue[edge] * 1000) for cue in cues for edge in ("start", "end")]
    assert times == [clock.ms(clock.at_or_after(time)) for time in times]  # those of the film's frames


def test_old_subtitles_get_new_times_and_keep_the_rest(tmp_path: Path) -> None:
    lines = [line for line in TEXT.read_text(encoding="utf-8").replace(". ", ".\n").splitlines() if line]
    cues = tuple(Cue(60_000 + 4000 * n, 63_000 + 4000 * n, (line,)) for n, line in enumerate(lines))
    write_track(Track(cues), tmp_path / "old.vtt")
    aligned = align_file(Source(FILM), tmp_path / "old.vtt", Destination(), JOB)
    assert aligned.output == tmp_path / "old.aligned.vtt"
    assert aligned.n_timed == aligned.n_words
    new = read_track(aligned.output)
    assert [cue.lines for cue in new.cues] == [cue.lines for cue in cues]
    truth = [word["start"] * 1000 for word in json.loads(TRUTH.read_text(encoding="utf-8"))]
    firsts = np.cumsum([0, *(len(line.split()) for line in lines[:-1])])
    assert max(abs(cue.start_ms - truth[first]) for cue, first in zip(new.cues, firsts, strict=True)) < 300


def test_another_text_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("Call me Ishmael. Some years ago, never mind how long precisely, " * 20, encoding="utf-8")
    with pytest.raises(InputError, match="does not seem to be what is said"):
        align_file(Source(FILM), other, Destination(), JOB)
    assert [path.name for path in tmp_path.iterdir()] == ["other.txt"]
