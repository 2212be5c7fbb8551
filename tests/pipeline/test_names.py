from pathlib import Path

import pytest

from subwhisper.errors import OptionError, OutputError
from subwhisper.pipeline.inputs import Source
from subwhisper.pipeline.names import LangStyle, Variant, parse_lang_style, parse_variant
from subwhisper.pipeline.outputs import OutputPlan

FILM = Source(Path("films/film.2024.mkv"))


@pytest.mark.parametrize(
    ("style", "variant", "name"),
    [
        ("iso1", None, "film.2024.de.srt"),
        ("iso2t", None, "film.2024.deu.srt"),
        ("iso2b", "sdh", "film.2024.ger.sdh.srt"),
        ("name", "forced", "film.2024.German.forced.srt"),
        ("none", None, "film.2024.srt"),
        ("none", "cc", "film.2024.cc.srt"),
        ("iso1", "default", "film.2024.de.default.srt"),
    ],
)
def test_names_are_what_media_servers_read(style: LangStyle, variant: Variant | None, name: str) -> None:
    plan = OutputPlan(lang_style=style, variant=variant)
    assert plan.path(FILM, "de", "srt") == Path("films") / name


def test_whispers_own_codes_have_three_letters_too() -> None:
    plan = OutputPlan(lang_style="iso2t")
    assert [plan.path(FILM, code, "srt").suffixes[-2] for code in ("jw", "haw", "yue", "tl")] == [
        ".jav", ".haw", ".yue", ".fil",
    ]  # fmt: skip


@pytest.mark.parametrize("style", ["iso1", "iso2b", "name", "none"])
def test_what_is_there_is_found_by_its_name_in_any_spelling(tmp_path: Path, style: LangStyle) -> None:
    source = Source(tmp_path / "talk.mp3")
    plan = OutputPlan(lang_style=style, variant="sdh", overwrite=False)
    plan.refuse_existing(source, None)
    plan.path(source, "fr", "srt").touch()
    with pytest.raises(OutputError, match="exists"):
        plan.refuse_existing(source, None)


def test_unknown_spellings_and_variants_are_refused() -> None:
    with pytest.raises(OptionError, match="iso2b"):
        parse_lang_style("iso3")
    with pytest.raises(OptionError, match="forced, sdh, cc, default"):
        parse_variant("hi")
