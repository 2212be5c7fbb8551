"""The pieces of text a Whisper model reads and writes, and their ids.

A vocabulary is a byte-level BPE table whose ids double as merge ranks (single bytes first, then one
id per merge, in order) plus special tokens above it. Every builder proves that property or refuses,
because tokenising with ids that are not ranks gives wrong tokens without any error.

Knows no text rules: splitting and encoding live in `engine.tokenizer`.
"""

import base64
import lzma
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise

from subwhisper.errors import ModelError
from subwhisper.languages import LANGUAGES

N_TIMESTAMPS = 1501  # 0.00 to 30.00 seconds in steps of 20 ms
TASK_TOKENS = (
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
)
REQUIRED_TOKENS = ("<|endoftext|>", "<|startoftranscript|>", *TASK_TOKENS, "<|0.00|>")

# Hugging Face's older Whisper files say "nocaptions" where OpenAI's code says "nospeech".
_OTHER_NAMES = {"<|nocaptions|>": "<|nospeech|>"}
_LANGUAGE_TOKEN = re.compile(r"<\|([a-z]{2,3})\|>")
_SPECIAL_TOKEN = re.compile(r"<\|.*\|>")
_ENGLISH_SIZE, _MULTILINGUAL_SIZE = 51864, 51865  # entries of OpenAI's vocabularies with 99 languages
PUBLIC_SIZES = (_ENGLISH_SIZE, _MULTILINGUAL_SIZE, _MULTILINGUAL_SIZE + 1)
"""Entries of OpenAI's own vocabularies: English, multilingual, and with Cantonese since large-v3."""
_GPT2_END = 50256
_NO_SYMBOL = "\u0200"  # a character that stands for no byte


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Byte pieces and special tokens of one model."""

    ranks: Mapping[bytes, int]
    """Mergeable byte pieces; the id is the merge rank. Without the empty piece some files hold."""
    special_tokens: Mapping[str, int]
    """Everything written `<|…|>`: end, start, languages, tasks, timestamps; also tokens a fine-tune added."""

    @property
    def size(self) -> int:
        """One more than the largest id."""
        return 1 + max(max(self.ranks.values()), max(self.special_tokens.values()))

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes that have a token, in token order."""
        in_order = sorted(self.special_tokens, key=self.special_tokens.__getitem__)
        return tuple(match[1] for name in in_order if (match := _LANGUAGE_TOKEN.fullmatch(name)))

    @property
    def n_languages(self) -> int:
        return len(self.languages)

    @property
    def is_multilingual(self) -> bool:
        """Whether a model with it writes more than English, as far as a vocabulary can tell.

        English-only models carry all language tokens too, but follow GPT-2, whose end token is 50256.
        """
        return self.n_languages > 1 and self.special_tokens["<|endoftext|>"] != _GPT2_END

    def words(self) -> list[bytes]:
        """Every entry under its id, special tokens by their names; ids that are not used are empty words.

        The inverse of `named_vocabulary`.
        """
        entries = {number: piece for piece, number in self.ranks.items()}
        entries |= {number: name.encode() for name, number in self.special_tokens.items()}
        return [entries.get(number, b"") for number in range(self.size)]


def timestamp_token(index: int) -> str:
    """Name the token `index` steps of 20 ms after the start of the window."""
    return f"<|{index * 0.02:.2f}|>"


def special_token_table(first_id: int, languages: Sequence[str], *, n_timestamps: int = N_TIMESTAMPS) -> dict[str, int]:
    """Number Whisper's special tokens in OpenAI's order, from `first_id` upwards."""
    names = ["<|endoftext|>", "<|startoftranscript|>"]
    names += [f"<|{code}|>" for code in languages]
    names += TASK_TOKENS
    names += [timestamp_token(index) for index in range(n_timestamps)]
    return {name: first_id + offset for offset, name in enumerate(names)}


def byte_pair_vocabulary(
    pieces: Sequence[bytes], languages: Sequence[str], *, n_timestamps: int = N_TIMESTAMPS
) -> Vocabulary:
    """Build a vocabulary from pieces in rank order (256 bytes, then merges) and language codes.

    Raises:
        ModelError: the pieces are not a byte-level BPE in merge order.
    """
    ranks = {piece: rank for rank, piece in enumerate(pieces)}
    if len(ranks) != len(pieces):
        raise ModelError("the vocabulary names a piece twice")
    merges_of(ranks)
    return Vocabulary(ranks, special_token_table(len(ranks), languages, n_timestamps=n_timestamps))


