"""Which language is spoken in a window."""

import torch
from torch import Tensor

from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.model.whisper import Whisper


def detect_language(model: Whisper, tokenizer: Tokenizer, features: Tensor) -> list[dict[str, float]]:
    """Ask the network for the language token after the start token.

    Args:
        model: a multilingual one.
        tokenizer: of the same checkpoint; its languages are the candidates.
        features: (B, A, D) from `Whisper.encode`.

    Returns:
        For each window, the probability of every language, the most probable first.
    """
    languages = tokenizer.language_tokens
    with torch.inference_mode():
        start = torch.full((len(features), 1), tokenizer.sot, device=features.device)
        logits = model.decode(start, model.start(features, capacity=1))[:, 0]
        chosen = torch.tensor(list(languages.values()), device=features.device)
        probabilities = logits[:, chosen].softmax(dim=-1).tolist()
    ranked = [sorted(zip(languages, row, strict=True), key=lambda pair: -pair[1]) for row in probabilities]
    return [dict(row) for row in ranked]
