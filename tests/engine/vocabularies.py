"""Vocabularies small enough to write by hand."""

from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.model.vocabulary import Vocabulary, special_token_table

BYTES = {bytes([byte]): byte for byte in range(256)}


def byte_tokenizer(*, n_timestamps: int = 101, languages: tuple[str, ...] = ()) -> Tokenizer:
    """Every byte is a token; two seconds of timestamps; English only unless languages are given."""
    special = special_token_table(256, languages or ("en",), n_timestamps=n_timestamps)
    return Tokenizer(Vocabulary(BYTES, special), is_multilingual=bool(languages))
