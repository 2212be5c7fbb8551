import io
import json
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from small_models import hub_config, hub_tensors, hub_vocabulary, small_dims, write_json

from subwhisper.errors import ModelError
from subwhisper.model.checkpoints import read_checkpoint
from subwhisper.model.checkpoints.huggingface import hugging_face_name
from subwhisper.model.checkpoints.shapes import expected_shapes
from subwhisper.model.dims import ModelDims
from subwhisper.model.whisper import Whisper

SMALL = small_dims(n_vocab=1771)


# Hugging Face directories


def test_a_directory_is_read_whole(hub_folder: Path) -> None:
    checkpoint = read_checkpoint(hub_folder)
    assert checkpoint.dims == SMALL
    assert checkpoint.name == "small-model"
    assert checkpoint.is_multilingual
    assert checkpoint.alignment_heads == ((1, 0),)
    assert checkpoint.suppress_tokens == (1, 2, 7)
    assert checkpoint.vocabulary.languages == ("en", "de")
    assert len(checkpoint.fingerprint) == 64
    original = hub_tensors(SMALL)
    torch.testing.assert_close(
        checkpoint.tensors["decoder.blocks.1.cross_attn.key.weight"],
        original["model.decoder.layers.1.encoder_attn.k_proj.weight"],
    )
    torch.testing.assert_close(checkpoint.tensors["encoder.ln_post.bias"], original["model.encoder.layer_norm.bias"])
    torch.testing.assert_close(
        checkpoint.tensors["encoder.blocks.0.mlp.2.weight"], original["model.encoder.layers.0.fc2.weight"]
    )


def test_every_name_maps_to_hugging_faces() -> None:
    assert {hugging_face_name(name) for name in expected_shapes(SMALL)} == set(hub_tensors(SMALL))


def test_expected_shapes_are_the_networks() -> None:
    network = {name: tuple(tensor.shape) for name, tensor in Whisper(SMALL).state_dict().items()}
    assert network == expected_shapes(SMALL)


def test_weights_keep_their_type_and_load_into_the_network(hub_folder: Path) -> None:
    halves = {name: tensor.half() for name, tensor in hub_tensors(SMALL).items()}
    save_file(halves, hub_folder / "model.safetensors")
    checkpoint = read_checkpoint(hub_folder)
    assert {tensor.dtype for tensor in checkpoint.tensors.values()} == {torch.float16}
    Whisper(checkpoint.dims).load_state_dict(dict(checkpoint.tensors))


@pytest.mark.parametrize("change", ["tied head", "no prefix", "extra tensor"])
def test_spellings_found_in_the_wild_are_read(hub_folder: Path, change: str, caplog: pytest.LogCaptureFixture) -> None:
    tensors = hub_tensors(SMALL)
    if change == "tied head":
        tensors["proj_out.weight"] = tensors["model.decoder.embed_tokens.weight"].clone()
    elif change == "no prefix":
        tensors = {name.removeprefix("model."): tensor for name, tensor in tensors.items()}
    else:
        tensors["model.adapter.weight"] = torch.zeros(1)
    save_file(tensors, hub_folder / "model.safetensors")
    assert set(read_checkpoint(hub_folder).tensors) == set(expected_shapes(SMALL))
    assert ("model.adapter.weight" in caplog.text) == (change == "extra tensor")


def shard(folder: Path, suffix: str = "safetensors") -> list[Path]:
    """Split the weights over two files and an index, as large models come."""
    tensors = list(hub_tensors(SMALL).items())
    stem = "model" if suffix == "safetensors" else "pytorch_model"
    (folder / "model.safetensors").unlink()
    paths, weight_map = [], {}
    for number, part in enumerate((tensors[:20], tensors[20:]), start=1):
        path = folder / f"{stem}-0000{number}-of-00002.{suffix}"
        save_file(dict(part), path) if suffix == "safetensors" else torch.save(dict(part), path)
        weight_map |= {name: path.name for name, _ in part}
        paths.append(path)
    write_json(folder / f"{stem}.{suffix}.index.json", {"metadata": {}, "weight_map": weight_map})
    return paths


