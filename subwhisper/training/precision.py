"""In which precision training multiplies."""

import torch


def mixed(device: torch.device | str) -> torch.autocast:
    """Products in bfloat16 where the device has instructions for them.

    Other processors imitate bfloat16, and a step takes three times as long as with float32.
    """
    kind = torch.device(device).type
    return torch.autocast(kind, dtype=torch.bfloat16, enabled=multiplies_bfloat16(device))


def multiplies_bfloat16(device: torch.device | str) -> bool:
    """Whether a device has instructions for products in bfloat16."""
    return torch.device(device).type != "cpu" or bool(getattr(torch.cpu, "_is_avx512_bf16_supported", bool)())
