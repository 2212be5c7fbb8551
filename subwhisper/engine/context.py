"""The text a window is told came before it."""

import logging
from collections.abc import Iterable, Sequence

from subwhisper.engine.options import TranscribeOptions

_log = logging.getLogger(__name__)


class TextContext:
    """Collects tokens window by window and hands out the prompt for the next one.

    Remembers only as many as a prompt can hold, however long the recording.
    """

    def __init__(
        self,
        initial: Sequence[int],
        *,
        room: int,
        carry: bool,
        condition: bool,
        hotwords: Sequence[int] = (),
        reset_above: float = TranscribeOptions.prompt_reset_on_temperature,
    ) -> None:
        """Begin a recording.

        Args:
            initial: tokens of the initial prompt.
            room: most tokens a prompt can have.
            carry: the initial prompt stands before every window, not only the first.
            condition: recognised text stands before the next window.
            hotwords: tokens of names and terms that stand first of all, before every window.
            reset_above: a text drawn at a higher temperature is too wild to be built upon.
        """
        if len(hotwords) > room:
            _log.warning("only the first %d of %d tokens of the hotwords have room in a prompt", room, len(hotwords))
        self._room, self._condition, self._reset_above = room, condition, reset_above
        self._always = (*hotwords[:room], *(initial if carry else ()))
        self._recent: list[int] = [] if carry else [*initial]

    def prompt(self) -> tuple[int, ...]:
        left = max(0, self._room - len(self._always))
        return (*self._always, *(self._recent[-left:] if left else ()))

    def add(self, tokens: Iterable[int], temperature: float) -> None:
        """Take in the tokens of a window; forget everything so far if they must not be built upon."""
        self._recent = [*self._recent, *tokens][-self._room :]
        if not self._condition or temperature > self._reset_above:
            self._recent = []
