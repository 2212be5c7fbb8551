"""openai-whisper beside ours, on the same random weights and the same recordings.

The weights are drawn from a seed and scaled so that the network behaves like a trained one where it
matters: attention looks at some places more than others, the next token depends on the sound and on
the text before, timestamps and the end token occur. Nothing is downloaded.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.model.dims import ModelDims
from subwhisper.model.vocabulary import public_vocabulary
from subwhisper.model.whisper import Whisper

# openai-whisper's DTW is compiled by numba, whose thread pool would also change torch's number of threads
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

TINY = {"n_audio_state": 384, "n_audio_head": 6, "n_audio_layer": 4}
BASE = {"n_audio_state": 512, "n_audio_head": 8, "n_audio_layer": 6}
SIZES = {"tiny": (TINY, 51865), "tiny.en": (TINY, 51864), "base": (BASE, 51865), "base.en": (BASE, 51864)}


@dataclass(frozen=True)
class Pair:
    """The same checkpoint in both programs."""

    name: str
    theirs: Any
    ours: Whisper
    tensors: dict[str, torch.Tensor]
    tokenizer: Tokenizer

    @property
    def is_multilingual(self) -> bool:
        return self.tokenizer.is_multilingual


@pytest.fixture(scope="session")
def whisper() -> ModuleType:
    return pytest.importorskip("whisper", reason="openai-whisper is not installed, so there is nothing to compare with")


def random_weights(dims: ModelDims, tokenizer: Tokenizer, seed: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, shaped in Whisper(dims).state_dict().items():
        noise = torch.empty(shaped.shape).normal_(generator=generator)
        fan_in = shaped[0].numel() if shaped.ndim > 1 else 1
        if name == "encoder.positional_embedding":
            tensors[name] = shaped.clone()
        elif name.endswith(("embedding.weight", "positional_embedding")):
            tensors[name] = 0.2 * noise
        elif name == "decoder.ln.weight":
            tensors[name] = noise  # signs mixed, or the tied embedding would repeat the last token for ever
        elif name.endswith(("ln.weight", "ln_post.weight")):
            tensors[name] = 1 + 0.1 * noise
        elif name.endswith(("query.weight", "key.weight")):
            tensors[name] = noise * 1.6 * fan_in**-0.5
        elif name.endswith("bias"):
            tensors[name] = 0.05 * noise
        else:
            tensors[name] = noise * fan_in**-0.5
    embedding = tensors["decoder.token_embedding.weight"]
    embedding[tokenizer.timestamp_begin :] *= 1.15  # timestamps now and then
    embedding[tokenizer.eot] *= 2.0  # and an end
    return tensors


@pytest.fixture(scope="session")
def pair(whisper: ModuleType) -> Callable[[str], Pair]:
    made: dict[str, Pair] = {}

    def build(name: str) -> Pair:
        if name not in made:
            made.clear()  # one pair in memory at a time
            side, n_vocab = SIZES[name]
            text = {key.replace("audio", "text"): value for key, value in side.items()}
            dims = ModelDims(n_mels=80, n_audio_ctx=1500, n_vocab=n_vocab, n_text_ctx=448, **side, **text)
            tokenizer = Tokenizer(public_vocabulary(n_vocab), is_multilingual=n_vocab > 51864)
            tensors = random_weights(dims, tokenizer, seed=20)
            theirs = whisper.model.Whisper(whisper.model.ModelDimensions(**asdict(dims)))
            ours = Whisper(dims)
            for model in (theirs, ours):
                model.load_state_dict(tensors)
                model.eval()
            made[name] = Pair(name, theirs, ours, tensors, tokenizer)
        return made[name]

    return build


@pytest.fixture(scope="session")
def clip(samples: Path) -> Callable[[str], "np.ndarray"]:
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        import imageio_ffmpeg

        ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()

    def read(name: str) -> "np.ndarray":
        command = [ffmpeg, "-nostdin", "-i", samples / name, "-f", "s16le", "-ac", "1", "-ar", "16000", "-"]
        pcm = subprocess.run(command, capture_output=True, check=True).stdout
        return np.frombuffer(pcm, np.int16).astype(np.float32) / 32768

    return read