@pytest.mark.parametrize("suffix", ["safetensors", "bin"])
def test_sharded_weights_are_joined(hub_folder: Path, suffix: str) -> None:
    whole = read_checkpoint(hub_folder)
    shard(hub_folder, suffix)
    joined = read_checkpoint(hub_folder)
    assert joined.tensors.keys() == whole.tensors.keys()
    for name, tensor in whole.tensors.items():
        assert torch.equal(joined.tensors[name], tensor)
    assert joined.fingerprint != whole.fingerprint


def test_an_output_matrix_of_its_own_is_refused(hub_folder: Path, edit_json: Callable[..., None]) -> None:
    """The network has one matrix for both, so that another one would be ignored without a word."""
    tensors = load_file(hub_folder / "model.safetensors")
    tensors["proj_out.weight"] = tensors["model.decoder.embed_tokens.weight"].clone()
    save_file(tensors, hub_folder / "model.safetensors")
    edit_json(hub_folder / "config.json", tie_word_embeddings=False)
    read_checkpoint(hub_folder)
    tensors["proj_out.weight"][0, 0] += 1
    save_file(tensors, hub_folder / "model.safetensors")
    with pytest.raises(ModelError, match="output matrix is not its token embedding"):
        read_checkpoint(hub_folder)


def test_a_missing_shard_is_named(hub_folder: Path) -> None:
    lost = shard(hub_folder)[1]
    lost.unlink()
    with pytest.raises(ModelError, match=lost.name):
        read_checkpoint(hub_folder)


@pytest.mark.parametrize("name", ["../secret.safetensors", "/etc/passwd", "a/b.bin", "..", "x.py", ""])
def test_an_index_cannot_point_outside_its_folder(hub_folder: Path, name: str) -> None:
    shard(hub_folder)
    write_json(hub_folder / "model.safetensors.index.json", {"weight_map": {"model.encoder.conv1.weight": name}})
    with pytest.raises(ModelError, match="no weights file of this folder"):
        read_checkpoint(hub_folder)


def test_pickled_weights_are_read_when_there_is_nothing_better(hub_folder: Path) -> None:
    (hub_folder / "model.safetensors").unlink()
    torch.save(hub_tensors(SMALL), hub_folder / "pytorch_model.bin")
    assert set(read_checkpoint(hub_folder).tensors) == set(expected_shapes(SMALL))


def test_tokenizer_json_serves_as_vocabulary(hub_folder: Path) -> None:
    expected = read_checkpoint(hub_folder).vocabulary
    pieces, merges, added = hub_vocabulary()
    table = {
        "model": {"type": "BPE", "vocab": pieces, "merges": merges},
        "added_tokens": [{"id": number, "content": name, "special": True} for name, number in added.items()],
    }
    for name in ("vocab.json", "merges.txt", "added_tokens.json"):
        (hub_folder / name).unlink()
    write_json(hub_folder / "tokenizer.json", table)
    assert read_checkpoint(hub_folder).vocabulary == expected
    table["model"]["merges"] = [merge.split(" ") for merge in merges]  # how newer files write merges
    write_json(hub_folder / "tokenizer.json", table)
    assert read_checkpoint(hub_folder).vocabulary == expected


@pytest.mark.parametrize(
    ("generation", "heads"),
    [
        ({"alignment_heads": [[0, 1], [1, 1]]}, ((0, 1), (1, 1))),
        ({"alignment_heads": [[7, 0], [10, 17]]}, ((1, 0), (1, 1))),  # a teacher's heads, copied by distillation
        ({"alignment_heads": []}, ((1, 0), (1, 1))),
        ({"alignment_heads": None}, ((1, 0), (1, 1))),
        ({"alignment_heads": "all"}, ((1, 0), (1, 1))),
        ({"bos_token_id": 5}, ((1, 0), (1, 1))),  # the short form
        (None, ((1, 0), (1, 1))),
    ],
)
def test_alignment_heads_are_stated_or_the_upper_half(
    hub_folder: Path, generation: dict[str, object] | None, heads: tuple[tuple[int, int], ...]
) -> None:
    path = hub_folder / "generation_config.json"
    path.unlink() if generation is None else write_json(path, generation)
    checkpoint = read_checkpoint(hub_folder)
    assert checkpoint.alignment_heads == heads
    assert checkpoint.is_multilingual  # told by the vocabulary where it is not stated


