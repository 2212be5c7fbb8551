"""The names that the library promises."""

import ast
import tomllib
from pathlib import Path

import pytest

import subwhisper

PROMISED = [
    "Audio",
    "Cue",
    "DecodeOptions",
    "FallbackOptions",
    "Profile",
    "Segment",
    "Span",
    "SubwhisperError",
    "Track",
    "TranscribeOptions",
    "Transcriber",
    "Transcript",
    "Word",
    "lay_out",
    "load_model",
    "open_audio",
    "read_track",
    "transcribe",
    "write_track",
]


def test_the_promise_is_kept_word_for_word() -> None:
    assert subwhisper.__all__ == PROMISED


@pytest.mark.parametrize("name", PROMISED)
def test_a_promised_name_is_there_and_explained(name: str) -> None:
    assert getattr(subwhisper, name).__doc__


def test_editors_see_the_same_names_from_the_same_places() -> None:
    """They read the imports under TYPE_CHECKING, which nothing else runs."""
    tree = ast.parse(Path(subwhisper.__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.name: node.module.removeprefix("subwhisper.")
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    assert seen == subwhisper._HOME


def test_the_version_is_the_projects() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    assert subwhisper.__version__ == project["project"]["version"]


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        _ = subwhisper.nonsense  # type: ignore[attr-defined]


@pytest.mark.parametrize("written", [str, Path])
def test_a_path_may_be_text(written: type[str] | type[Path], tmp_path: Path) -> None:
    root = Path(__file__).parents[1]
    assert subwhisper.open_audio(written(root / "examples" / "welcome.mp4")).duration
    assert subwhisper.load_model(written(root / "subwhisper" / "model" / "bundled"), compute="float32")
    subwhisper.write_track(subwhisper.Track(()), written(tmp_path / "nothing.srt"))
    assert not subwhisper.read_track(written(tmp_path / "nothing.srt")).cues
