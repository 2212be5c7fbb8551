"""The bundled model's own byte-level vocabulary.

51,865 pieces would be most of a small model; a thousand are enough for English. Words are cut as GPT-2 cuts them,
so the engine's tokenizer reads these pieces like those of any other Whisper.
"""

import json
from collections.abc import Sequence

from subwhisper.errors import MissingExtra
from subwhisper.model.vocabulary import Vocabulary, byte_pair_vocabulary, byte_symbols


def learn_vocabulary(sentences: Sequence[str], size: int, languages: Sequence[str] = ("en",)) -> Vocabulary:
    """Learn `size` byte pairs (Sennrich et al. 2016, arXiv:1508.07909) from sentences, each with a leading space.

    Args:
        sentences: to learn from.
        size: pieces, the 256 bytes among them.
        languages: codes that get a token.

    Raises:
        MissingExtra: the tokenizers package is not installed.
    """
    try:
        from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    except ImportError as error:
        raise MissingExtra("tokenizers", "train") from error
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    symbols = byte_symbols()
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=sorted(symbols.values()), show_progress=False)
    tokenizer.train_from_iterator((f" {sentence}" for sentence in sentences), trainer)
    ids: dict[str, int] = json.loads(tokenizer.to_str())["model"]["vocab"]
    byte_of = {symbol: bytes([byte]) for byte, symbol in symbols.items()}
    pieces = [b"".join(byte_of[symbol] for symbol in piece) for piece in sorted(ids, key=ids.__getitem__)]
    return byte_pair_vocabulary(pieces, languages)
