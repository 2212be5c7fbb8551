import pytest

from subwhisper.subtitles.layout.cohesion import BAD, NEVER, POOR, Boundary, bond, boundary


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("done.", "Then", Boundary.SENTENCE),
        ("“Really?”", "she", Boundary.SENTENCE),
        ("好。", "他", Boundary.SENTENCE),
        ("Dr.", "Smith", Boundary.NOTHING),
        ("J.", "Smith", Boundary.NOTHING),
        ("approx.", "ten", Boundary.NOTHING),  # a full stop before a small letter ends nothing
        ("well...", "maybe", Boundary.CLAUSE),
        ("well,", "maybe", Boundary.CLAUSE),
        ("so", "—", Boundary.CLAUSE),
        ("3.5", "million", Boundary.NOTHING),
        ("the", "cat", Boundary.NOTHING),
    ],
)
def test_punctuation_tells_what_ends(before: str, after: str, expected: Boundary) -> None:
    assert boundary(before, after) is expected


@pytest.mark.parametrize(
    ("before", "after", "language", "cost"),
    [
        ("the", "cat", "en", NEVER),
        ("“The", "cat", "en", NEVER),
        ("der", "Hund", "de", NEVER),
        ("Mrs.", "Dalloway", "en", NEVER),
        ("of", "course", "en", BAD),
        ("don’t", "know", "en", BAD),
        ("they'd", "know", "en", BAD),
        ("25", "kilometres", "en", BAD),
        ("25", "and", "en", 0.0),
        ("James", "Webb", "en", POOR),
        ("Großen", "Sturm", "de", 0.0),  # German nouns are capitals anyway
        ("beauty's", "rose", "en", POOR),
        ("cat", "sat", "en", 0.0),
        ("the", "cat", "xx", 0.0),  # nothing is known of this language
    ],
)
def test_closed_classes_stay_with_what_follows(before: str, after: str, language: str, cost: float) -> None:
    assert bond(before, after, language) == cost
