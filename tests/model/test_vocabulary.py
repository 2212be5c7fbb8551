import base64

import pytest
from small_models import hub_vocabulary

from subwhisper.errors import ModelError
from subwhisper.languages import LANGUAGES
from subwhisper.model.vocabulary import (
    Vocabulary,
    byte_pair_vocabulary,
    byte_symbols,
    hugging_face_vocabulary,
    merges_of,
    parse_tiktoken,
    public_vocabulary,
)


def build(**changes: object) -> Vocabulary:
    pieces, merges, added = hub_vocabulary()
    parts = {"pieces": pieces, "merges": [tuple(merge.split(" ")) for merge in merges], "added": added} | changes
    return hugging_face_vocabulary(**{"n_vocab": 261 + len(added), **parts})


@pytest.mark.parametrize(
    ("n_vocab", "end", "transcribe", "no_timestamps", "last_language"),
    # Ids as published with each generation of Whisper.
    [(51864, 50256, 50358, 50362, "su"), (51865, 50257, 50359, 50363, "su"), (51866, 50257, 50360, 50364, "yue")],
)
def test_public_vocabularies_have_the_published_ids(
    n_vocab: int, end: int, transcribe: int, no_timestamps: int, last_language: str
) -> None:
    vocabulary = public_vocabulary(n_vocab)
    special = vocabulary.special_tokens
    assert vocabulary.size == n_vocab
    assert special["<|endoftext|>"] == end
    assert special["<|en|>"] == end + 2
    assert special["<|transcribe|>"] == transcribe
    assert special["<|notimestamps|>"] == no_timestamps
    assert special["<|0.00|>"] == no_timestamps + 1
    assert special["<|30.00|>"] == n_vocab - 1
    assert vocabulary.languages == tuple(LANGUAGES)[: vocabulary.n_languages]
    assert vocabulary.languages[-1] == last_language


def test_the_empty_piece_of_the_multilingual_table_is_left_out() -> None:
    ranks = public_vocabulary(51865).ranks
    assert b"" not in ranks
    assert 50256 not in ranks.values()
    assert ranks[b" the"] == 264


def test_the_shipped_tables_are_byte_pair_encodings() -> None:
    assert len(merges_of(public_vocabulary(51864).ranks)) == 50_000


@pytest.mark.parametrize("n_vocab", [1000, 50257, 51863, 51867])
def test_a_size_no_public_whisper_has_is_refused(n_vocab: int) -> None:
    with pytest.raises(ModelError, match=str(n_vocab)):
        public_vocabulary(n_vocab)


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_shipped_tables_give_openais_encoding() -> None:
    reference = pytest.importorskip("whisper.tokenizer")  # leaves its table's file open, hence the mark
    for n_vocab, multilingual in ((51864, False), (51866, True)):
        encoding = reference.get_encoding("multilingual" if multilingual else "gpt2", 99 + multilingual)
        vocabulary = public_vocabulary(n_vocab)
        assert vocabulary.special_tokens == encoding._special_tokens
        assert {**vocabulary.ranks, b"": 50256} == {**encoding._mergeable_ranks, b"": 50256}


def test_byte_symbols_cover_every_byte_once() -> None:
    symbols = byte_symbols()
    assert sorted(symbols) == list(range(256))
    assert len(set(symbols.values())) == 256
    assert (symbols[ord(" ")], symbols[ord("A")], symbols[0x00], symbols[0xAD]) == ("Ġ", "A", "Ā", "Ń")


def test_hugging_face_files_become_byte_pieces() -> None:
    vocabulary = build()
    assert len(vocabulary.ranks) == 260
    assert vocabulary.ranks[b" the"] == 259
    assert vocabulary.languages == ("en", "de")
    assert vocabulary.special_tokens["<|nospeech|>"] == 268  # stored under its older name, nocaptions
    assert vocabulary.size == 261 + 9 + 1501


