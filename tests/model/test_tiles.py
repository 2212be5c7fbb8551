import pytest
import torch

from subwhisper.engine import speech_model
from subwhisper.engine.device import Placement
from subwhisper.engine.speech_model import ready
from subwhisper.model import quantization
from subwhisper.model.dims import ModelDims
from subwhisper.model.tiles import TiledEncoder, TiledLinear
from subwhisper.model.whisper import Whisper

pytestmark = pytest.mark.skipif(
    not torch.ops.mkldnn._is_mkldnn_bf16_supported(), reason="oneDNN has no bfloat16 for this processor"
)
DIMS = ModelDims(80, 100, 64, 2, 2, 600, 32, 64, 2, 2)


def plain() -> Whisper:
    torch.manual_seed(3)
    return Whisper(DIMS).eval().requires_grad_(False)


def error(found: torch.Tensor, expected: torch.Tensor) -> float:
    return ((found - expected).norm() / expected.norm()).item()


def test_an_encoder_in_tiles_tells_nearly_the_same_in_float32() -> None:
    mel = torch.randn(2, 80, 200)
    expected = plain().encode(mel)
    network = plain()
    network.encoder = TiledEncoder(network.encoder)
    found = network.encode(mel)
    assert found.dtype == torch.float32
    assert error(found, expected) < 0.01
    assert {value.dtype for value in network.encoder.state_dict().values()} == {torch.bfloat16}
    assert not any(isinstance(layer, torch.nn.Linear) for layer in network.encoder.modules())


def test_a_layer_in_tiles_is_close_with_and_without_a_bias() -> None:
    for layer in (torch.nn.Linear(48, 64), torch.nn.Linear(48, 64, bias=False)):
        x = torch.randn(2, 10, 48)
        assert error(TiledLinear(layer.weight, layer.bias)(x), layer(x).detach()) < 0.01
        followed = torch.nn.functional.gelu(layer(x)).detach()
        assert error(TiledLinear(layer.weight, layer.bias, then="gelu")(x), followed) < 0.01


@pytest.mark.parametrize("has_tiles", [True, False])
def test_eight_bits_leave_to_tiles_what_reads_whole_windows(has_tiles: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_model, "multiplies_tiles", lambda: has_tiles)
    monkeypatch.setattr(quantization, "multiplies_tiles", lambda: has_tiles)
    tokens, mel = torch.randint(600, (3, 5)), torch.randn(3, 80, 200)
    expected = plain().decode(tokens, plain().start(plain().hear(plain().encode(mel))))
    network = ready(plain(), Placement(torch.device("cpu"), "int8"))
    assert isinstance(network.encoder, TiledEncoder) == has_tiles
    found = network.decode(tokens, network.start(network.hear(network.encode(mel))))
    assert found.dtype == torch.float32
    assert error(found, expected) < 0.03
