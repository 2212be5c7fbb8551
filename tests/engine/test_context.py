import pytest

from subwhisper.engine.context import TextContext

A, B = [1, 2, 3], [4, 5]


def prompts(*, carry: bool = False, condition: bool = True, room: int = 8, temperatures: tuple[float, ...]) -> list:
    context = TextContext([90, 91], room=room, carry=carry, condition=condition)
    seen = [context.prompt()]
    for tokens, temperature in zip((A, B), temperatures, strict=True):
        context.add(tokens, temperature)
        seen.append(context.prompt())
    return seen


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"temperatures": (0, 0)}, [(90, 91), (90, 91, 1, 2, 3), (90, 91, 1, 2, 3, 4, 5)]),
        ({"temperatures": (0.6, 0)}, [(90, 91), (), (4, 5)]),
        ({"temperatures": (0, 0), "condition": False}, [(90, 91), (), ()]),
        ({"temperatures": (0, 0), "room": 4}, [(90, 91), (91, 1, 2, 3), (2, 3, 4, 5)]),
        ({"temperatures": (0.6, 0), "carry": True}, [(90, 91), (90, 91), (90, 91, 4, 5)]),
        ({"temperatures": (0, 0), "carry": True, "condition": False}, [(90, 91)] * 3),
        ({"temperatures": (0, 0), "carry": True, "room": 4}, [(90, 91), (90, 91, 2, 3), (90, 91, 4, 5)]),
        ({"temperatures": (0, 0), "carry": True, "room": 2}, [(90, 91)] * 3),
    ],
)
def test_the_prompt_of_each_window(options: dict, expected: list) -> None:
    assert prompts(**options) == expected
