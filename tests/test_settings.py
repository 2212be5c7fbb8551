"""Configuration files and folders."""

from pathlib import Path

import pytest

from subwhisper.errors import ConfigError
from subwhisper.model.kept_weights import place_of
from subwhisper.remembered import recalled, remember
from subwhisper.settings import cache_folder, config_files, default_map

COMMANDS = {
    "transcribe": {"model": "model", "format": "formats", "beam-size": "beam_size"},
    "burn": {"quiet": "quiet", "model": "model"},
    "models list": {"json": "json"},
    "models convert": {"weights": "weights", "quiet": "quiet"},
}


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_tables_of_two_files_are_merged_key_by_key(tmp_path: Path) -> None:
    """A shallow merge lost the weaker file's other keys."""
    user = write(tmp_path / "user.toml", '[transcribe]\nmodel = "small"\nbeam_size = 2\n')
    project = write(tmp_path / "project.toml", '[transcribe]\nmodel = "tiny"\n')
    assert default_map([user, project], COMMANDS) == {"transcribe": {"model": "tiny", "beam_size": 2}}


def test_the_projects_file_wins_wherever_a_key_stands(tmp_path: Path) -> None:
    """A table of the user's used to win over a key at the top of the project's file."""
    user = write(tmp_path / "user.toml", '[transcribe]\nmodel = "small"\n')
    project = write(tmp_path / "project.toml", 'model = "tiny"\n')
    assert default_map([user, project], COMMANDS)["transcribe"] == {"model": "tiny"}


def test_a_key_at_the_top_reaches_every_command_that_has_it(tmp_path: Path) -> None:
    path = write(tmp_path / "c.toml", 'model = "tiny"\nformat = ["srt", "vtt"]\n[burn]\nmodel = "small"\n')
    assert default_map([path], COMMANDS) == {
        "transcribe": {"model": "tiny", "formats": ["srt", "vtt"]},
        "burn": {"model": "small"},
    }


def test_commands_below_others_have_tables_below_theirs(tmp_path: Path) -> None:
    text = "quiet = true\n[models]\njson = true\nweights = 'f32'\n[models.convert]\nweights = 'f16'\n"
    assert default_map([write(tmp_path / "c.toml", text)], COMMANDS) == {
        "burn": {"quiet": True},
        "models": {"list": {"json": True}, "convert": {"weights": "f16", "quiet": True}},
    }


@pytest.mark.parametrize(
    ("text", "culprit", "hint"),
    [
        ("modle = 1", "modle", "did you mean model?"),
        ("[transcribe]\nbeam_sise = 1", "beam-sise", "did you mean beam-size?"),
        ("[trancsribe]\nmodel = 1", "trancsribe", "did you mean transcribe?"),
        ("transcribe = 3", "transcribe", "write [transcribe]"),
        ("[models]\nconvert = 3", "models.convert", "write [models.convert]"),
        ("[models.convert]\nwights = 3", "[models.convert] has no option named wights", "did you mean weights?"),
        (
            "[models.list]\nquiet = true",
            "[models.list] has no option named quiet",
            "subwhisper COMMAND --help lists the options",
        ),
        ("model = ", "not valid TOML", None),
    ],
)
def test_a_wrong_file_is_named_with_its_key(tmp_path: Path, text: str, culprit: str, hint: str | None) -> None:
    path = write(tmp_path / "c.toml", text)
    with pytest.raises(ConfigError) as caught:
        default_map([path], COMMANDS)
    assert str(path) in caught.value.message
    assert culprit in caught.value.message
    assert caught.value.hint == hint


def test_the_projects_file_is_found_from_a_folder_below_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user = write(tmp_path / "user.toml", "")
    monkeypatch.setenv("SUBWHISPER_CONFIG", str(user))
    project = write(tmp_path / "subwhisper.toml", "")
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert config_files(deep) == (user, project)


def test_a_stated_configuration_file_must_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBWHISPER_CONFIG", str(tmp_path / "none.toml"))
    with pytest.raises(ConfigError, match=r"none\.toml"):
        config_files(tmp_path)


def test_the_cache_follows_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBWHISPER_CACHE", str(tmp_path / "c"))
    assert cache_folder() == tmp_path / "c"


def test_without_a_home_folder_the_hint_says_what_to_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def unknown(*_: object, **__: object) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("SUBWHISPER_CACHE", raising=False)
    monkeypatch.delenv("SUBWHISPER_CONFIG", raising=False)
    for name in ("user_cache_path", "user_config_path"):
        monkeypatch.setattr(f"platformdirs.{name}", unknown)
    with pytest.raises(ConfigError, match="home folder") as caught:
        cache_folder()
    assert caught.value.hint == "set HOME, or SUBWHISPER_CACHE"
    assert config_files(tmp_path) == ()
    assert recalled("anything") == {}
    assert not remember("anything", "key", 1)
    assert place_of("1" * 64) is None
