"""Models in the files of other programs, which read them where they are installed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.errors import ModelError, OptionError, OutputError
from subwhisper.model.checkpoints import Checkpoint, read_checkpoint
from subwhisper.model.checkpoints.openai import write_openai
from subwhisper.model.dims import ModelDims
from subwhisper.model.vocabulary import Vocabulary, byte_pair_vocabulary, public_vocabulary
from subwhisper.model.whisper import Whisper
from subwhisper.pipeline import unheard
from subwhisper.pipeline.conversion import Converted, convert

SENTENCE = " It's the 3rd café, isn't it?  Yes…"


@pytest.fixture(scope="module")
def own_vocabulary() -> Vocabulary:
    pieces = [bytes([byte]) for byte in range(256)] + [b"th", b" th", b"the", b" the"]
    return byte_pair_vocabulary(pieces, ["en", "de"])


def made(path: Path, vocabulary: Vocabulary, **changes: Any) -> Checkpoint:
    """A `.pt` file with random weights, and what it says."""
    dims = ModelDims(80, 1500, 32, 2, 2, vocabulary.size, 448, 32, 2, 2)
    torch.manual_seed(8)
    tensors = {name: torch.randn(t.shape) * 0.2 for name, t in Whisper(dims).state_dict().items()}
    tensors["encoder.positional_embedding"] = Whisper(dims).encoder.positional_embedding
    checkpoint = Checkpoint(dims, tensors, vocabulary, True, ((1, 1), (0, 1)), None, True, path.stem, "")
    write_openai(path, replace(checkpoint, **changes))
    return read_checkpoint(path)


def converted(source: Path, output: Path, weights: str | None = None, *, overwrite: bool = False) -> Converted:
    return convert(source, output, weights=weights, overwrite=overwrite, on_progress=unheard)


def assert_same(one: Checkpoint, other: Checkpoint) -> None:
    assert set(one.tensors) == set(other.tensors)
    for name, tensor in one.tensors.items():
        assert torch.equal(tensor, other.tensors[name]), name
    ours = ("alignment_heads", "suppress_tokens", "reads_prompts", "noise_logprob", "spreads_timestamps")
    for field in ("dims", "vocabulary", "is_multilingual", *ours):
        assert getattr(one, field) == getattr(other, field), field


@pytest.mark.parametrize(("own", "dtype"), [(True, torch.float32), (True, torch.bfloat16), (False, torch.float16)])
def test_nothing_is_lost_between_openais_files_and_hugging_faces(
    tmp_path: Path, own_vocabulary: Vocabulary, own: bool, dtype: torch.dtype
) -> None:
    vocabulary = own_vocabulary if own else public_vocabulary(51865)
    stated = {"reads_prompts": False, "noise_logprob": -1.5, "spreads_timestamps": True}
    source = made(tmp_path / "a.pt", vocabulary, suppress_tokens=(5, 7), **stated)
    write_openai(tmp_path / "b.pt", source, dtype)
    assert converted(tmp_path / "b.pt", tmp_path / "c").lost == ()
    assert converted(tmp_path / "c", tmp_path / "d.pt").lost == ()
    assert_same(read_checkpoint(tmp_path / "b.pt"), read_checkpoint(tmp_path / "d.pt"))


def test_weights_survive_ggml_and_what_does_not_is_told(tmp_path: Path, own_vocabulary: Vocabulary) -> None:
    stated = {"suppress_tokens": (5, 7), "reads_prompts": False, "spreads_timestamps": True}
    source = made(tmp_path / "a.pt", own_vocabulary, **stated)
    told = converted(tmp_path / "a.pt", tmp_path / "b.bin", "f32")
    assert told.format == "ggml"
    assert told.lost == (
        "the alignment heads",
        "the tokens to suppress",
        "that it reads no prompts",
        "that its probability of a timestamp is spread",
    )
    back = read_checkpoint(tmp_path / "b.bin")
    kept = replace(back, alignment_heads=((1, 1), (0, 1)), **stated)
    assert_same(source, kept)
    half = converted(tmp_path / "b.bin", tmp_path / "c.bin")
    assert half.n_bytes < told.n_bytes
    assert half.lost == ()


def test_quantised_weights_become_floats_exactly(tmp_path: Path, own_vocabulary: Vocabulary) -> None:
    made(tmp_path / "a.pt", own_vocabulary)
    converted(tmp_path / "a.pt", tmp_path / "b.bin", "q5_0")
    converted(tmp_path / "b.bin", tmp_path / "c")
    for name, tensor in read_checkpoint(tmp_path / "c").tensors.items():
        assert torch.equal(tensor, read_checkpoint(tmp_path / "b.bin").tensors[name])


@pytest.mark.parametrize(
    ("output", "weights", "kind", "complaint"),
    [
        ("x.gguf", None, OptionError, "names no format"),
        ("x.pt", "q5_0", OptionError, "no type of weights for x.pt"),
        ("x.bin", "bf16", OptionError, "no type of weights for x.bin"),
        ("a.pt", None, OptionError, "the model to convert"),
        ("there.bin", None, OutputError, "exists"),
        ("narrow.bin", "q8_0", ModelError, "no whole blocks"),
        ("there.bin/x.pt", None, OutputError, "there.bin"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    tmp_path: Path, own_vocabulary: Vocabulary, output: str, weights: str | None, kind: type[Exception], complaint: str
) -> None:
    made(tmp_path / "a.pt", own_vocabulary)
    (tmp_path / "there.bin").write_text("mine")
    if output == "narrow.bin":
        dims = ModelDims(80, 1500, 16, 2, 1, own_vocabulary.size, 448, 16, 2, 1)
        tensors = Whisper(dims).state_dict()
        write_openai(tmp_path / "a.pt", Checkpoint(dims, tensors, own_vocabulary, True, ((0, 0),), None, True, "", ""))
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(kind, match=complaint):
        converted(tmp_path / "a.pt", tmp_path / output, weights)
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert (tmp_path / "there.bin").read_text() == "mine"


def test_replacing_is_asked_for(tmp_path: Path, own_vocabulary: Vocabulary) -> None:
    source = made(tmp_path / "a.pt", own_vocabulary)
    for output in (tmp_path / "b.pt", tmp_path / "c"):
        converted(tmp_path / "a.pt", output)
        with pytest.raises(OutputError, match="exists"):
            converted(tmp_path / "a.pt", output)
        converted(tmp_path / "a.pt", output, overwrite=True)
        assert_same(source, replace(read_checkpoint(output), suppress_tokens=None))


@pytest.mark.filterwarnings("ignore")
def test_openai_whisper_reads_what_we_write(tmp_path: Path) -> None:
    whisper = pytest.importorskip("whisper", reason="openai-whisper is not installed")
    source = made(tmp_path / "a.pt", public_vocabulary(51865), suppress_tokens=(5, 7))
    theirs = whisper.load_model(str(tmp_path / "a.pt"), device="cpu").state_dict()
    assert all(torch.equal(theirs[name], tensor) for name, tensor in source.tensors.items())


@pytest.mark.filterwarnings("ignore")
def test_transformers_and_ctranslate2_read_what_we_write(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    ctranslate2 = pytest.importorskip("ctranslate2", reason="ctranslate2 is not installed")
    tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is not installed")
    source = made(tmp_path / "a.pt", public_vocabulary(51865))
    folder = tmp_path / "hub"
    converted(tmp_path / "a.pt", folder)

    ours = Tokenizer(source.vocabulary, is_multilingual=True)
    tokens = [50258, 50259, 50359, 50363, *ours.encode(SENTENCE)]
    network = Whisper(source.dims).eval().requires_grad_(False)
    network.load_state_dict(source.tensors)
    mel = torch.randn(1, 80, 3000, generator=torch.Generator().manual_seed(2))
    wanted = network.decode(torch.tensor([tokens]), network.start(network.hear(network.encode(mel))))

    theirs = transformers.WhisperForConditionalGeneration.from_pretrained(folder)
    with torch.no_grad():
        logits = theirs(input_features=mel, decoder_input_ids=torch.tensor([tokens])).logits
    torch.testing.assert_close(logits, wanted, atol=1e-3, rtol=1e-4)
    stated = theirs.generation_config
    assert stated.alignment_heads == [[1, 1], [0, 1]]
    assert stated.suppress_tokens == list(ours.non_speech_tokens)
    assert stated.begin_suppress_tokens == [220, 50257]
    processor = transformers.WhisperProcessor.from_pretrained(folder)
    assert processor.tokenizer(SENTENCE, add_special_tokens=False).input_ids == list(ours.encode(SENTENCE))
    assert processor.tokenizer.convert_tokens_to_ids("<|notimestamps|>") == 50363
    assert processor.feature_extractor.feature_size == 80

    copied = ["tokenizer.json", "preprocessor_config.json"]  # as faster-whisper wants them
    ctranslate2.converters.TransformersConverter(str(folder), copy_files=copied).convert(str(tmp_path / "ct2"))
    model = ctranslate2.models.Whisper(str(tmp_path / "ct2"), intra_threads=1)
    assert model.is_multilingual
    (aligned,) = model.align(
        model.encode(ctranslate2.StorageView.from_array(mel.numpy())), tokens[:4], [tokens[4:]], [3000]
    )
    assert len(aligned.text_token_probs) == len(tokens) - 4
    copied_tokenizer = tokenizers.Tokenizer.from_file(str(tmp_path / "ct2" / "tokenizer.json"))
    assert copied_tokenizer.encode(SENTENCE, add_special_tokens=False).ids == list(ours.encode(SENTENCE))
    assert copied_tokenizer.decode(tokens) == SENTENCE
    assert copied_tokenizer.token_to_id("<|0.00|>") == 50364