def test_a_fine_tune_of_a_public_model_inherits_its_heads(hub_folder: Path, edit_json: Callable[..., None]) -> None:
    dims = small_dims(n_vocab=1771, n_text_layer=4)
    config = hub_config(dims) | {"decoder_attention_heads": 6, "d_model": 12, "encoder_attention_heads": 6}
    config |= {"_name_or_path": "openai/whisper-tiny"}
    write_json(hub_folder / "config.json", config)
    (hub_folder / "generation_config.json").unlink()
    narrow = ModelDims(80, 1500, 12, 6, 1, 1771, 448, 12, 6, 4)
    save_file(hub_tensors(narrow), hub_folder / "model.safetensors")
    assert read_checkpoint(hub_folder).alignment_heads == ((2, 2), (3, 0), (3, 2), (3, 3), (3, 4), (3, 5))


def test_a_model_in_the_hub_cache_has_its_catalog_name_and_hash(hub_folder: Path, tmp_path: Path) -> None:
    cached = tmp_path / "models--openai--whisper-tiny.en" / "snapshots" / "0123abc"
    shutil.copytree(hub_folder, cached)
    blob = cached.parents[1] / "blobs" / ("ab" * 32)
    blob.parent.mkdir()
    (cached / "model.safetensors").rename(blob)
    (cached / "model.safetensors").symlink_to(blob)
    checkpoint = read_checkpoint(cached)
    assert checkpoint.name == "tiny.en"
    assert checkpoint.fingerprint == "ab" * 32


def test_the_fingerprint_is_the_files_sha256(hub_folder: Path) -> None:
    import hashlib

    expected = hashlib.sha256((hub_folder / "model.safetensors").read_bytes()).hexdigest()
    assert read_checkpoint(hub_folder).fingerprint == expected


def test_what_a_model_states_beside_its_weights_is_part_of_its_identity(
    hub_folder: Path, edit_json: Callable[..., None]
) -> None:
    """What was heard with one statement is not what another one would have heard."""
    before = read_checkpoint(hub_folder)
    edit_json(hub_folder / "generation_config.json", spreads_timestamps=True)
    after = read_checkpoint(hub_folder)
    assert after.fingerprint == before.fingerprint
    assert after.identity != before.identity
    moved = hub_folder.rename(hub_folder.with_name("of another name"))
    assert read_checkpoint(moved).identity == after.identity


# What is wrong with a directory is said in one line


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"model_type": "wav2vec2"}, "wav2vec2 model, not Whisper"),
        ({"d_model": None}, "d_model missing"),
        ({"d_model": "16"}, "n_audio_state must be a positive whole number"),
        ({"d_model": -16}, "positive whole number"),
        ({"d_model": 10**9}, "positive whole number"),
        ({"d_model": 32}, "encoder.conv1.weight has shape 16 x 80 x 3, but the model's dimensions need 32 x 80 x 3"),
        ({"decoder_layers": 3}, "lack the tensor decoder.blocks.2"),
        ({"vocab_size": 1000}, "token .* has id 1770, but the model has 1000 entries"),
        ({"encoder_attention_heads": 3}, "not a multiple"),
        ({"quantization_config": {"bits": 8}}, "quantised"),
        ({"activation_function": "relu"}, "activation_function"),
        ({"suppress_tokens": [99999], "_": 1}, None),
    ],
)
def test_a_bad_config_is_explained(
    hub_folder: Path, edit_json: Callable[..., None], changes: dict[str, object], complaint: str | None
) -> None:
    edit_json(hub_folder / "config.json", **changes)
    if complaint is None:  # generation_config.json has the last word
        assert read_checkpoint(hub_folder).suppress_tokens == (1, 2, 7)
        return
    with pytest.raises(ModelError, match=complaint) as caught:
        read_checkpoint(hub_folder)
    assert str(hub_folder) in caught.value.message
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[1, 2]", b"\xff\xfe", b'{"a": ' * 100_000, b"null"])
@pytest.mark.parametrize("name", ["config.json", "generation_config.json", "vocab.json"])
def test_a_damaged_json_file_is_named(hub_folder: Path, name: str, content: bytes) -> None:
    (hub_folder / name).write_bytes(content)
    with pytest.raises(ModelError, match=name):
        read_checkpoint(hub_folder)


