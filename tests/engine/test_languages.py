import pytest

from subwhisper.errors import OptionError
from subwhisper.languages import ALIASES, LANGUAGES, SPACELESS, language_code


@pytest.mark.parametrize(
    ("given", "code"),
    [("en", "en"), ("German", "de"), ("HAITIAN creole", "ht"), (" Mandarin ", "zh"), ("Valencian", "ca")],
)
def test_codes_names_and_aliases_are_understood(given: str, code: str) -> None:
    assert language_code(given) == code


def test_an_unknown_language_gets_the_nearest_ones() -> None:
    with pytest.raises(OptionError, match=r"'Germn'.*german"):
        language_code("Germn")


def test_the_table_is_whole() -> None:
    assert len(LANGUAGES) == 100
    assert list(LANGUAGES)[:3] == ["en", "zh", "de"]
    assert list(LANGUAGES)[-1] == "yue"
    assert set(ALIASES.values()) | SPACELESS <= LANGUAGES.keys()
