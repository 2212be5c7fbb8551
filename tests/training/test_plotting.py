from pathlib import Path

import numpy as np
import pytest

from subwhisper.errors import OutputError
from subwhisper.training.evaluate import ClipScore, Score
from subwhisper.training.metrics import WordErrors
from subwhisper.training.plotting import check_picture, plot

pytest.importorskip("matplotlib")


def clip(errors: WordErrors, starts: tuple[float, ...] = ()) -> ClipScore:
    return ClipScore("clip", 10.0, 1.0, errors, errors, starts, errors.n_words > 0, "heard")


def drawn(score: Score, folder: Path) -> str:
    """The texts of the picture, which SVG keeps."""
    import matplotlib as mpl

    with mpl.rc_context({"svg.fonttype": "none"}):
        plot(score, folder / "errors.svg")
    return (folder / "errors.svg").read_text(encoding="utf-8")


def test_no_words_are_no_rate_of_zero(tmp_path: Path) -> None:
    text = drawn(Score((clip(WordErrors(insertions=2)),)), tmp_path)
    assert "no words to recognise" in text
    assert "0.0%" not in text


def test_starts_have_a_panel_only_where_they_are_known(tmp_path: Path) -> None:
    errors = WordErrors(substitutions=1, n_words=4)
    assert "word start" not in drawn(Score((clip(errors),)), tmp_path)
    starts = tuple(np.linspace(-0.8, 0.8, 9))
    text = drawn(Score((clip(errors, starts),)), tmp_path)
    assert "9 words with known times" in text
    assert "≥ 500" in text
    assert "25.0% over all 4 words" in text
    assert ">0.5<" not in text  # ticks of counts are whole


@pytest.mark.parametrize("name", ["errors.doc", "errors", "nowhere/errors.png"])
def test_a_picture_that_cannot_be_drawn_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        check_picture(tmp_path / name)
    check_picture(tmp_path / "errors.PNG")
