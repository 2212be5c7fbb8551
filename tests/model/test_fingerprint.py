"""The hash of a model's weights: read once, and never taken for that of other weights."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from subwhisper.model import fingerprint as module
from subwhisper.model.fingerprint import fingerprint_of


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SUBWHISPER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "_WORTH_REMEMBERING", 10)
    return write(tmp_path / "weights.pt", b"the weights of a model")


def write(path: Path, content: bytes) -> Path:
    """As if it had been there for a minute."""
    path.write_bytes(content)
    before = time.time() - 60
    os.utime(path, (before, before))
    return path


def hash_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def refuse(*_: object) -> None:
    raise AssertionError("the file was read again")


def test_a_file_is_read_once(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fingerprint_of([weights]) == hash_of(b"the weights of a model")
    monkeypatch.setattr(hashlib, "file_digest", refuse)
    assert fingerprint_of([weights]) == hash_of(b"the weights of a model")


def test_other_weights_under_the_same_name_size_and_time_are_noticed(weights: Path) -> None:
    fingerprint_of([weights])
    assert fingerprint_of([write(weights, b"THE WEIGHTS OF A MODEL")]) == hash_of(b"THE WEIGHTS OF A MODEL")


def test_a_file_that_was_just_written_is_not_yet_believed(weights: Path) -> None:
    weights.write_bytes(b"the weights, half written")
    fingerprint_of([weights])
    weights.write_bytes(b"the weights, all of them!")
    assert fingerprint_of([weights]) == hash_of(b"the weights, all of them!")
    assert not (module.recalled("weights"))


def test_a_damaged_note_is_not_believed(weights: Path) -> None:
    for note in ("x", {"version": module._version(weights), "sha256": "short"}, {"version": [1], "sha256": "0" * 64}):
        module.remember("weights", str(weights.resolve()), note)
        assert fingerprint_of([weights]) == hash_of(b"the weights of a model")
