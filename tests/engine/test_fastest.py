"""Which precision a processor gets: by its instructions, by a try that is made once, or the safe one."""

from pathlib import Path

import pytest

from subwhisper.engine import fastest as module
from subwhisper.engine.fastest import fastest, processor


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SUBWHISPER_CACHE", str(tmp_path))
    monkeypatch.setattr(module, "multiplies_fast", lambda: False)
    module._tried.cache_clear()
    return tmp_path


def never() -> str:
    raise AssertionError("nothing was to be tried")


def test_instructions_settle_it_without_a_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "multiplies_fast", lambda: True)
    monkeypatch.setattr(module, "_tried", never)
    assert fastest() == "int8"


@pytest.mark.parametrize("found", ["int8", "float32"])
def test_what_was_found_once_is_the_answer_ever_after(monkeypatch: pytest.MonkeyPatch, found: str) -> None:
    monkeypatch.setattr(module, "_tried", lambda: found)
    assert fastest() == found
    monkeypatch.setattr(module, "_tried", never)
    assert fastest() == found


def test_another_processor_is_tried_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_tried", lambda: "int8")
    fastest()
    monkeypatch.setattr(module, "processor", lambda: "another")
    monkeypatch.setattr(module, "_tried", lambda: "float32")
    assert fastest() == "float32"


def test_where_nothing_can_be_kept_the_choice_is_the_safe_one(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    """Tried in every run, it might come out differently from run to run."""
    (cache / "file").write_text("")
    monkeypatch.setenv("SUBWHISPER_CACHE", str(cache / "file" / "below"))
    monkeypatch.setattr(module, "_tried", lambda: "int8")
    assert fastest() == "float32"


@pytest.mark.parametrize("damage", ["", "[]", "{", '{"x": 1}', "\0" * 40])
def test_a_damaged_cache_is_an_empty_one(monkeypatch: pytest.MonkeyPatch, cache: Path, damage: str) -> None:
    (cache / "precision.json").write_text(damage)
    monkeypatch.setattr(module, "_tried", lambda: "int8")
    assert fastest() == "int8"
    monkeypatch.setattr(module, "_tried", never)
    assert fastest() == "int8"


def test_an_answer_that_is_none_is_not_believed(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    module.remember("precision", processor(), "float7")
    monkeypatch.setattr(module, "_tried", lambda: "int8")
    assert fastest() == "int8"


class Pretended:
    """A trial with the seconds and the error that a test gives it."""

    table: dict[str, tuple[float, float]]

    def __init__(self, compute: str, exact: object = None) -> None:
        self.compute = compute
        self.seconds, self.error = self.table[compute]


@pytest.mark.parametrize(
    ("seconds", "error", "chosen"),
    [
        (0.5, 0.01, "int8"),
        (0.9, 0.01, "float32"),  # a tie goes to the exact one
        (0.5, 0.13, "float32"),  # fast and wrong, as 8-bit sums that overflow
        (float("inf"), float("inf"), "float32"),
    ],
)
def test_another_precision_must_be_clearly_faster_and_right(
    monkeypatch: pytest.MonkeyPatch, seconds: float, error: float, chosen: str
) -> None:
    Pretended.table = {"float32": (1.0, 0.0), "int8": (seconds, error)}
    monkeypatch.setattr(module, "_Trial", Pretended)
    monkeypatch.setattr(module, "_candidates", lambda: ("int8",))
    assert fastest() == chosen
    module._tried.cache_clear()


def test_the_try_itself_comes_to_an_answer() -> None:
    assert fastest() in ("float32", "bfloat16", "int8")
