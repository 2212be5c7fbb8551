"""What the classifier of speech sounds hears in recordings of any length, and when their words are said by it.

Shapes: M mel bins, F frames, A positions (F / 2), C classes.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from subwhisper.engine.features import log_mel
from subwhisper.training.forced import Timing, best_path
from subwhisper.training.losses import Trainee
from subwhisper.training.recordings import Pack, Recording

PRIOR_SCALE = 0.5
"""How much of the classes' frequency is taken out of their probability."""
_HOP_SHARE = 0.8
"""Windows overlap by a fifth; each side of a seam trusts the window in whose middle it lies."""
_STEP = 100
"""Short recordings are filled up to a multiple of so many positions: matrix products are compiled for each length."""


@torch.inference_mode()
def sound_scores(trainee: Trainee, pack: Pack, recordings: Sequence[Recording]) -> Iterator[npt.NDArray[np.float32]]:
    """Yield the classifier's (A, C) log-probabilities of each recording, whatever its length."""
    dims = trainee.network.dims
    window, hop = dims.n_audio_ctx, int(dims.n_audio_ctx * _HOP_SHARE)
    margin = (window - hop) // 2
    for recording in recordings:
        mel = log_mel(torch.from_numpy(pack.sound(recording)), dims.n_mels)  # (M, F)
        n_positions = max(1, mel.shape[1] // 2)
        starts = list(range(0, max(1, n_positions - 2 * margin), hop))
        length = window if len(starts) > 1 else -(-n_positions // _STEP) * _STEP
        pieces = [mel[:, 2 * start : 2 * (start + length)] for start in starts]
        batch = torch.stack([functional.pad(piece, (0, 2 * length - piece.shape[1])) for piece in pieces])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            sounds = trainee.sounds(trainee.network.encoder(batch, torch.zeros(len(starts), dtype=torch.long)))
        logprobs = functional.log_softmax(sounds.float(), -1).numpy()
        whole = np.empty((n_positions, logprobs.shape[-1]), np.float32)
        for start, piece in zip(starts, logprobs, strict=True):
            keep = margin if start else 0
            whole[start + keep : start + length] = piece[keep : max(keep, n_positions - start)]
        yield whole


def align(trainee: Trainee, pack: Pack, classes: Mapping[str, int]) -> list[Timing | None]:
    """Find the times of all recordings of a pack."""
    trainee.eval()
    timings: list[Timing | None] = []
    log_prior = _log_prior(trainee, pack)
    for recording, scores in zip(pack.recordings, sound_scores(trainee, pack, pack.recordings), strict=True):
        words = [[classes[name] for name in word] for word in recording.sounds]
        timings.append(best_path(scores - PRIOR_SCALE * log_prior, words) if any(words) else None)
    trainee.train()
    return timings


def _log_prior(trainee: Trainee, pack: Pack) -> npt.NDArray[np.float32]:
    some = pack.recordings[:: max(1, len(pack.recordings) // 100)]
    mean = np.mean([np.exp(scores).mean(0) for scores in sound_scores(trainee, pack, some)], axis=0)
    prior: npt.NDArray[np.float32] = np.log(np.maximum(mean, 1e-4)).astype(np.float32)
    return prior