def public_vocabulary(n_vocab: int) -> Vocabulary:
    """Give OpenAI's own vocabulary of `n_vocab` entries, for files that carry none.

    Raises:
        ModelError: no public Whisper has a vocabulary of that size.
    """
    english_only = n_vocab == _ENGLISH_SIZE
    n_languages = 99 if english_only else n_vocab - _MULTILINGUAL_SIZE + 99
    if not 99 <= n_languages <= len(LANGUAGES):
        raise ModelError(
            f"no public Whisper has a vocabulary of {n_vocab} entries, and the file carries none",
            hint="use a Hugging Face directory, which has its vocabulary beside the weights",
        )
    name = "gpt2" if english_only else "multilingual"
    table = files("subwhisper.model.assets").joinpath(f"{name}.tiktoken.xz").read_bytes()
    ranks, first_id = parse_tiktoken(lzma.decompress(table))
    return Vocabulary(ranks, special_token_table(first_id, list(LANGUAGES)[:n_languages]))


def parse_tiktoken(table: bytes) -> tuple[dict[bytes, int], int]:
    """Read a `.tiktoken` merge table: base64 piece and rank on each line.

    Returns:
        The ranks without the empty piece, and the first id above the table.

    Raises:
        ModelError: a line cannot be read, or the ids cannot serve as ranks.
    """
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(table.splitlines()):
        encoded, _, rank = line.partition(b" ")
        try:
            # OpenAI's multilingual table ends with an empty piece, written as a lone "=".
            piece = b"" if encoded == b"=" else base64.b64decode(encoded, validate=True)
            in_order = int(rank) == number
        except ValueError as error:
            raise ModelError(f"line {number + 1} of the merge table is not 'piece rank'") from error
        if not in_order or piece in ranks or (len(piece) == 1) != (number < 256) or ranks.get(b"") is not None:
            raise ModelError(f"line {number + 1} of the merge table is out of order")
        ranks[piece] = number
    if len(ranks) < 256:
        raise ModelError("the merge table does not hold all 256 bytes")
    first_id = len(ranks)
    ranks.pop(b"", None)
    return ranks, first_id


def byte_symbols() -> dict[int, str]:
    """GPT-2's map from bytes to visible characters, used in every Hugging Face vocabulary.

    Source: Radford et al. 2019. Printable Latin-1 stands for itself; the other bytes, in order, take
    the characters from U+0100 upwards.
    """
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in set(visible)]
    return {byte: chr(byte) for byte in visible} | {byte: chr(0x100 + n) for n, byte in enumerate(hidden)}


def hugging_face_vocabulary(
    pieces: Mapping[str, int], merges: Iterable[tuple[str, str]], added: Mapping[str, int], *, n_vocab: int
) -> Vocabulary:
    """Build a vocabulary from Hugging Face's tables.

    Args:
        pieces: `vocab.json`, or `model.vocab` of `tokenizer.json`; it may hold special tokens too.
        merges: pairs in order, from `merges.txt` or `model.merges`.
        added: `added_tokens.json`, or `added_tokens` of `tokenizer.json`.
        n_vocab: rows of the model's embedding; tells how many timestamps fit if the files leave them out.

    Raises:
        ModelError: ids cannot serve as merge ranks, or a token Whisper needs is missing.
    """
    is_special = {name for name in pieces if name in added or _SPECIAL_TOKEN.fullmatch(name)}
    special = {name: pieces[name] for name in is_special} | dict(added)
    ordinary = {name: token_id for name, token_id in pieces.items() if name and name not in is_special}
    ranks = _verified_ranks(ordinary, merges)
    special = {_OTHER_NAMES.get(name, name): token_id for name, token_id in special.items() if name}
    special = _completed(special, len(ranks), n_vocab)
    _check_special(special, ranks, n_vocab)
    return Vocabulary(ranks, dict(sorted(special.items(), key=lambda entry: entry[1])))


def named_vocabulary(words: Sequence[bytes], *, n_vocab: int) -> Vocabulary:
    """Build a vocabulary from words whose place in the list is their id; special ones are written `<|…|>`.

    Args:
        words: pieces in rank order, an empty word for every id that is not used, special tokens.
        n_vocab: rows of the model's embedding.

    Raises:
        ModelError: the pieces are no byte-level BPE in merge order, or a token Whisper needs is missing.
    """
    texts = {number: word.decode(errors="replace") for number, word in enumerate(words) if number >= 256}
    named = {text: number for number, text in texts.items() if _SPECIAL_TOKEN.fullmatch(text)}
    special = {_OTHER_NAMES.get(text, text): number for text, number in named.items()}
    pieces = words[: min(special.values(), default=len(words))]
    n_pieces = next((number for number, word in enumerate(pieces) if not word), len(pieces))
    ranks = {piece: rank for rank, piece in enumerate(pieces[:n_pieces])}
    if len(ranks) != n_pieces or any(pieces[n_pieces:]):
        raise ModelError("the vocabulary names a piece twice, or has pieces without a rank")
    merges_of(ranks)
    special = _completed(special, n_pieces, n_vocab)
    _check_special(special, ranks, n_vocab)
    return Vocabulary(ranks, special)


