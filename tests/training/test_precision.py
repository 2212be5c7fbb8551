import pytest
import torch

from subwhisper.training.precision import mixed


@pytest.mark.parametrize(("has_bfloat16", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_a_processor_is_not_asked_to_imitate_bfloat16(monkeypatch, has_bfloat16, dtype):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: has_bfloat16)
    with mixed("cpu"):
        assert (torch.ones(8, 8) @ torch.ones(8, 8)).dtype == dtype
