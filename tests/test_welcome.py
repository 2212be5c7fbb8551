"""What anyone tries first: the example film with the bundled model. The promises of README's first command."""

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from subwhisper.model.store import locate
from subwhisper.subtitles.formats import read_track
from subwhisper.transcript import Transcript, Word

pytest.importorskip("jiwer")
pytest.importorskip("whisper_normalizer")

from subwhisper.training.metrics import start_errors, word_errors

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


@pytest.fixture(scope="module")
def captioned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with welcome.en.srt and welcome.en.json, written by the command of README."""
    folder = tmp_path_factory.mktemp("welcome")
    command = [sys.executable, "-m", "subwhisper", "transcribe", str(EXAMPLES / "welcome.mp4"), "--model", "bundled"]
    subprocess.run([*command, "-o", str(folder), "-f", "srt,json"], check=True, timeout=300)
    return folder


def test_the_words_are_recognised(captioned: Path) -> None:
    heard = " ".join(" ".join(cue.lines) for cue in read_track(captioned / "welcome.en.srt").cues)
    rate = word_errors((EXAMPLES / "welcome.txt").read_text(encoding="utf-8"), heard).rate
    assert rate is not None
    assert rate <= 0.10, heard


def test_captions_are_well_formed(captioned: Path) -> None:
    cues = read_track(captioned / "welcome.en.srt").cues
    assert all(len(cue.lines) <= 2 and all(len(line) <= 42 for line in cue.lines) for cue in cues)
    assert all(cue.start_ms < cue.end_ms for cue in cues)
    assert all(cue.end_ms <= following.start_ms for cue, following in pairwise(cues))


def test_words_begin_when_they_are_said(captioned: Path) -> None:
    """The truth is the synthesiser's own; nine of ten words that are said are within 150 ms of it."""
    rows = json.loads((EXAMPLES / "welcome.words.json").read_text(encoding="utf-8"))
    truth = [Word(f" {row['word']}", row["start"], row["end"]) for row in rows]
    found = Transcript.from_json((captioned / "welcome.en.json").read_text(encoding="utf-8"))
    in_time = [error for error in start_errors(truth, found.words()) if abs(error) <= 0.15]
    assert len(in_time) >= 0.9 * len(truth)  # a word that was not recognised is not in time


def test_the_result_says_how_it_was_made(captioned: Path) -> None:
    provenance = json.loads((captioned / "welcome.en.json").read_text(encoding="utf-8"))["provenance"]
    assert {"model", "model_sha256", "device", "compute", "threads", "torch", "options"} <= provenance.keys()


def test_the_bundled_model_fits_in_the_wheel() -> None:
    assert sum(path.stat().st_size for path in locate("bundled").iterdir()) <= 16_000_000
