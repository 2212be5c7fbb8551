"""Where lines and cues break, against breaks marked by hand in two hundred sentences."""

import pytest
from marked import agreement, marked_sentences

from subwhisper.subtitles.layout import lay_out


@pytest.mark.parametrize(
    ("name", "precision", "recall"),
    [  # a little below what is reached, so that nothing gets worse unseen
        ("marked_breaks", 0.91, 0.83),
        ("marked_speech", 0.82, 0.68),
    ],
)
def test_captions_break_where_a_person_would_break_them(name: str, precision: float, recall: float) -> None:
    assert len(marked_sentences(name)) == 100
    reached = agreement(name, lay_out)
    print(f"precision {reached.precision:.2f}, recall {reached.recall:.2f}", *reached.bad, sep="\n")
    assert reached.precision >= precision
    assert reached.recall >= recall
