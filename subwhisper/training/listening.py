"""What the classifier of speech sounds hears in recordings of any length, and when their words are said by it.

Shapes: M mel bins, F frames, A positions (F / 2), C classes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from subwhisper.engine.features import log_mel
from subwhisper.training.forced import Timing, best_path
from subwhisper.training.losses import Trainee
from subwhisper.training.precision import mixed
from subwhisper.training.recordings import Pack, Recording

PRIOR_SCALE = 0.5
"""How much of the classes' frequency is taken out of their probability."""
_HOP_SHARE = 0.8
"""Windows overlap by a fifth; each side of a seam trusts the window in whose middle it lies."""
_STEP = 100
"""Short recordings are filled up to a multiple of so many positions: matrix products are compiled for each length."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a recording that fits into a window."""

    recording: int
    start: int
    """Position in the recording."""
    mel: Tensor
    """(M, F)."""


_BATCH = 8


@torch.inference_mode()
def sound_scores(
    trainee: Trainee, pack: Pack, recordings: Sequence[Recording]
) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
    """Yield the index and the classifier's (A, C) log-probabilities of each recording, the shortest first."""
    order = sorted(range(len(recordings)), key=lambda index: recordings[index].n_samples)
    for first in range(0, len(order), _BATCH):
        chosen = order[first : first + _BATCH]
        mels = {
            index: log_mel(torch.from_numpy(pack.sound(recordings[index])), trainee.network.dims.n_mels)
            for index in chosen
        }
        heard = _heard(trainee, [piece for index, mel in mels.items() for piece in _pieces(trainee, index, mel)])
        for index, mel in mels.items():
            yield index, _joined(trainee, max(1, mel.shape[1] // 2), heard[index])


def _margin(trainee: Trainee) -> int:
    window = trainee.network.dims.n_audio_ctx
    return (window - int(window * _HOP_SHARE)) // 2


def _pieces(trainee: Trainee, index: int, mel: Tensor) -> list[_Piece]:
    window, margin = trainee.network.dims.n_audio_ctx, _margin(trainee)
    n_positions = max(1, mel.shape[1] // 2)
    starts = range(0, max(1, n_positions - 2 * margin), window - 2 * margin)
    return [_Piece(index, start, mel[:, 2 * start : 2 * (start + window)]) for start in starts]


def _heard(trainee: Trainee, pieces: Sequence[_Piece]) -> dict[int, list[tuple[int, npt.NDArray[np.float32]]]]:
    """Start and (A, C) log-probabilities of each piece, by recording."""
    longest = -(-max(piece.mel.shape[1] for piece in pieces) // (2 * _STEP)) * 2 * _STEP
    batch = torch.stack([functional.pad(piece.mel, (0, longest - piece.mel.shape[1])) for piece in pieces])
    device = trainee.sounds.weight.device
    with mixed(device):
        first = torch.zeros(len(pieces), dtype=torch.long, device=device)
        sounds = trainee.sounds(trainee.network.encoder(batch.to(device), first))
    found: dict[int, list[tuple[int, npt.NDArray[np.float32]]]] = {}
    for piece, logprobs in zip(pieces, functional.log_softmax(sounds.float(), -1).cpu().numpy(), strict=True):
        found.setdefault(piece.recording, []).append((piece.start, logprobs))
    return found


def _joined(
    trainee: Trainee, n_positions: int, pieces: Sequence[tuple[int, npt.NDArray[np.float32]]]
) -> npt.NDArray[np.float32]:
    """One (A, C) array from overlapping pieces."""
    whole = np.empty((n_positions, pieces[0][1].shape[1]), np.float32)
    for start, logprobs in pieces:
        keep = _margin(trainee) if start else 0
        part = logprobs[keep : n_positions - start]
        whole[start + keep : start + keep + len(part)] = part
    return whole


def align(trainee: Trainee, pack: Pack, classes: Mapping[str, int]) -> list[Timing | None]:
    """Find the times of all recordings of a pack."""
    trainee.eval()
    timings: list[Timing | None] = [None] * len(pack.recordings)
    log_prior = _log_prior(trainee, pack)
    for index, scores in sound_scores(trainee, pack, pack.recordings):
        words = [[classes[name] for name in word] for word in pack.recordings[index].sounds]
        timings[index] = best_path(scores - PRIOR_SCALE * log_prior, words) if any(words) else None
    trainee.train()
    return timings


def _log_prior(trainee: Trainee, pack: Pack) -> npt.NDArray[np.float32]:
    some = pack.recordings[:: max(1, len(pack.recordings) // 100)]
    mean = np.mean([np.exp(scores).mean(0) for _, scores in sound_scores(trainee, pack, some)], axis=0)
    prior: npt.NDArray[np.float32] = np.log(np.maximum(mean, 1e-4)).astype(np.float32)
    return prior
