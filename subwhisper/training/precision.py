"""In which precision training multiplies."""

import torch


def mixed(device: torch.device | str) -> torch.autocast:
    """Products in bfloat16 where the device has instructions for them.

    Other processors imitate bfloat16, and a step takes three times as long as with float32.
    """
    kind = torch.device(device).type
    return torch.autocast(kind, dtype=torch.bfloat16, enabled=kind != "cpu" or _has_bfloat16())


def _has_bfloat16() -> bool:
    return bool(getattr(torch.cpu, "_is_avx512_bf16_supported", bool)())
