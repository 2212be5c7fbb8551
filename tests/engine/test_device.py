"""Where a network runs, and in which precision."""

import pytest
import torch

from subwhisper.engine import device
from subwhisper.engine.device import place
from subwhisper.errors import OptionError


@pytest.mark.parametrize(
    ("has_cuda", "has_vnni", "compiled", "chosen"),
    [
        (True, True, True, "float16"),
        (False, True, False, "int8"),
        (False, False, True, "int8"),
        (False, False, False, "float32"),
    ],
)
def test_auto_is_what_suits_the_machine(
    monkeypatch: pytest.MonkeyPatch, has_cuda: bool, has_vnni: bool, compiled: bool, chosen: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_cuda)
    monkeypatch.setattr(device, "multiplies_fast", lambda: has_vnni)
    monkeypatch.setattr(device, "library", lambda: compiled or None)
    assert place().compute == chosen
    assert place().device.type == ("cuda" if has_cuda else "cpu")
    assert place("cpu").compute == ("int8" if has_vnni or compiled else "float32")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("fp32", "float32"), ("F32", "float32"), ("bf16", "bfloat16"), ("fp16", "float16"), ("f16", "float16"),
     ("i8", "int8"), (" Float32 ", "float32")],
)  # fmt: skip
def test_precisions_have_the_short_names_people_type(typed: str, meant: str) -> None:
    assert place("cpu", typed).compute == meant


@pytest.mark.parametrize(
    ("name", "compute", "complaint"),
    [
        ("cuda:99", "auto", "not present"),
        ("tpu", "auto", "unknown device"),
        ("meta", "auto", "not supported"),
        ("cpu", "int4", "unknown precision"),
    ],
)
def test_what_is_not_there_is_refused(name: str, compute: str, complaint: str) -> None:
    with pytest.raises(OptionError, match=complaint):
        place(name, compute)


def test_apples_gpus_are_used_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert place("mps").compute == "float16"
    assert place("mps", "float32").device.type == "mps"
    with pytest.raises(OptionError, match="no int8 on mps"):
        place("mps", "int8")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(OptionError, match="not present"):
        place("mps")
