import pytest

from subwhisper.engine.context import TextContext

A, B = [1, 2, 3], [4, 5]


def prompts(
    *, carry: bool = False, condition: bool = True, room: int = 8, temperatures: tuple[float, ...], **more: object
) -> list:
    context = TextContext([90, 91], room=room, carry=carry, condition=condition, **more)
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
        ({"temperatures": (0.6, 0.9), "reset_above": 0.8}, [(90, 91), (90, 91, 1, 2, 3), ()]),
        ({"temperatures": (0, 0), "hotwords": [7]}, [(7, 90, 91), (7, 90, 91, 1, 2, 3), (7, 90, 91, 1, 2, 3, 4, 5)]),
        ({"temperatures": (0.6, 0), "hotwords": [7], "room": 4}, [(7, 90, 91), (7,), (7, 4, 5)]),
        ({"temperatures": (0, 0), "hotwords": [7], "condition": False}, [(7, 90, 91), (7,), (7,)]),
        (
            {"temperatures": (0, 0), "hotwords": [7], "carry": True, "room": 4},
            [(7, 90, 91), (7, 90, 91, 3), (7, 90, 91, 5)],
        ),
    ],
)
def test_the_prompt_of_each_window(options: dict, expected: list) -> None:
    assert prompts(**options) == expected


def test_hotwords_beyond_a_prompts_room_are_told_of(caplog: pytest.LogCaptureFixture) -> None:
    context = TextContext([], room=3, carry=False, condition=True, hotwords=[7, 8, 9, 10])
    assert "3 of 4 tokens of the hotwords" in caplog.text
    context.add(A, 0)
    assert context.prompt() == (7, 8, 9)
