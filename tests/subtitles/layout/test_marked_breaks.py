"""Where lines break, against breaks marked by hand in a hundred sentences."""

from pathlib import Path

from subwhisper.subtitles.layout.joints import joints_of
from subwhisper.subtitles.layout.lines import LineBreaker
from subwhisper.subtitles.layout.pieces import cut_into_pieces, set_line
from subwhisper.subtitles.layout.profile import Profile
from subwhisper.transcript import Segment, Transcript

MARKED = Path(__file__).parents[2] / "data" / "marked_breaks.txt"
GOOD = 0.88
"""Share of our breaks that must stand at a marked place."""
BEST = 0.80
"""Share of the best places that must be found."""


def marked_sentences() -> list[tuple[str, str]]:
    language, sentences = "", []
    for line in MARKED.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            language = line.strip("[]")
        elif line and not line.startswith("#"):
            sentences.append((language, line))
    return sentences


def broken(text: str, language: str) -> tuple[str, ...]:
    pieces = cut_into_pieces(Transcript((Segment(0.0, 6.0, text),), language), Profile().max_line_width)
    breaker = LineBreaker(pieces, joints_of(pieces, language), Profile())
    return tuple(set_line(pieces[begin:end]) for begin, end in breaker.lines(0, len(pieces) - 1))


def places(sentence: str, marks: str) -> set[int]:
    """The number of words before each mark."""
    found, words = set(), 0
    for word in sentence.split():
        if word in "|/":
            found |= {words} if word in marks else set()
        else:
            words += 1
    return found


def test_lines_break_where_a_person_would_break_them() -> None:
    good, best, bad = 0, 0, []
    sentences = marked_sentences()
    assert len(sentences) == 100
    for language, sentence in sentences:
        text = " ".join(word for word in sentence.split() if word not in "|/")
        lines = broken(text, language)
        assert len(lines) == 2, text
        place = len(lines[0].split())
        good += place in places(sentence, "|/")
        best += place in places(sentence, "|")
        if place not in places(sentence, "|/"):
            bad.append(" | ".join(lines))
    print(f"precision {good / 100:.2f}, recall of the best {best / 100:.2f}", *bad, sep="\n")
    assert good / len(sentences) >= GOOD
    assert best / len(sentences) >= BEST