@pytest.mark.parametrize("content", [b"\xff\xff", b"a b c\n", b"alone\n"])
def test_damaged_merges_are_named(hub_folder: Path, content: bytes) -> None:
    (hub_folder / "merges.txt").write_bytes(content)
    with pytest.raises(ModelError, match=r"merges\.txt"):
        read_checkpoint(hub_folder)


def test_ids_that_are_no_numbers_are_refused(hub_folder: Path, edit_json: Callable[..., None]) -> None:
    edit_json(hub_folder / "added_tokens.json", **{"<|en|>": "1"})
    with pytest.raises(ModelError, match=r"added_tokens\.json gives '<\|en\|>' the id '1'"):
        read_checkpoint(hub_folder)


def test_suppressed_ids_must_exist(hub_folder: Path, edit_json: Callable[..., None]) -> None:
    edit_json(hub_folder / "generation_config.json", suppress_tokens=[5, 99999])
    with pytest.raises(ModelError, match="suppress_tokens"):
        read_checkpoint(hub_folder)


@pytest.mark.parametrize("table", [{"model": {"type": "Unigram"}}, {"model": {"vocab": {}}}, {}, {"model": []}])
def test_a_tokenizer_of_another_kind_is_refused(hub_folder: Path, table: dict[str, object]) -> None:
    (hub_folder / "merges.txt").unlink()
    write_json(hub_folder / "tokenizer.json", table)
    with pytest.raises(ModelError, match=r"tokenizer\.json"):
        read_checkpoint(hub_folder)


def test_missing_files_are_named(hub_folder: Path) -> None:
    (hub_folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"holds no weights.*model\.safetensors"):
        read_checkpoint(hub_folder)
    (hub_folder / "merges.txt").unlink()
    with pytest.raises(ModelError, match="has no vocabulary"):
        read_checkpoint(hub_folder)
    (hub_folder / "config.json").unlink()
    with pytest.raises(ModelError, match=r"no config\.json"):
        read_checkpoint(hub_folder)


