"""Silero's network for speech detection, many frames in one pass.

The weights are those of the `silero-vad` package (MIT). Only its file is read: importing the package would
set torch to one thread for the whole process, and its own model takes one frame at a time.
The convolutions need no more than a frame and can take any number of them at once; only the LSTM goes
frame by frame, inside torch. Probabilities are those of the package's model (a test compares them).

Shapes: N frames.
"""

import warnings
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from subwhisper.engine.vad.detector import FRAME_SAMPLES, Frames, Probabilities
from subwhisper.errors import ModelError

CONTEXT_SAMPLES = 64
"""Of the frame before, which the network hears with each frame."""
_N_FFT, _HOP, _N_BINS = 256, 128, 129
_WIDTH = 128
_AT_ONCE = 1024  # frames per pass: half a minute


class _Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stft = nn.Conv1d(1, 2 * _N_BINS, _N_FFT, _HOP, bias=False)
        self.encoder = nn.Sequential(
            *(nn.Conv1d(_N_BINS, 128, 3, padding=1), nn.ReLU()),
            *(nn.Conv1d(128, 64, 3, stride=2, padding=1), nn.ReLU()),
            *(nn.Conv1d(64, 64, 3, stride=2, padding=1), nn.ReLU()),
            *(nn.Conv1d(64, _WIDTH, 3, padding=1), nn.ReLU()),
        )
        self.lstm = nn.LSTM(_WIDTH, _WIDTH)
        self.last = nn.Linear(_WIDTH, 1)

    def forward(self, heard: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """(N, 576) frames behind their context -> (N,) probabilities, and the state for the next frames."""
        x = functional.pad(heard[:, None], (0, CONTEXT_SAMPLES), mode="reflect")
        real, imaginary = self.stft(x).split(_N_BINS, dim=1)
        x = self.encoder((real**2 + imaginary**2).sqrt())[:, :, 0]
        x, state = self.lstm(x, state)
        return self.last(x.relu())[:, 0].sigmoid(), state


@lru_cache(maxsize=1)
def _network() -> _Network:
    """The network with its weights; the same for every recording."""
    package = find_spec("silero_vad")
    places = package.submodule_search_locations if package else None
    if not places:
        raise ModelError("the speech detector silero-vad is not installed", hint="pip install silero-vad")
    network = _Network()
    try:
        network.load_state_dict(_renamed(_weights(Path(places[0]) / "data" / "silero_vad.jit")))
    except (OSError, RuntimeError, KeyError) as error:
        raise ModelError(
            f"the weights in the installed silero-vad cannot be used: {str(error).splitlines()[0]}",
            hint="pip install 'silero-vad>=6.2.3,<7', or choose --vad energy",
        ) from error
    return network.eval().requires_grad_(False)


def _weights(path: Path) -> dict[str, Tensor]:
    """The tensors of the network for 16 kHz, under their own names."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of TorchScript, in which the package keeps them
        packaged = torch.jit.load(path, map_location="cpu")  # type: ignore[no-untyped-call]
    return dict(packaged._model.state_dict())


def _renamed(theirs: dict[str, Tensor]) -> dict[str, Tensor]:
    ours = {"stft.weight": theirs["stft.forward_basis_buffer"]}
    for kind in ("weight", "bias"):
        for layer in range(4):
            ours[f"encoder.{2 * layer}.{kind}"] = theirs[f"encoder.{layer}.reparam_conv.{kind}"]
        for side in ("ih", "hh"):
            ours[f"lstm.{kind}_{side}_l0"] = theirs[f"decoder.rnn.{kind}_{side}"]
        ours[f"last.{kind}"] = theirs[f"decoder.decoder.2.{kind}"].flatten(1 if kind == "weight" else 0)
    return ours


def _most_at_once(n_frames: int) -> int:
    """Frames of the next pass: a power of two, since oneDNN keeps something for every length it has met, for ever."""
    return int(min(_AT_ONCE, 1 << (n_frames.bit_length() - 1)))


class SileroDetector:
    """Tells speech from other sounds, by Silero's network (https://github.com/snakers4/silero-vad)."""

    def __init__(self) -> None:
        """Begin a recording.

        Raises:
            ModelError: the package is not installed, or holds another network.
        """
        self._network = _network()
        self._context = torch.zeros(1, CONTEXT_SAMPLES)
        self._state = (torch.zeros(1, _WIDTH), torch.zeros(1, _WIDTH))

    def probabilities(self, frames: Frames) -> Probabilities:
        found, at = [np.zeros(0, np.float32)], 0
        while at < len(frames):
            stop = at + _most_at_once(len(frames) - at)
            found.append(self._some(torch.from_numpy(frames[at:stop])))
            at = stop
        return np.concatenate(found)

    def _some(self, frames: Tensor) -> Probabilities:
        tails = torch.cat([self._context, frames[:, FRAME_SAMPLES - CONTEXT_SAMPLES :]])
        self._context = tails[-1:].clone()
        with torch.inference_mode():
            probabilities, self._state = self._network(torch.cat([tails[:-1], frames], dim=1), self._state)
        found: Probabilities = probabilities.numpy()
        return found