def _verified_ranks(pieces: Mapping[str, int], merges: Iterable[tuple[str, str]]) -> dict[bytes, int]:
    """Undo the byte map and prove that ids are merge ranks; see the module's docstring."""
    symbols = byte_symbols()
    if {pieces.get(symbol) for symbol in symbols.values()} != set(range(256)):
        raise ModelError("the vocabulary's first 256 entries are not the 256 bytes, so its ids are no merge ranks")
    pairs = list(merges)
    for rank, (left, right) in enumerate(pairs, start=256):
        if pieces.get(left + right) != rank:
            raise ModelError(f"merge {rank - 255} ({left} {right}) does not have id {rank}, so ids are no merge ranks")
        if pieces.get(left, rank) >= rank or pieces.get(right, rank) >= rank:
            raise ModelError(f"merge {rank - 255} joins {left} and {right}, which do not exist before it")
    if len(pieces) != 256 + len(pairs):
        raise ModelError(f"the vocabulary has {len(pieces)} pieces, but its merges make {256 + len(pairs)}")
    # Every piece is now a byte or two earlier pieces joined, so nothing but byte symbols is left in them: all are
    # translated at once, which takes a twentieth of the time.
    bytes_of = {ord(symbol): byte for byte, symbol in symbols.items()}
    names = _NO_SYMBOL.join(sorted(pieces, key=pieces.__getitem__)).translate(bytes_of).split(_NO_SYMBOL)
    return {name.encode("latin-1"): rank for rank, name in enumerate(names)}


def _completed(special: dict[str, int], n_ranks: int, n_vocab: int) -> dict[str, int]:
    """Add what short files leave out: the timestamps, or every special token of a public model."""
    if "<|startoftranscript|>" not in special and n_vocab in PUBLIC_SIZES:
        public = public_vocabulary(n_vocab)
        if len(public.ranks) == n_ranks:
            special = dict(public.special_tokens) | special
    if "<|notimestamps|>" in special and "<|0.00|>" not in special:
        first = special["<|notimestamps|>"] + 1
        special |= {timestamp_token(n): first + n for n in range(min(N_TIMESTAMPS, n_vocab - first))}
    return special


def _check_special(special: Mapping[str, int], ranks: Mapping[bytes, int], n_vocab: int) -> None:
    missing = [name for name in REQUIRED_TOKENS if name not in special]
    if missing:
        raise ModelError(f"the vocabulary lacks {', '.join(missing)}")
    if len(set(special.values())) != len(special) or not set(special.values()).isdisjoint(ranks.values()):
        raise ModelError("two entries of the vocabulary share one id")
    highest = max(special.items(), key=lambda entry: entry[1])
    if highest[1] >= n_vocab or min(special.values()) < 0:
        raise ModelError(f"token {highest[0]} has id {highest[1]}, but the model has {n_vocab} entries")
    times = [special[name] for n in range(N_TIMESTAMPS) if (name := timestamp_token(n)) in special]
    if any(after - before != 1 for before, after in pairwise(times)):
        raise ModelError("the timestamp tokens do not follow one another")


def merges_of(ranks: Mapping[bytes, int]) -> list[tuple[bytes, bytes]]:
    """Recover the merge list from ranks: what each piece was made of, in order.

    Raises:
        ModelError: some piece is not made by joining two earlier ones, so this is no BPE table.
    """
    merges = []
    for rank, piece in enumerate(sorted(ranks, key=ranks.__getitem__)):
        if ranks[piece] != rank or (len(piece) == 1) != (rank < 256):
            raise ModelError(f"piece {piece!r} has rank {ranks[piece]}, where {rank} was expected")
        if rank < 256:
            continue
        parts = _split(piece, ranks, below=rank)
        if len(parts) != 2:
            raise ModelError(f"piece {piece!r} is not made by joining two earlier pieces")
        merges.append((parts[0], parts[1]))
    return merges


def _split(piece: bytes, ranks: Mapping[bytes, int], *, below: int) -> list[bytes]:
    """Encode `piece` with the merges of rank less than `below`."""
    parts = [piece[n : n + 1] for n in range(len(piece))]
    while len(parts) > 1:
        rank, at = min((ranks.get(left + right, below), n) for n, (left, right) in enumerate(pairwise(parts)))
        if rank >= below:
            break
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return parts