def huge_header() -> bytes:
    table = {"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}
    header = json.dumps(table).encode()
    return len(header).to_bytes(8, "little") + header


@pytest.mark.parametrize(
    "damage",
    [lambda _: b"", lambda d: d[:100], lambda d: d[:-1000], lambda d: b"\xff" * 8 + d[8:], lambda _: huge_header()],
    ids=["empty", "header cut", "data cut", "huge header", "huge tensor"],
)
def test_damaged_safetensors_are_named(hub_folder: Path, damage: object) -> None:
    path = hub_folder / "model.safetensors"
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(ModelError, match=r"model\.safetensors"):
        read_checkpoint(hub_folder)


def test_weights_that_are_no_floats_are_refused(hub_folder: Path) -> None:
    tensors = {name: tensor.to(torch.int8) for name, tensor in hub_tensors(SMALL).items()}
    save_file(tensors, hub_folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"encoder\.conv1\.weight is stored as torch\.int8"):
        read_checkpoint(hub_folder)


def test_a_git_lfs_pointer_is_recognised(hub_folder: Path) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n"
    (hub_folder / "model.safetensors").write_bytes(pointer)
    with pytest.raises(ModelError, match="Git LFS pointer"):
        read_checkpoint(hub_folder)
    with pytest.raises(ModelError, match="Git LFS pointer"):
        read_checkpoint(hub_folder / "model.safetensors")


def test_formats_of_other_programs_are_refused_with_the_name_to_use(tmp_path: Path) -> None:
    folder = tmp_path / "faster-whisper-large-v3"
    folder.mkdir()
    (folder / "model.bin").write_bytes(b"\x06\x00\x00\x00")
    (folder / "vocabulary.json").write_text("[]")
    (folder / "config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"CTranslate2.*use --model large-v3 "):
        read_checkpoint(folder)
    gguf = tmp_path / "whisper-tiny.en-q5_1.gguf"
    gguf.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ModelError, match=r"ggml.*use --model tiny\.en "):
        read_checkpoint(gguf)


def test_bare_weights_are_refused_with_their_folder(hub_folder: Path) -> None:
    with pytest.raises(ModelError, match="holds weights only"):
        read_checkpoint(hub_folder / "model.safetensors")


# OpenAI's files

OPENAI = small_dims(n_vocab=51865)


def openai_table(dims: ModelDims = OPENAI) -> dict[str, object]:
    tensors = {name: torch.zeros(shape, dtype=torch.float16) for name, shape in expected_shapes(dims).items()}
    return {"dims": {name: getattr(dims, name) for name in ModelDims.__dataclass_fields__}, "model_state_dict": tensors}


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("n_vocab", [51864, 51865, 51866])
def test_an_openai_file_is_read(tmp_path: Path, zipped: bool, n_vocab: int) -> None:
    path = tmp_path / "mine.pt"
    torch.save(openai_table(small_dims(n_vocab=n_vocab)), path, _use_new_zipfile_serialization=zipped)
    checkpoint = read_checkpoint(path)
    assert checkpoint.dims == small_dims(n_vocab=n_vocab)
    assert checkpoint.vocabulary.size == n_vocab
    assert checkpoint.is_multilingual == (n_vocab != 51864)
    assert checkpoint.alignment_heads == ((1, 0), (1, 1))
    assert checkpoint.suppress_tokens is None
    assert checkpoint.name == "mine"
    assert {tensor.dtype for tensor in checkpoint.tensors.values()} == {torch.float16}


def test_a_public_name_brings_the_published_heads(tmp_path: Path) -> None:
    dims = ModelDims(80, 1500, 12, 6, 1, 51865, 448, 12, 6, 4)  # the decoder of tiny, thinner
    path = tmp_path / "tiny.pt"
    torch.save(openai_table(dims), path)
    assert read_checkpoint(path).alignment_heads == ((2, 2), (3, 0), (3, 2), (3, 3), (3, 4), (3, 5))
    shutil.move(path, tmp_path / "base.pt")  # a name its shape contradicts
    assert read_checkpoint(tmp_path / "base.pt").alignment_heads == dims.upper_half_heads


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ([1, 2], "holds no Whisper checkpoint"),
        ({"weights": {}}, "holds no Whisper checkpoint"),
        ({"dims": 3, "model_state_dict": {}}, "not tables"),
        ({"dims": {"n_mels": 80}, "model_state_dict": {}}, "does not state n_audio_ctx"),
        (openai_table() | {"model_state_dict": {}}, "lack the tensor encoder.conv1.weight"),
        (
            openai_table() | {"dims": openai_table(small_dims(n_vocab=51867))["dims"]},
            "token_embedding.weight has shape",
        ),
    ],
)
def test_a_file_that_is_no_checkpoint_is_explained(tmp_path: Path, table: object, complaint: str) -> None:
    path = tmp_path / "odd.pt"
    torch.save(table, path)
    with pytest.raises(ModelError, match=complaint) as caught:
        read_checkpoint(path)
    assert str(path) in caught.value.message


