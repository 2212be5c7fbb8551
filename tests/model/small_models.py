"""Small models made on the spot, without the package's own writer."""

import json
from pathlib import Path

import torch

from subwhisper.model.dims import ModelDims
from subwhisper.model.vocabulary import byte_symbols

WIDTH = 16


def small_dims(n_vocab: int, *, n_text_layer: int = 2) -> ModelDims:
    return ModelDims(
        n_mels=80,
        n_audio_ctx=1500,
        n_audio_state=WIDTH,
        n_audio_head=2,
        n_audio_layer=1,
        n_vocab=n_vocab,
        n_text_ctx=448,
        n_text_state=WIDTH,
        n_text_head=2,
        n_text_layer=n_text_layer,
    )


def hub_tensors(dims: ModelDims, seed: int = 0) -> dict[str, torch.Tensor]:
    """Random weights under Hugging Face's names, written out by hand so that our own map is tested against them."""
    width, random = dims.n_audio_state, torch.Generator().manual_seed(seed)
    shapes: dict[str, tuple[int, ...]] = {
        "model.encoder.conv1.weight": (width, dims.n_mels, 3),
        "model.encoder.conv1.bias": (width,),
        "model.encoder.conv2.weight": (width, width, 3),
        "model.encoder.conv2.bias": (width,),
        "model.encoder.embed_positions.weight": (dims.n_audio_ctx, width),
        "model.encoder.layer_norm.weight": (width,),
        "model.encoder.layer_norm.bias": (width,),
        "model.decoder.embed_tokens.weight": (dims.n_vocab, width),
        "model.decoder.embed_positions.weight": (dims.n_text_ctx, width),
        "model.decoder.layer_norm.weight": (width,),
        "model.decoder.layer_norm.bias": (width,),
    }
    for side, n_layers in (("encoder", dims.n_audio_layer), ("decoder", dims.n_text_layer)):
        for layer in range(n_layers):
            prefix = f"model.{side}.layers.{layer}"
            for attention in ("self_attn", "encoder_attn")[: 1 if side == "encoder" else 2]:
                for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
                    shapes[f"{prefix}.{attention}.{part}.weight"] = (width, width)
                    if part != "k_proj":
                        shapes[f"{prefix}.{attention}.{part}.bias"] = (width,)
                shapes[f"{prefix}.{attention}_layer_norm.weight"] = (width,)
                shapes[f"{prefix}.{attention}_layer_norm.bias"] = (width,)
            shapes[f"{prefix}.fc1.weight"], shapes[f"{prefix}.fc1.bias"] = (4 * width, width), (4 * width,)
            shapes[f"{prefix}.fc2.weight"], shapes[f"{prefix}.fc2.bias"] = (width, 4 * width), (width,)
            shapes[f"{prefix}.final_layer_norm.weight"] = (width,)
            shapes[f"{prefix}.final_layer_norm.bias"] = (width,)
    return {name: torch.randn(shape, generator=random) for name, shape in shapes.items()}


def hub_config(dims: ModelDims) -> dict[str, object]:
    return {
        "model_type": "whisper",
        "num_mel_bins": dims.n_mels,
        "max_source_positions": dims.n_audio_ctx,
        "d_model": dims.n_audio_state,
        "encoder_attention_heads": dims.n_audio_head,
        "encoder_layers": dims.n_audio_layer,
        "vocab_size": dims.n_vocab,
        "max_target_positions": dims.n_text_ctx,
        "decoder_attention_heads": dims.n_text_head,
        "decoder_layers": dims.n_text_layer,
        "activation_function": "gelu",
    }


def hub_vocabulary() -> tuple[dict[str, int], list[str], dict[str, int]]:
    """Pieces, merges and added tokens of a tiny byte-level BPE, as Hugging Face writes them (Ġ is the space)."""
    pieces = {symbol: number for number, symbol in enumerate(byte_symbols().values())}
    merges = ["t h", "Ġ th", "th e", "Ġ the"]
    pieces |= {merge.replace(" ", ""): 256 + number for number, merge in enumerate(merges)}
    pieces["<|endoftext|>"] = 260
    names = ["<|startoftranscript|>", "<|en|>", "<|de|>", "<|translate|>", "<|transcribe|>", "<|startoflm|>"]
    names += ["<|startofprev|>", "<|nocaptions|>", "<|notimestamps|>"]
    names += [f"<|{hundredths / 100:.2f}|>" for hundredths in range(0, 3001, 2)]
    return pieces, merges, {name: 261 + number for number, name in enumerate(names)}


def write_json(path: Path, table: object) -> None:
    path.write_text(json.dumps(table, ensure_ascii=False), encoding="utf-8")
