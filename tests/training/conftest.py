"""Fixtures of the training tests."""

import pytest

from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.errors import ToolError
from subwhisper.model.vocabulary import byte_pair_vocabulary
from subwhisper.training.synthesis import Espeak


@pytest.fixture(scope="session")
def espeak() -> Espeak:
    try:
        return Espeak()
    except ToolError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def byte_tokenizer() -> Tokenizer:
    """One token a letter: labels can be read by eye."""
    return Tokenizer(byte_pair_vocabulary([bytes([b]) for b in range(256)], ["en"]), is_multilingual=False)
