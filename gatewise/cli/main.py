"""The `gatewise` command: its verbs, and what becomes of whatever goes wrong in one."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from typing import TYPE_CHECKING

from cyclopts import App, CycloptsError, Parameter

from .._version import __version__
from ..errors import InputError
from . import flags

if TYPE_CHECKING:
    from collections.abc import Sequence

FAILED, WRONG_INPUT, STOPPED = 1, 2, 130

_EXAMPLES = """
Examples:

$ gatewise fit forecaster weather.csv --horizon 24 --out weather.model

$ gatewise predict weather.model weather.csv --out forecast.csv
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit status.

    Args:
        arguments: What stands after `gatewise`; those of the process by default.

    Returns:
        0 when it worked, 2 when the input was wrong, 130 when it was interrupted. A fault of
        the program itself is raised, with its traceback.

    Example:
        >>> main(["--version"])
        0.1.0
        0
    """
    try:
        app()(
            sys.argv[1:] if arguments is None else list(arguments),
            exit_on_error=False,
            print_error=False,
            verbose=False,
            result_action="return_value",
        )
        sys.stdout.flush()
    except CycloptsError as wrong:
        return _say(flags.sentence(wrong), WRONG_INPUT)
    except InputError as wrong:
        return _say(str(wrong), WRONG_INPUT)
    except KeyboardInterrupt as stop:
        return _say(str(stop) or "stopped", STOPPED)
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        _drop_output()
        return FAILED
    except OSError as fault:
        if fault.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        _drop_output()
        where = f" for {fault.filename}" if fault.filename else ""
        return _say(f"the disk is full{where}; make room and run it again", WRONG_INPUT)
    return 0


def app() -> App:
    """Build the command with all its verbs."""
    from .backtest import backtest
    from .chat import chat
    from .evaluate import evaluate
    from .explain import explain
    from .fit import fit
    from .generate import generate
    from .info import info
    from .predict import predict
    from .translate import translate
    from .watch import watch

    command = App(
        name="gatewise",
        help="The LSTM toolkit: fit a model to a table, forecast, and see how far to trust it.",
        help_epilogue=_EXAMPLES,
        help_format="plaintext",
        help_formatter=flags.Shelves(),
        version=__version__,
        config=(flags.settings_file, flags.whole_numbers),
        default_parameter=Parameter(
            negative_iterable=(), negative_none=(), consume_multiple=True, show_default=flags.shown
        ),
        suppress_keyboard_interrupt=False,
    )
    command.command(fit())
    for place, verb in enumerate(
        (predict, translate, chat, generate, watch, evaluate, backtest, info, explain), 1
    ):
        flags.add(command, verb, place)
    return command


def _drop_output() -> None:
    """Keep what is still buffered from failing once more when the process ends."""
    with contextlib.suppress(OSError):  # standard output is no file: nothing fails at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(sentence: str, status: int) -> int:
    print(f"gatewise: {sentence}", file=sys.stderr)
    return status
