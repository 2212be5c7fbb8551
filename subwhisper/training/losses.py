"""What training asks of the network.

Three answers, weighed and added:

- the next token (cross-entropy), as Whisper itself is trained; a timestamp a little off is a little wrong;
- the speech sound at every encoder position, known exactly for synthesised speech. It gives the encoder
  something to learn from the first step on, where token errors alone leave it on a plateau;
- attention: half of each decoder layer's heads are told where to look. In the last layer, at the sound of the
  token to come: they become the alignment heads. Below it, at the sound of the token just read, which can be
  found by its content; the last layer then only has to look a little further. Recognition starts much sooner
  than when the decoder has to find the sound by itself, and word times are sharp.

Shapes: B stretches, T tokens, A positions, D width, C phoneme classes, N alignment heads.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from subwhisper.model.vocabulary import N_TIMESTAMPS
from subwhisper.model.whisper import Whisper
from subwhisper.training.dataset import Batch

PHONEME_WEIGHT = 0.5
"""Of the speech sounds' loss, where those of tokens and of attention count once."""


@dataclass(frozen=True, slots=True)
class Losses:
    """Mean loss of each answer, and the sum that is minimised."""

    token: Tensor
    phoneme: Tensor
    attention: Tensor
    total: Tensor
    phoneme_accuracy: Tensor


class Trainee(nn.Module):
    """A network and the classifier of speech sounds that only training needs."""

    def __init__(
        self,
        network: Whisper,
        n_classes: int,
        looking_back: Sequence[tuple[int, int]],
        looking_on: Sequence[tuple[int, int]],
    ) -> None:
        super().__init__()
        self.network = network
        self.sounds = nn.Linear(network.dims.n_audio_state, n_classes)
        self.looking_back = tuple(looking_back)
        """Heads that look at the token just read."""
        self.looking_on = tuple(looking_on)
        """Heads that look at the token to come."""

    def forward(self, batch: Batch) -> Losses:
        features = self.network.encoder(batch.mel, batch.first_position)
        sounds = self.sounds(features).float()
        heads = (*self.looking_back, *self.looking_on)
        heard = self.network.decoder.hear_to_learn(features)
        logits, scores = self.network.attention_scores(batch.tokens, heard, heads)
        phoneme = functional.cross_entropy(sounds.flatten(0, 1), batch.phonemes.flatten())
        token = token_loss(logits, batch.targets, self.network.dims.n_vocab - N_TIMESTAMPS)
        back, on = torch.split(scores.float(), [len(self.looking_back), len(self.looking_on)], dim=1)
        attention = attention_loss(on, batch.listens) + attention_loss(back, just_read(batch.listens))
        total = token + PHONEME_WEIGHT * phoneme + attention
        accuracy = (sounds.argmax(-1) == batch.phonemes).float().mean()
        return Losses(token.detach(), phoneme.detach(), attention.detach(), total, accuracy)


TIMESTAMP_SPREAD = 2.5
"""Standard deviation, in positions of 20 ms, of what counts as the right timestamp."""
TIMESTAMP_WEIGHT = 2.0
"""Of a timestamp, in text tokens: there are few of them and many values to tell apart."""


def token_loss(logits: Tensor, targets: Tensor, timestamp_begin: int) -> Tensor:
    """Cross-entropy of the next token; a timestamp's neighbours are partly right.

    Args:
        logits: (B, T, V); the last ids are the timestamps.
        targets: (B, T), IGNORE where nothing is asked.
        timestamp_begin: the id of 0.00.
    """
    is_text = (targets >= 0) & (targets < timestamp_begin)
    is_timestamp = targets >= timestamp_begin
    text = functional.cross_entropy(logits[is_text], targets[is_text], reduction="sum")
    logprobs = functional.log_softmax(logits[is_timestamp], dim=-1)
    steps = torch.arange(-8, 9, device=logits.device)
    share = torch.softmax(-0.5 * (steps / TIMESTAMP_SPREAD) ** 2, dim=0)
    near = (targets[is_timestamp][:, None] + steps).clamp(timestamp_begin, logits.shape[-1] - 1)
    timestamps = -(logprobs.gather(1, near) * share).sum()
    n_answers = is_text.sum() + TIMESTAMP_WEIGHT * is_timestamp.sum()
    return (text + TIMESTAMP_WEIGHT * timestamps) / n_answers.clamp(min=1)


def just_read(listens: Tensor) -> Tensor:
    """Where each token that is read was heard: (B, T, 2) of the tokens to come, one step later."""
    return functional.pad(listens, (0, 0, 1, 0))[:, :-1]


def attention_loss(scores: Tensor, listens: Tensor) -> Tensor:
    """Mean of -log(attention inside the known span), over tokens with a span and heads.

    Args:
        scores: (B, N, T, A) before softmax.
        listens: (B, T, 2) first and last + 1 position; equal where unknown.
    """
    at = torch.arange(scores.shape[-1], device=scores.device)
    inside = (at >= listens[..., :1]) & (at < listens[..., 1:])  # (B, T, A)
    known = inside.any(-1)
    if not known.any() or not scores.shape[1]:
        return scores.sum() * 0.0
    # picked first: the rows without a span would be -inf, and their gradient NaN
    chosen = scores.transpose(1, 2)[known]  # (K, N, A)
    heard = chosen.masked_fill(~inside[known][:, None], float("-inf")).logsumexp(-1)
    return (chosen.logsumexp(-1) - heard).mean()
