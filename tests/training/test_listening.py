from pathlib import Path

import numpy as np
import torch
from packs import packed

from subwhisper.model.dims import ModelDims
from subwhisper.model.whisper import Whisper
from subwhisper.training.listening import sound_scores
from subwhisper.training.losses import Trainee
from subwhisper.training.synthesis import Espeak

DIMS = ModelDims(
    n_mels=80, n_audio_ctx=100, n_audio_state=16, n_audio_head=2, n_audio_layer=1,
    n_vocab=60, n_text_ctx=32, n_text_state=16, n_text_head=2, n_text_layer=1,
)  # fmt: skip


def test_recordings_longer_than_a_window_are_heard_whole(espeak: Espeak, tmp_path: Path) -> None:
    torch.manual_seed(0)
    sentences = ["See the sun.", "We went a long way home, and then we came back in the morning.", "Go."]
    pack = packed(espeak, tmp_path, sentences)
    trainee = Trainee(Whisper(DIMS), 5, (), ()).eval()
    heard = dict(sound_scores(trainee, pack, pack.recordings))
    assert sorted(heard) == [0, 1, 2]
    for index, recording in enumerate(pack.recordings):
        assert abs(len(heard[index]) - recording.n_samples / 320) <= 1
        np.testing.assert_allclose(np.exp(heard[index]).sum(1), 1, rtol=1e-4)


def test_neighbours_in_a_batch_change_nothing(espeak: Espeak, tmp_path: Path) -> None:
    torch.manual_seed(0)
    pack = packed(espeak, tmp_path, ["See the sun.", "Hold the door.", "Go."])
    trainee = Trainee(Whisper(DIMS), 5, (), ()).eval()
    together = dict(sound_scores(trainee, pack, pack.recordings))
    alone = dict(sound_scores(trainee, pack, pack.recordings[:1]))
    np.testing.assert_allclose(together[0], alone[0], atol=0.02)  # bfloat16
