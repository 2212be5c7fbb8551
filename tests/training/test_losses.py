import math

import torch

from subwhisper.training.losses import attention_loss, just_read, token_loss


def test_attention_on_the_right_place_costs_nothing() -> None:
    scores = torch.full((1, 1, 2, 10), -30.0)
    scores[0, 0, 0, 2:4] = 0.0
    scores[0, 0, 1, 7] = 0.0
    assert attention_loss(scores, torch.tensor([[[2, 4], [7, 8]]])).item() < 1e-6


def test_attention_spread_evenly_costs_the_logarithm_of_the_share() -> None:
    loss = attention_loss(torch.zeros(1, 1, 1, 10), torch.tensor([[[0, 2]]]))
    assert math.isclose(loss.item(), math.log(5), rel_tol=1e-5)


def test_tokens_without_a_known_place_count_for_nothing() -> None:
    scores = torch.randn(1, 1, 2, 10, requires_grad=True)
    loss = attention_loss(scores, torch.tensor([[[0, 0], [0, 3]]]))
    loss.backward()
    assert scores.grad is not None
    assert torch.isfinite(scores.grad).all()
    assert scores.grad[0, 0, 0].abs().sum() == 0


def test_the_token_just_read_was_heard_one_step_before() -> None:
    listens = torch.tensor([[[1, 2], [3, 4], [5, 6]]])
    assert just_read(listens).tolist() == [[[0, 0], [1, 2], [3, 4]]]


def test_a_near_timestamp_costs_less_than_a_far_one() -> None:
    def cost(answer: int) -> float:
        logits = torch.full((1, 1, 120), -4.0)
        logits[0, 0, answer] = 4.0
        return token_loss(logits, torch.tensor([[60]]), timestamp_begin=10).item()

    assert cost(60) < cost(62) < cost(66) < cost(90)
    assert cost(90) <= cost(5) + 1e-4, "a text token is no better than a wrong timestamp"


def test_without_timestamps_it_is_cross_entropy() -> None:
    logits, targets = torch.randn(2, 3, 50), torch.tensor([[1, 2, -100], [3, -100, 4]])
    expected = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100)
    assert math.isclose(token_loss(logits, targets, timestamp_begin=10).item(), expected.item(), rel_tol=1e-5)
