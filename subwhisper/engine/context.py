"""The text a window is told came before it."""

from collections.abc import Iterable, Sequence

_HOT = 0.5  # above this temperature a text was drawn too wildly to be built upon


class TextContext:
    """Collects tokens window by window and hands out the prompt for the next one.

    Remembers only as many as a prompt can hold, however long the recording.
    """

    def __init__(self, initial: Sequence[int], *, room: int, carry: bool, condition: bool) -> None:
        """Begin a recording.

        Args:
            initial: tokens of the initial prompt.
            room: most tokens a prompt can have.
            carry: the initial prompt stands before every window, not only the first.
            condition: recognised text stands before the next window.
        """
        self._initial, self._room, self._carry, self._condition = tuple(initial), room, carry, condition
        self._recent: list[int] = [] if carry else [*initial]

    def prompt(self) -> tuple[int, ...]:
        if not self._carry:
            return tuple(self._recent[-self._room :])
        left = max(0, self._room - len(self._initial))
        return (*self._initial, *(self._recent[-left:] if left else ()))

    def add(self, tokens: Iterable[int], temperature: float) -> None:
        """Take in the tokens of a window; forget everything so far if they must not be built upon."""
        self._recent = [*self._recent, *tokens][-self._room :]
        if not self._condition or temperature > _HOT:
            self._recent = []