@pytest.mark.parametrize("keep", [4, 200, 5_000, 0.5, 0.999])
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_truncated_file_is_named(tmp_path: Path, keep: float, zipped: bool) -> None:
    path = tmp_path / "cut.pt"
    torch.save(openai_table(), path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep if keep > 1 else keep * len(whole))])
    with pytest.raises(ModelError) as caught:
        read_checkpoint(path)
    assert str(path) in caught.value.message
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not a model", b"\x80", b"\x80\x02.", b"\x80\x02K\x01."])
def test_junk_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "junk.pt"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"junk\.pt"):
        read_checkpoint(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nothing\.pt does not exist"):
        read_checkpoint(tmp_path / "nothing.pt")


# Hostile files


class Hostile:
    """Creates a file when it is unpickled by a careless reader."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.path,)


class HostileShell(Hostile):
    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        import os

        return os.system, (f"touch {self.path}",)


class HostileEval(Hostile):
    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return eval, (f"open({str(self.path)!r}, 'w')",)


KINDS = [Hostile, HostileShell, HostileEval]


def refuse(path: Path, message: str = "is refused: it asks for") -> None:
    with pytest.raises(ModelError, match=message) as caught:
        read_checkpoint(path)
    assert str(path) in caught.value.message
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_raw_hostile_pickle_is_refused(tmp_path: Path, never_runs: Path, kind: type[Hostile], protocol: int) -> None:
    path = tmp_path / "evil.pt"
    path.write_bytes(pickle.dumps({"dims": kind(never_runs)}, protocol=protocol))
    refuse(path)


def test_a_raw_hostile_pickle_of_the_oldest_kind_is_refused(tmp_path: Path, never_runs: Path) -> None:
    path = tmp_path / "evil.pt"
    path.write_bytes(pickle.dumps(HostileShell(never_runs), protocol=0))
    refuse(path, "is no Whisper checkpoint")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_hostile_pickle_inside_a_torch_file_is_refused(
    tmp_path: Path, never_runs: Path, kind: type[Hostile], zipped: bool
) -> None:
    path = tmp_path / "evil.pt"
    torch.save(openai_table() | {"extra": kind(never_runs)}, path, _use_new_zipfile_serialization=zipped)
    refuse(path)


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_pickled_weights_in_a_directory_are_refused(
    hub_folder: Path, never_runs: Path, kind: type[Hostile]
) -> None:
    (hub_folder / "model.safetensors").unlink()
    torch.save({"model.encoder.conv1.weight": kind(never_runs)}, hub_folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"pytorch_model\.bin is refused"):
        read_checkpoint(hub_folder)


def test_a_compressed_bomb_is_refused_before_it_opens(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb/data.pkl", bytes(10_000_000))
    refuse(path, "compressed or claim more")


def test_a_tensor_that_claims_more_than_is_there_is_refused(tmp_path: Path) -> None:
    table = openai_table()
    wide = small_dims(n_vocab=51866)
    tensors = {name: torch.zeros(1).expand(shape) for name, shape in expected_shapes(wide).items()}
    path = tmp_path / "thin.pt"
    torch.save(table | {"dims": openai_table(wide)["dims"], "model_state_dict": tensors}, path)
    refuse(path, "claim .* bytes, but only")


def test_a_storage_that_claims_terabytes_is_refused(tmp_path: Path) -> None:
    """The pickle says 2**44 floats; nothing may be allocated for them."""
    buffer = io.BytesIO()
    torch.save({"dims": {}, "model_state_dict": {"a": torch.zeros(77)}}, buffer)
    path = tmp_path / "large.pt"
    with zipfile.ZipFile(buffer) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name.endswith("data.pkl"):
                assert content.count(b"K\x4d") == 2  # BININT1 77: elements of the storage, size of the tensor
                content = content.replace(b"K\x4d", b"\x8a\x06" + (2**44).to_bytes(6, "little"))
            target.writestr(name, content)
    refuse(path, "large.pt")