def test_an_empty_piece_in_vocab_json_is_left_out() -> None:
    pieces, _, added = hub_vocabulary()
    pieces = pieces | {"": 260, "<|endoftext|>": 261}
    added = {name: number + 1 for name, number in added.items()}
    vocabulary = build(pieces=pieces, added=added, n_vocab=262 + len(added))
    assert b"" not in vocabulary.ranks
    assert vocabulary.special_tokens["<|endoftext|>"] == 261


def test_missing_timestamps_follow_the_no_timestamps_token() -> None:
    pieces, _, added = hub_vocabulary()
    short = {name: number for name, number in added.items() if number <= added["<|notimestamps|>"]}
    vocabulary = build(added=short)
    assert vocabulary.special_tokens == build().special_tokens
    assert len(pieces) == 261


def test_a_public_model_without_added_tokens_gets_openais() -> None:
    public = public_vocabulary(51865)
    symbols = byte_symbols()
    pieces = {"".join(symbols[byte] for byte in piece): rank for piece, rank in public.ranks.items()}
    merges = [
        ("".join(symbols[b] for b in left), "".join(symbols[b] for b in right))
        for left, right in merges_of(public.ranks)
    ]
    vocabulary = hugging_face_vocabulary(pieces | {"": 50256, "<|endoftext|>": 50257}, merges, {}, n_vocab=51865)
    assert vocabulary.special_tokens == public.special_tokens
    assert vocabulary.ranks == public.ranks


def swap(table: dict[str, int], first: str, second: str) -> dict[str, int]:
    return table | {first: table[second], second: table[first]}


def test_ids_that_are_not_merge_ranks_are_refused() -> None:
    pieces, merges, _ = hub_vocabulary()
    with pytest.raises(ModelError, match=r"merge 1 \(t h\)"):
        build(pieces=swap(pieces, "th", "the"))
    with pytest.raises(ModelError, match="256 bytes"):
        build(pieces=swap(pieces, "A", "the"))
    with pytest.raises(ModelError, match="260 pieces, but its merges make 259"):
        build(merges=[tuple(merge.split(" ")) for merge in merges[:-1]])
    with pytest.raises(ModelError, match="do not exist before it"):
        build(pieces=pieces | {"xyz": 256, "th": 300}, merges=[("x", "yz"), *[tuple(m.split(" ")) for m in merges[1:]]])


def test_missing_and_clashing_special_tokens_are_refused() -> None:
    _, _, added = hub_vocabulary()
    with pytest.raises(ModelError, match=r"lacks <\|startofprev\|>"):
        build(added={name: number for name, number in added.items() if name != "<|startofprev|>"})
    with pytest.raises(ModelError, match="share one id"):
        build(added=added | {"<|en|>": 5})
    with pytest.raises(ModelError, match=r"token <\|30.00\|> has id 1770, but the model has 1770 entries"):
        build(n_vocab=1770)
    with pytest.raises(ModelError, match="timestamp tokens"):
        build(added=swap(added, "<|2.00|>", "<|4.00|>"))


def table_of(*pieces: bytes) -> bytes:
    return b"\n".join(base64.b64encode(piece) + b" %d" % number for number, piece in enumerate(pieces))


BYTES = [bytes([byte]) for byte in range(256)]


@pytest.mark.parametrize(
    "table",
    [
        b"",
        table_of(*BYTES[:-1]),
        table_of(*BYTES, b"th", b"th"),
        table_of(b"th", *BYTES),
        table_of(*BYTES) + b"\nno table at all",
        table_of(*BYTES) + b"\ndGg= x",
        table_of(*BYTES) + b"\ndGg= 300",
        b"\x80\x02junk",
    ],
)
def test_a_bad_merge_table_is_refused(table: bytes) -> None:
    with pytest.raises(ModelError, match="merge table"):
        parse_tiktoken(table)


def test_pieces_that_cannot_be_merged_are_refused() -> None:
    with pytest.raises(ModelError, match="joining two"):
        byte_pair_vocabulary([*BYTES, b"abc"], ["en"])
    with pytest.raises(ModelError, match="twice"):
        byte_pair_vocabulary([*BYTES, b"ab", b"ab"], ["en"])
    with pytest.raises(ModelError, match="rank"):
        byte_pair_vocabulary([b"ab", *BYTES], ["en"])
