"""Text to tokens and back, and what the special tokens of a checkpoint mean.

Everything follows from the checkpoint's own vocabulary; no id is written here. The one thing
asked of a vocabulary is Whisper's order: text, then `<|endoftext|>`, the other control tokens,
and last the timestamps, one for each 20 ms.
"""

import re
import string
from collections.abc import Iterable, Sequence
from functools import cached_property

import tiktoken

from subwhisper.errors import ModelError, OptionError
from subwhisper.languages import LANGUAGES, SPACELESS
from subwhisper.model.vocabulary import Vocabulary

# How GPT-2 cuts text before merging bytes (Radford et al. 2019); every Whisper vocabulary was made with it.
_PIECES = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""

_BRACKETS = "<< >> <<< >>> -- --- -( -[ (' (\" (( )) ((( ))) [[ ]] {{ }} ♪♪ ♪♪♪"
_UNSPOKEN = [*'"#()*+/:;<=>@[\\]^_`{|}~「」『』', *_BRACKETS.split()]
_MUSIC = "♩♪♫♬♭♮♯"  # share the first two of their three bytes with symbols that nobody speaks either
_TIMESTAMP = re.compile(r"<\|\d+\.\d\d\|>")
_UNDECODABLE = "\ufffd"


class Tokenizer:
    """The vocabulary of one checkpoint, with names for its special tokens."""

    def __init__(self, vocabulary: Vocabulary, *, is_multilingual: bool, reads_prompts: bool = True) -> None:
        """Read a vocabulary.

        Raises:
            ModelError: a special token that decoding needs is missing or out of order.
        """
        self._special = dict(vocabulary.special_tokens)
        self._ranks = dict(vocabulary.ranks)
        self.is_multilingual = is_multilingual
        self.eot = self._needed("<|endoftext|>")
        self.sot = self._needed("<|startoftranscript|>")
        self.no_timestamps = self._needed("<|notimestamps|>")
        self.timestamp_begin = self._needed("<|0.00|>")
        self.timestamp_end = 1 + max(token for name, token in self._special.items() if _TIMESTAMP.fullmatch(name))
        """One past the last timestamp; tokens a fine-tune added, or padding, may lie beyond it."""
        self.sot_prev = self._special.get("<|startofprev|>") if reads_prompts else None
        """What a prompt begins with; `None` where the model reads none."""
        self.sot_lm = self._special.get("<|startoflm|>")
        self.transcribe = self._special.get("<|transcribe|>")
        self.translate = self._special.get("<|translate|>")
        self.no_speech = self._special.get("<|nospeech|>", self._special.get("<|nocaptions|>"))
        self._check_order()

    def _needed(self, name: str) -> int:
        if name not in self._special:
            raise ModelError(f"the model's vocabulary has no {name}")
        return self._special[name]

    def _check_order(self) -> None:
        last_text = max(self._ranks.values(), default=-1)
        if not last_text < self.eot < self.timestamp_begin:
            raise ModelError("the model's special tokens do not follow its text tokens, as Whisper's do")

    @cached_property
    def _encoding(self) -> tiktoken.Encoding:
        return tiktoken.Encoding("whisper", pat_str=_PIECES, mergeable_ranks=self._ranks, special_tokens=self._special)

    @cached_property
    def _bytes(self) -> dict[int, bytes]:
        pieces = {token: piece for piece, token in self._ranks.items()}
        return pieces | {token: name.encode() for name, token in self._special.items()}

    @cached_property
    def language_tokens(self) -> dict[str, int]:
        """Language code to token, in the order of the tokens; empty for a model of one language."""
        if not self.is_multilingual:
            return {}
        known = {code: self._special[f"<|{code}|>"] for code in LANGUAGES if f"<|{code}|>" in self._special}
        return dict(sorted(known.items(), key=lambda pair: pair[1]))

    @property
    def can_translate(self) -> bool:
        return self.is_multilingual and self.translate is not None

    def encode(self, text: str) -> list[int]:
        """Tokens of plain text; names of special tokens in it are read as text."""
        return self._encoding.encode_ordinary(text)

    def encode_prompt(self, text: str | None) -> list[int]:
        """Tokens of text that stands before a window or begins it; none of no text."""
        return self.encode(f" {text.strip()}") if text else []

    def decode(self, tokens: Iterable[int]) -> str:
        """Text of the tokens, timestamps left out."""
        return self.decode_with_timestamps(token for token in tokens if token < self.timestamp_begin)

    def decode_with_timestamps(self, tokens: Iterable[int]) -> str:
        """Text of the tokens, timestamps written as `<|1.08|>`. Ids without a piece say nothing."""
        return b"".join(self._bytes.get(token, b"") for token in tokens).decode("utf-8", errors="replace")

    @property
    def n_start(self) -> int:
        """Length of every start sequence."""
        return 3 if self.is_multilingual else 1

    def start_sequence(self, language: str, task: str) -> tuple[int, ...]:
        """The control tokens a window begins with, `<|notimestamps|>` left out.

        Raises:
            OptionError: the model does not know the language.
        """
        if not self.is_multilingual:
            return (self.sot,)
        if language not in self.language_tokens:
            raise OptionError(
                f"the model does not know {LANGUAGES.get(language, language)}",
                hint=f"it knows {', '.join(self.language_tokens)}",
            )
        task_token = self._needed(f"<|{task}|>")
        return (self.sot, self.language_tokens[language], task_token)

    @cached_property
    def control_tokens(self) -> tuple[int, ...]:
        """Tokens that steer decoding and are never part of its text."""
        named = (self.transcribe, self.translate, self.sot, self.sot_prev, self.sot_lm, self.no_speech)
        return tuple(sorted(token for token in named if token is not None))

    @cached_property
    def non_speech_tokens(self) -> tuple[int, ...]:
        """Symbols of captions that are not spoken: speaker tags, brackets, music.

        Plain punctuation stays; hyphen and apostrophe are refused only at the start of a word.
        """
        found = set()
        for symbol in [*_UNSPOKEN, *_MUSIC, "-", "'"]:
            for text in (" " + symbol, symbol) if symbol not in "-'" else (" " + symbol,):
                tokens = self.encode(text)
                begins = len(self._bytes[tokens[0]].strip()) >= 2 and symbol in _MUSIC
                if len(tokens) == 1 or begins:
                    found.add(tokens[0])
        return tuple(sorted(found))

    def split_to_word_tokens(self, tokens: Sequence[int], language: str) -> list[tuple[str, tuple[int, ...]]]:
        """Cut tokens into words: at spaces, or between characters where the language has no spaces.

        Args:
            tokens: text tokens, possibly followed by special ones, each of which is a word.
            language: code; it decides how to cut.
        """
        characters = self._split_on_characters(tokens)
        if self.is_multilingual and language in SPACELESS:
            return characters
        words: list[tuple[str, tuple[int, ...]]] = []
        for text, piece in characters:
            is_own_word = piece[0] >= self.eot or text.startswith(" ") or text.strip() in string.punctuation
            if is_own_word or not words:
                words.append((text, piece))
            else:
                words[-1] = (words[-1][0] + text, words[-1][1] + piece)
        return words

    def _split_on_characters(self, tokens: Sequence[int]) -> list[tuple[str, tuple[int, ...]]]:
        """Cut wherever the bytes so far are whole characters (or the text itself is broken there)."""
        whole = self.decode_with_timestamps(tokens)
        pieces: list[tuple[str, tuple[int, ...]]] = []
        pending: tuple[int, ...] = ()
        n_read = 0
        for token in tokens:
            pending += (token,)
            text = self.decode_with_timestamps(pending)
            broken_at = text.find(_UNDECODABLE)
            if broken_at < 0 or whole[n_read + broken_at : n_read + broken_at + 1] == _UNDECODABLE:
                pieces.append((text, pending))
                pending = ()
                n_read += len(text)
        return pieces
