import pytest
import torch

from subwhisper.model.whisper import project


@pytest.mark.parametrize("shape", [(96, 32), (32, 96)])
@pytest.mark.parametrize("rows", [(1, 1), (2, 1), (5, 1), (2, 3), (9, 1)])
@pytest.mark.parametrize("has_bias", [True, False])
def test_a_projection_is_the_same_for_few_rows_and_many(
    shape: tuple[int, int], rows: tuple[int, int], has_bias: bool
) -> None:
    random = torch.Generator().manual_seed(1)
    weight = torch.randn(shape, generator=random)
    bias = torch.randn(shape[0], generator=random) if has_bias else None
    x = torch.randn(*rows, shape[1], generator=random)
    found = project(x, weight, bias)
    assert found.is_contiguous()
    torch.testing.assert_close(found, torch.nn.functional.linear(x, weight, bias), atol=1e-5, rtol=1e-5)
