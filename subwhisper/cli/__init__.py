"""The command line: every command, and the one place where an expected error becomes a line and an exit code."""

import logging
import os
import signal
import stat
import sys
from collections.abc import Sequence
from errno import EDQUOT, ENOSPC, EROFS
from typing import Annotated, Any, NoReturn

import typer

from subwhisper import __version__
from subwhisper.cli import console, fonts, journal, models
from subwhisper.cli.align import align
from subwhisper.cli.argv import Grammar, normalise
from subwhisper.cli.batch import batch
from subwhisper.cli.bench import bench
from subwhisper.cli.burn import burn
from subwhisper.cli.captions import check, layout
from subwhisper.cli.convert import convert
from subwhisper.cli.detect import detect
from subwhisper.cli.diff import diff
from subwhisper.cli.doctor import DoctorArguments, run_doctor
from subwhisper.cli.fetch import fetch
from subwhisper.cli.media import extract, mux, probe
from subwhisper.cli.options import NONE_IS_A_VALUE, as_command
from subwhisper.cli.plan import plan
from subwhisper.cli.subtitles import merge, shift, split, stretch, sync
from subwhisper.cli.train import evaluate, finetune, learn
from subwhisper.cli.transcribe import transcribe, translate
from subwhisper.errors import ConfigError, ModelError, OptionError, OutputError, SubwhisperError
from subwhisper.settings import config_files, default_map

PROGRAM = "subwhisper"
DOCTOR = "doctor"
_DISK_ERRORS = (ENOSPC, EDQUOT, EROFS)
"""Where temporary files are kept; results have errors of their own."""
_NOBODY = logging.NullHandler()
INTERRUPTED = 130
TERMINATED = 143
_HANGUP = getattr(signal, "SIGHUP", signal.SIGTERM)  # Windows has none
HUNG_UP = 129

# Typer does not export the class of its usage errors, only one that is derived from it.
_USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]


def _check_configuration() -> None:
    _configuration(Grammar.of(typer.main.get_command(app)))


app = typer.Typer(
    name=PROGRAM,
    pretty_exceptions_enable=False,  # a bug shows a plain traceback
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("transcribe")(transcribe)
app.command("translate")(translate)
app.command("detect")(detect)
app.command("align")(align)
app.command("burn")(burn)
app.command("probe")(probe)
app.command("extract")(extract)
app.command("mux")(mux)
app.command("fetch")(fetch)
app.command("convert")(convert)
app.command("layout")(layout)
app.command("check")(check)
app.command("shift")(shift)
app.command("stretch")(stretch)
app.command("sync")(sync)
app.command("merge")(merge)
app.command("split")(split)
app.command("diff")(diff)
app.command("evaluate")(evaluate)
app.command("finetune")(finetune)
app.command("learn")(learn)
app.command(DOCTOR)(as_command(DoctorArguments, run_doctor, fixed={"check_configuration": _check_configuration}))
app.add_typer(fonts.app, name="fonts")
app.add_typer(models.app, name="models")
app.add_typer(journal.app, name="journal")
app.command("batch")(batch)
app.command("plan")(plan)
app.command("bench")(bench)


def _show_version(wanted: bool) -> None:
    if wanted:
        console.write_data(f"{PROGRAM} {__version__}")
        raise typer.Exit


@app.callback()
def program(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Turn anything with speech in it into captions."""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command line; expected errors become one line and an exit code, bugs keep their traceback."""
    signal.signal(signal.SIGTERM, _terminate)
    if signal.getsignal(_HANGUP) is signal.SIG_DFL:  # else somebody wants the work to outlive the terminal
        signal.signal(_HANGUP, _hang_up)
    logging.getLogger().addHandler(_NOBODY)  # else pysubs2's first word sets up printing, and all is said twice
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        raise SystemExit(_run(words))
    except KeyboardInterrupt:
        console.fail(SubwhisperError("interrupted; no result is left half-written"))
        raise SystemExit(INTERRUPTED) from None
    except SubwhisperError as error:
        console.fail(error)
        raise SystemExit(error.exit_code) from error
    except (MemoryError, RuntimeError) as error:
        lack = _lack_of_memory(error)
        if lack is None:
            raise
        console.fail(lack)
        raise SystemExit(lack.exit_code) from error
    except OSError as error:
        if error.errno not in _DISK_ERRORS:
            raise
        where = f"{error.filename} could not be written" if error.filename else "something could not be written"
        full = OutputError(f"{where}: {error.strerror}", hint="TMPDIR can name a roomier folder for temporary files")
        console.fail(full)
        raise SystemExit(full.exit_code) from error


def _lack_of_memory(error: Exception) -> SubwhisperError | None:
    """Memory that ran out is no bug; everything else is."""
    from subwhisper.engine.device import lack_of_memory  # brings torch, which has been there if it complains

    complaint = lack_of_memory(error)
    hint = "use a smaller --model, or close other programs"
    return None if complaint is None else ModelError(f"there is not enough memory: {complaint}", hint=hint)


def _run(words: list[str]) -> int:
    command: Any = typer.main.get_command(app)
    command.rich_markup_mode = None  # the list of commands comes at once; rich takes longer than all the rest
    grammar = Grammar.of(command)
    asks_for_help = {"-h", "--help", "--version"} & {*words}
    respelt = normalise(words, grammar, none_is_a_value=NONE_IS_A_VALUE)
    # Help must be had even when a configuration file is broken, and doctor tells of it among the rest.
    configured = {} if asks_for_help else _configuration(grammar, needed=words[0:1] != [DOCTOR])
    try:
        code = command(args=respelt, prog_name=PROGRAM, default_map=configured, standalone_mode=False) or 0
    except typer.Abort:  # Ctrl-C, in some versions of Typer
        raise KeyboardInterrupt from None
    except _USAGE_ERROR as error:
        raise _explained(error) from error
    if code == INTERRUPTED:  # Ctrl-C, in others
        raise KeyboardInterrupt
    return code


def _configuration(grammar: Grammar, *, needed: bool = True) -> dict[str, Any]:
    try:
        return default_map(config_files(), grammar.leaves())
    except ConfigError:
        if needed:
            raise
        return {}


def _explained(error: Any) -> SubwhisperError:
    """A usage error of Typer's as one of ours, with the file to blame where it came from one."""
    message = " ".join(error.format_message().split()).rstrip(".")
    parameter = getattr(error, "param", None)
    source = error.ctx.get_parameter_source(parameter.name) if error.ctx and parameter else None
    if source is not None and source.name == "DEFAULT_MAP":
        files = " or ".join(str(path) for path in config_files())
        return ConfigError(f"{files}: {message[0].lower()}{message[1:]}")
    command = error.ctx.command_path if error.ctx else PROGRAM
    return OptionError(message[0].lower() + message[1:], hint=f"{command} --help")


def _terminate(number: int, frame: object) -> NoReturn:
    # An exception unwinds the stack, so that files being written and processes started are seen to.
    raise SystemExit(TERMINATED)


def _hang_up(signal_number: int, frame: object) -> NoReturn:
    # Nobody reads what is said to a terminal that is gone, and saying it is an error.
    with open(os.devnull, "wb") as nowhere:
        for number in (1, 2):
            if stat.S_ISCHR(os.fstat(number).st_mode):
                os.dup2(nowhere.fileno(), number)
    raise SystemExit(HUNG_UP)
