"""Facts kept between processes, in a cache that may be missing, full or damaged."""

from pathlib import Path

import pytest

from subwhisper import remembered
from subwhisper.remembered import recalled, remember


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SUBWHISPER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_what_is_remembered_is_recalled() -> None:
    assert recalled("places") == {}
    assert remember("places", "one", {"x": [1, 2.5]})
    assert remember("places", "two", "there")
    assert recalled("places") == {"one": {"x": [1, 2.5]}, "two": "there"}
    assert recalled("others") == {}


def test_the_oldest_facts_make_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "_MOST", 3)
    for key in ("a", "b", "c", "a", "d"):
        remember("places", key, 1)
    assert list(recalled("places")) == ["c", "a", "d"]


def test_nothing_half_written_is_left_behind(cache: Path) -> None:
    remember("places", "one", 1)
    assert [path.name for path in cache.iterdir()] == ["places.json"]


def test_a_cache_that_cannot_be_written_is_told_by_the_answer(cache: Path) -> None:
    cache.write_text("a file where a folder should be")
    assert not remember("places", "one", 1)
    assert recalled("places") == {}
