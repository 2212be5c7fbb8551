"""Low-rank adapters, held to PEFT's own merging where it is installed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from small_models import write_json
from stand_in_hub import Hub

from subwhisper.errors import DownloadError, ModelError
from subwhisper.model import store
from subwhisper.model.checkpoints import read_checkpoint
from subwhisper.model.checkpoints.huggingface import hugging_face_name

QUERY = "decoder.blocks.1.attn.query.weight"
PREFIX = "base_model.model.model.decoder.layers.1.self_attn.q_proj"


@pytest.fixture
def adapter(hub_folder: Path, tmp_path: Path) -> Path:
    """Of rank 4, for one matrix of the model beside it."""
    folder = tmp_path / "mine-lora"
    folder.mkdir()
    base = {"base_model_name_or_path": "../small-model", "peft_type": "LORA", "lora_alpha": 8, "r": 4}
    write_json(folder / "adapter_config.json", base)
    random = torch.Generator().manual_seed(6)
    down, up = torch.randn(4, 16, generator=random), torch.randn(16, 4, generator=random)
    save_file({f"{PREFIX}.lora_A.weight": down, f"{PREFIX}.lora_B.weight": up}, folder / "adapter_model.safetensors")
    return folder


def test_an_adapter_is_merged_into_its_base(adapter: Path, hub_folder: Path) -> None:
    base, merged = read_checkpoint(hub_folder), read_checkpoint(adapter)
    parts = load_file(adapter / "adapter_model.safetensors")
    change = 2 * parts[f"{PREFIX}.lora_B.weight"] @ parts[f"{PREFIX}.lora_A.weight"]
    torch.testing.assert_close(merged.tensors[QUERY], base.tensors[QUERY] + change)
    assert set(merged.tensors) == set(base.tensors)
    same = [name for name in base.tensors if torch.equal(base.tensors[name], merged.tensors[name])]
    assert len(same) == len(base.tensors) - 1
    assert (merged.name, merged.vocabulary) == ("mine-lora", base.vocabulary)
    assert merged.alignment_heads == base.alignment_heads
    assert merged.fingerprint != base.fingerprint


def test_scale_by_the_root_of_the_rank_and_by_module(
    adapter: Path, hub_folder: Path, edit_json: Callable[..., None]
) -> None:
    edit_json(adapter / "adapter_config.json", use_rslora=True, alpha_pattern={"1.self_attn.q_proj": 3})
    parts = load_file(adapter / "adapter_model.safetensors")
    change = 1.5 * parts[f"{PREFIX}.lora_B.weight"] @ parts[f"{PREFIX}.lora_A.weight"]
    wanted = read_checkpoint(hub_folder).tensors[QUERY] + change
    torch.testing.assert_close(read_checkpoint(adapter).tensors[QUERY], wanted)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"peft_type": "PROMPT_TUNING"}, "of kind PROMPT_TUNING"),
        ({"lora_alpha": "much"}, "must be numbers"),
        ({"fan_in_fan_out": True}, "fan_in_fan_out, which is not read"),
        ({"base_model_name_or_path": None}, "does not name the model"),
        ({"base_model_name_or_path": "/content/whisper-he"}, "adapter of /content/whisper-he, which is not here"),
        ({"base_model_name_or_path": "."}, "itself one"),
    ],
)
def test_what_cannot_be_merged_is_explained(
    adapter: Path, edit_json: Callable[..., None], changes: dict[str, object], complaint: str
) -> None:
    edit_json(adapter / "adapter_config.json", **changes)
    with pytest.raises(ModelError, match=complaint):
        read_checkpoint(adapter)


@pytest.mark.parametrize(
    ("tensors", "complaint"),
    [
        ({f"{PREFIX}.lora_A.weight": torch.ones(4, 16)}, "one of the two matrices is missing"),
        (
            {f"{PREFIX}.lora_A.weight": torch.ones(4, 17), f"{PREFIX}.lora_B.weight": torch.ones(16, 4)},
            "does not fit",
        ),
        ({f"{PREFIX}.weight": torch.ones(4, 4)}, "has shape 4 x 4"),
        ({"base_model.model.proj_out.lora_A.weight": torch.ones(4, 4)}, "changes proj_out, which this model does not"),
        ({"prompt_embeddings": torch.ones(4)}, "cannot be merged"),
    ],
)
def test_tensors_that_do_not_fit_are_named(adapter: Path, tensors: dict[str, torch.Tensor], complaint: str) -> None:
    save_file(tensors, adapter / "adapter_model.safetensors")
    with pytest.raises(ModelError, match=complaint):
        read_checkpoint(adapter)


def test_an_adapter_on_the_hub_comes_with_its_base(hub: Hub, adapter: Path, edit_json: Callable[..., None]) -> None:
    edit_json(adapter / "adapter_config.json", base_model_name_or_path="openai/whisper-tiny")
    hub.repositories["someone/tiny-lora"] = {path.name: path.read_bytes() for path in adapter.iterdir()}
    merged = read_checkpoint(store.locate("someone/tiny-lora"))
    assert merged.name == "someone/tiny-lora"
    assert "model.safetensors" in hub.fetched()
    before = len(hub.requests)
    store.locate("someone/tiny-lora", offline=True)
    assert len(hub.requests) == before


def test_an_adapter_whose_base_is_not_here_says_so(hub: Hub, adapter: Path, edit_json: Callable[..., None]) -> None:
    edit_json(adapter / "adapter_config.json", base_model_name_or_path="openai/whisper-tiny")
    with pytest.raises(DownloadError, match=r"mine-lora is an adapter, and the model openai/whisper-tiny is not on"):
        store.locate(str(adapter), offline=True)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "options",
    [
        {"target_modules": ["q_proj", "v_proj", "fc1", "conv1"], "alpha_pattern": {"fc1": 3}},
        {"target_modules": ["k_proj", "out_proj"], "use_rslora": True, "modules_to_save": ["fc2"]},
        {"target_modules": ["q_proj", "fc2"], "use_dora": True},
        {"target_modules": ["embed_tokens"], "bias": "all"},
    ],
    ids=["plain", "rslora", "dora", "embedding"],
)
def test_merging_is_pefts(
    hub_folder: Path, tmp_path: Path, edit_json: Callable[..., None], options: dict[str, Any]
) -> None:
    peft = pytest.importorskip("peft", reason="peft is not installed")
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    edit_json(hub_folder / "config.json", pad_token_id=260, encoder_ffn_dim=64, decoder_ffn_dim=64)
    network = transformers.WhisperForConditionalGeneration.from_pretrained(hub_folder)
    torch.manual_seed(7)
    adapted = peft.get_peft_model(network, peft.LoraConfig(r=4, lora_alpha=6, **options))
    for name, parameter in adapted.named_parameters():
        if "lora_" in name or "modules_to_save" in name:
            parameter.data += 0.1 * torch.randn(parameter.shape)
    adapted.save_pretrained(tmp_path / "lora")
    theirs = adapted.merge_and_unload().state_dict()
    merged = read_checkpoint(tmp_path / "lora")
    changed = 0
    base = read_checkpoint(hub_folder)
    for name, tensor in merged.tensors.items():
        torch.testing.assert_close(tensor, theirs[hugging_face_name(name)], msg=name)
        changed += not torch.equal(tensor, base.tensors[name])
    assert changed >= 2 or "embed_tokens" in json.dumps(options)
