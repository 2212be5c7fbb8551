"""Which model is used, and when the one in the package stands in."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from subwhisper.engine.options import TranscribeOptions
from subwhisper.errors import DownloadError, ModelError, OptionError
from subwhisper.model import store
from subwhisper.model.catalog import CatalogEntry, find, known
from subwhisper.pipeline import models, unheard
from subwhisper.pipeline.models import ModelChoice, locate

Fill = Callable[..., None]
PLAIN = TranscribeOptions()


class Store:
    """A shelf of models; the hub is out of reach unless `online`."""

    def __init__(self, *present: str, online: bool = False) -> None:
        self.present, self.online = present, online

    def installed(self) -> list[CatalogEntry]:
        return [entry for name in self.present if (entry := known(name))]

    is_repository = staticmethod(store.is_repository)

    def locate(self, name: str, *, offline: bool = False, on_progress: object = None) -> Path:
        if name in ("bundled", *self.present) or (self.online and not offline):
            return Path(name)
        raise DownloadError(f"{name} could not be fetched")


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Fill:
    def fill(*present: str, online: bool = False) -> None:
        monkeypatch.setattr(models, "store", Store(*present, online=online))

    return fill


def chosen(options: TranscribeOptions = PLAIN, *, several: bool = False, **choice: object) -> str:
    return str(locate(ModelChoice(**choice), options, several=several, on_progress=unheard))  # type: ignore[arg-type]


def test_a_named_model_is_used_or_an_error(shelf: Fill) -> None:
    shelf("small")
    assert chosen(name="small") == "small"
    with pytest.raises(DownloadError, match="tiny"):
        chosen(name="tiny")


@pytest.mark.parametrize("name", ["turbo", "openai/whisper-large-v3-turbo", "tiny.en", "distil-large-v3"])
@pytest.mark.parametrize("task", ["translate", "both"])
def test_what_cannot_translate_is_not_fetched_to_find_that_out(shelf: Fill, name: str, task: str) -> None:
    shelf(online=True)
    options = TranscribeOptions(task=task)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match=f"{name} cannot translate .*medium, large-v1, large-v2, large-v3"):
        chosen(options, name=name)
    with pytest.raises(ModelError, match="cannot translate"):  # nor is a batch planned with it
        models.to_fetch(ModelChoice(name=name), options)


def test_models_are_known_by_their_place_on_the_hub_too(shelf: Fill) -> None:
    def missing(name: str) -> CatalogEntry | None:
        return models.to_fetch(ModelChoice(name=name), PLAIN)

    shelf("small", "someone/whisper-small-xx")
    assert missing("openai/whisper-small") is None
    assert missing("openai/whisper-base") == find("base")
    assert missing("someone/whisper-small-xx") is None
    with pytest.raises(ModelError, match=r"someone/else is not on this machine.*models download someone/else"):
        missing("someone/else")


def test_what_knows_english_only_is_not_fetched_for_german(shelf: Fill, tmp_path: Path) -> None:
    shelf(online=True)
    for options in (TranscribeOptions(language="German"), TranscribeOptions(languages=("en", "de"))):
        with pytest.raises(OptionError, match=r"small\.en knows English only, not German"):
            chosen(options, name="small.en")
    assert chosen(TranscribeOptions(language="en"), name="small.en") == "small.en"
    own = tmp_path / "small.en.pt"  # of one's own, it may be anything
    own.touch()
    assert chosen(TranscribeOptions(language="de"), name="small.en", folder=tmp_path) == str(own)


def test_without_a_name_the_best_one_present_is_used(shelf: Fill) -> None:
    shelf("tiny", "small", "medium.en", online=True)
    assert chosen() == "small"  # the language is to be found out, which .en cannot
    assert chosen(TranscribeOptions(language="en")) == "medium.en"
    assert chosen(TranscribeOptions(language="de")) == "small"


def test_the_default_goes_before_a_larger_one(shelf: Fill) -> None:
    shelf("large-v3", "large-v3-turbo")
    assert chosen() == "large-v3-turbo"
    assert chosen(TranscribeOptions(task="translate")) == "large-v3"  # turbo cannot


def test_without_any_model_the_default_is_fetched(shelf: Fill) -> None:
    shelf(online=True)
    assert chosen() == "large-v3-turbo"
    assert chosen(TranscribeOptions(task="translate", language="de")) == "medium"


def test_out_of_reach_the_bundled_one_stands_in_and_says_so(shelf: Fill, caplog: pytest.LogCaptureFixture) -> None:
    shelf()
    with caplog.at_level(logging.WARNING):
        assert chosen() == "bundled"
    (record,) = caplog.records
    assert "subwhisper models download turbo" in record.getMessage()


@pytest.mark.parametrize(
    ("options", "several"),
    [(PLAIN, True), (TranscribeOptions(language="de"), False), (TranscribeOptions(task="translate"), False)],
    ids=["several recordings", "not English", "translation"],
)
def test_it_does_not_stand_in_for_what_it_cannot_or_must_not_do(
    shelf, options: TranscribeOptions, several: bool
) -> None:
    shelf()
    with pytest.raises(DownloadError, match="none could be fetched"):
        chosen(options, several=several)


def test_a_folder_of_openai_whisper_is_looked_in_first(shelf: Fill, tmp_path: Path) -> None:
    shelf(online=True)
    (tmp_path / "tiny.pt").touch()
    assert chosen(name="tiny", folder=tmp_path) == str(tmp_path / "tiny.pt")
    assert chosen(name="base", folder=tmp_path) == "base"


def test_a_slip_of_the_pen_is_not_fetched() -> None:
    with pytest.raises(ModelError, match="smal"):
        models.download("smal", on_progress=unheard)
