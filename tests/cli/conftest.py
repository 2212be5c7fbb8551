"""A command line run in this process, with a model of almost no size and a machine with nothing on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from command_line import Ran, Run, write_tone

from subwhisper.cli import main
from subwhisper.errors import MissingExtra, ToolError
from subwhisper.media.ffmpeg import find_ffmpeg, run
from subwhisper.model.checkpoints.writer import save_directory
from subwhisper.model.dims import ModelDims
from subwhisper.model.vocabulary import byte_pair_vocabulary
from subwhisper.model.whisper import Whisper


@pytest.fixture(autouse=True)
def bare_machine(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No settings, no models and no network, whatever the developer's machine has."""
    home = tmp_path_factory.mktemp("home")
    for name in ("HOME", "XDG_CONFIG_HOME", "HF_HOME", "SUBWHISPER_CACHE", "SUBWHISPER_STATE"):
        monkeypatch.setenv(name, str(home / name.lower()))
    for name in ("SUBWHISPER_CONFIG", "SUBWHISPER_MODEL", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(home)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def run_cli(capfd: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: object) -> Ran:
        with pytest.raises(SystemExit) as leaving:
            main([str(argument) for argument in arguments])
        code = leaving.value.code
        assert isinstance(code, int)
        said = capfd.readouterr()
        return Ran(code, said.out, said.err)

    return call


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Whisper that says nonsense, at once: 16 wide, 16 tokens a window, a vocabulary of letters."""
    pieces = [bytes([byte]) for byte in range(256)] + [b" t", b" th"]
    vocabulary = byte_pair_vocabulary(pieces, ["en", "de"])
    dims = ModelDims(
        n_mels=80, n_audio_ctx=1500, n_audio_state=16, n_audio_head=2, n_audio_layer=1,
        n_vocab=vocabulary.size, n_text_ctx=32, n_text_state=16, n_text_head=2, n_text_layer=1,
    )  # fmt: skip
    random = torch.Generator().manual_seed(3)
    tensors = {name: torch.randn(t.shape, generator=random) * 0.3 for name, t in Whisper(dims).state_dict().items()}
    tensors["decoder.token_embedding.weight"][128:256] = 0  # whole characters only
    folder = tmp_path_factory.mktemp("model") / "nonsense"
    save_directory(
        folder,
        dims=dims,
        tensors=tensors,
        vocabulary=vocabulary,
        alignment_heads=[(0, 0), (0, 1)],
        is_multilingual=True,
    )
    return folder


@pytest.fixture(scope="session")
def polyglot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that knows twenty-one sentences in three languages, and what they mean in English."""
    from polyglot import train_polyglot

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return train_polyglot(tmp_path_factory.mktemp("model") / "polyglot")
    except (ToolError, MissingExtra) as error:
        pytest.skip(str(error))
    finally:
        torch.set_num_threads(threads)


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    """Two seconds of sound."""
    return write_tone(tmp_path / "tone.wav")


@pytest.fixture(scope="session")
def video_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of picture and sound."""
    path = tmp_path_factory.mktemp("video") / "clip.mp4"
    inputs = ["-f", "lavfi", "-i", "testsrc=s=160x120:r=10:d=2", "-f", "lavfi", "-i", "sine=d=2"]
    coded = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-y", str(path)]
    run([*inputs, *coded], ffmpeg=find_ffmpeg(frozenset({"encoder:libx264"})), source=path)
    return path
