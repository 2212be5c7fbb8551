import torch

from subwhisper.model.dims import ModelDims
from subwhisper.model.whisper import Whisper
from subwhisper.training.dropout import leave_out

DIMS = ModelDims(80, 50, 64, 2, 2, 1600, 32, 64, 2, 1)


def network(share: float) -> Whisper:
    torch.manual_seed(4)
    made = Whisper(DIMS)
    leave_out(made, share)
    return made


def test_channels_are_lost_while_the_network_learns_and_never_after() -> None:
    plain, losing = network(0.0), network(0.5)
    assert losing.state_dict().keys() == plain.state_dict().keys()
    mel = torch.randn(2, 80, 100)
    assert torch.equal(plain.train().encode(mel), plain.eval().encode(mel))
    assert not torch.equal(losing.train().encode(mel), losing.train().encode(mel))
    assert torch.equal(losing.eval().encode(mel), plain.encode(mel))


def test_a_branch_loses_whole_channels_of_a_row_and_its_mean_stays() -> None:
    branch = network(0.25).train().encoder.blocks[0].mlp
    with torch.no_grad():
        branch[-1].weight.zero_()
        branch[-1].bias.fill_(1.0)
        heard = branch(torch.randn(40, 7, 64))
    assert torch.equal(heard, heard[:, :1].expand_as(heard))
    assert set(heard.unique().tolist()) == {0.0, torch.tensor(1 / 0.75).item()}
    assert abs(float(heard.mean()) - 1) < 0.05
    assert 0.2 < float((heard == 0).float().mean()) < 0.3
