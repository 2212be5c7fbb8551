"""The command line as people type it, respelt as Typer reads it.

Options of openai-whisper work as they are: `--beam_size 5`, `--word_timestamps True`,
`--no_speech_threshold None`. An option nobody knows is refused here, with the nearest one that exists.
"""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from subwhisper.errors import OptionError

_FEW = 3
"""Commands that an option of theirs leads to, when it is given to another."""
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "none": None}
"""Words that may follow an option which is on or off; `None` leaves it as it would be without."""


@dataclass(frozen=True, slots=True)
class Option:
    """One spelling of an option."""

    spelling: str
    """As Typer knows it."""
    parameter: str
    takes_value: bool
    opposite: str | None = None
    """For an option that is on or off: the spelling that says the contrary."""
    negative: bool = False
    """Whether this spelling is the one that says no."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """What one command understands."""

    options: Mapping[str, Option]
    """By every spelling, short and long."""
    commands: Mapping[str, "Grammar"] = field(default_factory=dict)

    @classmethod
    def of(cls, command: Any) -> "Grammar":
        """Read a Typer command, and those below it.

        Its type is one that Typer keeps to itself.
        """
        options = {name: Option(name, "help", takes_value=False) for name in ("--help", "-h")}
        for parameter in command.params:
            if parameter.param_type_name != "option":
                continue
            yes, no = parameter.opts, parameter.secondary_opts
            takes_value = not parameter.is_flag
            for ours, theirs in ((yes, no), (no, yes)):
                for spelling in ours:
                    opposite = theirs[0] if theirs else None
                    options[spelling] = Option(spelling, parameter.name, takes_value, opposite, ours is no)
        below = {name: cls.of(below) for name, below in getattr(command, "commands", {}).items()}
        return cls(options, below)

    def keys(self) -> dict[str, str]:
        """What a configuration file may say: long name without its hyphens -> parameter."""
        longs = {spelling[2:]: option for spelling, option in self.options.items() if spelling.startswith("--")}
        return {name: it.parameter for name, it in longs.items() if not it.negative and it.parameter != "help"}

    def leaves(self, path: str = "") -> dict[str, dict[str, str]]:
        """Every command that does something, as it is typed -> what a configuration file may say to it."""
        if not self.commands:
            return {path: self.keys()}
        below = (grammar.leaves(f"{path} {name}".lstrip()) for name, grammar in self.commands.items())
        return {command: keys for group in below for command, keys in group.items()}


def normalise(argv: Sequence[str], grammar: Grammar, *, none_is_a_value: Collection[str] = ()) -> list[str]:
    """Respell a command line.

    Args:
        argv: without the program's name.
        grammar: of the whole program.
        none_is_a_value: options for which `None` says something, instead of taking the option back.

    Raises:
        OptionError: an option or command that does not exist, or a switch with neither yes nor no.
    """
    respelt: list[str] = []
    rest, program = deque(argv), grammar
    while rest:
        argument = rest.popleft()
        if argument == "--":
            return [*respelt, argument, *rest]
        if argument.startswith("--"):
            _refuse_unknown(argument, grammar, program)
            respelt += _long(argument, rest, grammar, none_is_a_value)
        elif argument.startswith("-") and argument != "-":
            respelt += _short(argument, rest, grammar)
        else:
            respelt.append(argument)
            if grammar.commands:
                grammar = _command(argument, grammar)
    if grammar.commands and not any(word.startswith("-") for word in respelt):
        respelt.append("--help")  # the name of a group alone asks what is in it
    return respelt


def _refuse_unknown(argument: str, grammar: Grammar, program: Grammar) -> None:
    typed = argument.partition("=")[0]
    name = typed.replace("_", "-")
    if name in grammar.options:
        return
    near = get_close_matches(name, grammar.options, n=1)
    hint = f"did you mean {near[0]}?" if near else "--help lists the options"
    having = [command for command, its in program.commands.items() if name in its.options]
    if 0 < len(having) <= _FEW:
        hint = f"that is an option of: {', '.join(f'subwhisper {command}' for command in having)}"
    raise OptionError(f"no such option: {typed}", hint=hint)


def _long(argument: str, rest: deque[str], grammar: Grammar, none_is_a_value: Collection[str]) -> list[str]:
    name, equals, value = argument.partition("=")
    option = grammar.options[name.replace("_", "-")]
    if not option.takes_value:
        word = value if equals else rest.popleft() if rest and rest[0].lower() in _TRUTH else "true"
        return _switch(option, word)
    if not equals:
        if not rest:
            return [option.spelling]  # Typer says what is missing
        if rest[0].partition("=")[0].replace("_", "-") in grammar.options:
            hint = f"{option.spelling}={rest[0]} if that is the value"
            raise OptionError(f"{option.spelling} has no value, but {rest[0]} after it", hint=hint)
        value = rest.popleft()
    if value == "None" and option.spelling not in none_is_a_value:
        return []
    return [option.spelling, value]


def _switch(option: Option, word: str) -> list[str]:
    if word.lower() not in _TRUTH:
        raise OptionError(f"{option.spelling} is on or off, not {word!r}", hint="give True or False, or nothing")
    wanted = _TRUTH[word.lower()]
    chosen = {True: option.spelling, False: option.opposite, None: None}[wanted]
    return [chosen] if chosen else []


def _short(argument: str, rest: deque[str], grammar: Grammar) -> list[str]:
    option = grammar.options.get(argument)
    if option and option.takes_value and rest:
        return [argument, rest.popleft()]  # the value may look like an option: -1, -
    return [argument]


def _command(name: str, grammar: Grammar) -> Grammar:
    if name in grammar.commands:
        return grammar.commands[name]
    near = get_close_matches(name, grammar.commands, n=1)
    hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(grammar.commands)}"
    if "transcribe" in grammar.commands and _names_a_file(name):
        hint = f"did you mean: subwhisper transcribe {name}"
    raise OptionError(f"no such command: {name}", hint=hint)


def _names_a_file(name: str) -> bool:
    try:
        return Path(name).exists()
    except (OSError, ValueError):
        return False
