"""What is given up, and in which order, when memory runs out."""

import pytest
import torch

from subwhisper.engine.device import Placement
from subwhisper.engine.memory import Load, MemoryLadder, is_out_of_memory
from subwhisper.errors import ModelError

FULL = torch.OutOfMemoryError("CUDA out of memory.")


def ladder(device: str, compute: str, batch: int) -> MemoryLadder:
    return MemoryLadder(Load(Placement(torch.device(device), compute), batch))  # type: ignore[arg-type]


def told(load: Load) -> tuple[int, str, str]:
    return load.batch, load.placement.compute, load.placement.device.type


def test_the_batch_goes_first_then_the_precision_then_the_device() -> None:
    climbing = ladder("cuda", "float32", 4)
    reached = []
    for _ in range(5):
        climbing.step_down(FULL)
        reached.append(told(climbing.load))
    assert reached[:4] == [(2, "float32", "cuda"), (1, "float32", "cuda"), (1, "float16", "cuda"), (1, "int8", "cuda")]
    assert reached[4][::2] == (1, "cpu")
    assert len(climbing.steps) == 5
    assert climbing.steps[0] == (
        "memory ran out with 4 windows at once in float32 on cuda; went on with 2 windows at once in float32 on cuda"
    )


@pytest.mark.parametrize(
    ("device", "compute", "rungs"),
    [("cpu", "float32", 2), ("cpu", "bfloat16", 1), ("cpu", "int8", 0)],
)
def test_at_the_end_of_the_ladder_the_load_is_named(device: str, compute: str, rungs: int) -> None:
    climbing = ladder(device, compute, 1)
    for _ in range(rungs):
        climbing.step_down(MemoryError())
    with pytest.raises(ModelError, match="not enough memory for 1 window at once in int8 on cpu"):
        climbing.step_down(MemoryError())


def test_apples_gpus_have_no_8_bit_products() -> None:
    climbing = ladder("mps", "float32", 1)
    climbing.step_down(RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"))
    assert told(climbing.load) == (1, "float16", "mps")
    climbing.step_down(RuntimeError("MPS backend out of memory"))
    assert climbing.load.placement.device.type == "cpu"


@pytest.mark.parametrize("error", [ValueError("out of memory"), RuntimeError("shapes differ"), KeyError("x")])
def test_other_errors_are_not_swallowed(error: Exception) -> None:
    climbing = ladder("cuda", "float16", 8)
    with pytest.raises(type(error)) as caught:
        climbing.step_down(error)
    assert caught.value is error
    assert climbing.load.batch == 8


def test_the_processors_own_complaint_is_understood() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)
