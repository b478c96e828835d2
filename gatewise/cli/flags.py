"""Flags from signatures: what the command line asks of the library that derives them."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from cyclopts import App, CycloptsError
from cyclopts.config import Dict
from cyclopts.exceptions import (
    CoercionError,
    MissingArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
)
from cyclopts.help import DefaultFormatter

from ..errors import InputError, nearest
from .form import flowing
from .settings import flat, read_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from cyclopts import ArgumentCollection


def tasks() -> dict[str, type]:
    """Find what can be fitted, by its verb.

    Example:
        >>> tasks()["forecaster"].__name__
        'Forecaster'
    """
    package = importlib.import_module("gatewise.tasks")
    found = {name: getattr(package, name) for name in package.TASKS}
    return {task.verb or verb(name): task for name, task in found.items()}


def verb(name: str) -> str:
    """Write a class's name as it is written on the command line.

    Example:
        >>> verb("AnomalyDetector")
        'anomaly-detector'
    """
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")


def add(app: App, function: Callable, place: int) -> None:
    """Add a verb: its flags are its signature, its help and its example its docstring."""
    summary, example = described(function)
    function.__doc__ = flowing(inspect.getdoc(function) or "")
    app.command(function, help=summary, help_epilogue=example, sort_key=place)


def described(documented: Any) -> tuple[str, str]:
    """Split a docstring into what stands before its sections, and its example."""
    text = flowing(inspect.getdoc(documented) or "")
    before = text.split("\nArgs:")[0].split("\nExample:")[0].strip()
    example = text.partition("\nExample:")[2].strip()
    return before, f"Example:\n\n{example}" if example else ""


def shown(value: Any) -> str:
    """Write a default as it would be typed; nothing where there is none to type."""
    if value is None or value is False or value == ():
        return ""
    if isinstance(value, (tuple, list)):
        return " ".join(map(str, value))
    return str(value)


def settings_file(app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
    """Fill flags that were not typed from the file named with `--config`.

    Raises:
        InputError: The file is missing, no TOML, or names what there is no flag for.
    """
    chosen = next((a for a in arguments if a.name == "--config" and a.tokens), None)
    if chosen is None:
        return
    path = Path(chosen.tokens[-1].value)
    settings = read_settings(path)
    known = {name.lstrip("-").replace("-", "_") for a in arguments for name in a.names} - {"config"}
    for name in flat(settings):
        if name.replace("-", "_") not in known:
            raise InputError(f"{path} sets {name!r}, which is no flag here: {nearest(name, known)}")
    Dict(settings, source=str(path), use_commands_as_keys=False)(app, commands, arguments)


def whole_numbers(app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
    """Refuse 1.5 where a whole number is asked for, which would be rounded otherwise.

    Raises:
        InputError: What was typed, or stands in the settings, is no whole number.
    """
    for argument in arguments:
        if argument.hint not in (int, int | None):
            continue
        for token in argument.tokens:
            if not re.fullmatch(r"[+-]?\d+", token.value.strip()):
                raise InputError(
                    f"{argument.name} is {token.value!r}, and has to be a whole number, 24 for "
                    "instance"
                )


def sentence(wrong: CycloptsError) -> str:
    """Say in one sentence what was typed wrongly."""
    cause = wrong.__cause__
    while cause is not None:
        if isinstance(cause, InputError):
            return str(cause)
        cause = cause.__cause__
    chain = " ".join(("gatewise", *(wrong.command_chain or ())))
    advice = f"`{chain} --help` shows an example"
    if isinstance(wrong, MissingArgumentError) and wrong.argument is not None:
        name = wrong.argument.name
        for word in wrong.unused_tokens or ():
            if word.startswith("--") and nearest(word, [name]).startswith("did you mean"):
                return f"there is no flag {word}: {nearest(word, [name])}"
        if wrong.argument.tokens:
            return f"{name} needs a value; {advice}"
        if wrong.argument.index is not None:
            name = name.lstrip("-").upper()
        return f"{name} is missing; {advice}"
    if isinstance(wrong, UnusedCliTokensError):
        words = " ".join(wrong.unused_tokens or ())
        return f"nothing here takes {words!r}; {advice}"
    if isinstance(wrong, UnknownOptionError):
        word = (wrong.token.keyword or wrong.token.value).split("=")[0]
        known = [name[2:] for a in wrong.argument_collection for name in a.names]
        close = nearest(word.lstrip("-"), known).replace("'", "'--", 1)
        return f"there is no flag {word}: {close if close.startswith('did') else advice}"
    if isinstance(wrong, UnknownCommandError) and wrong.app and wrong.unused_tokens:
        verbs = [name for name in wrong.app if not name.startswith("-")]
        word = wrong.unused_tokens[0]
        return f"{chain} has no command {word!r}: {nearest(word, verbs)}"
    if isinstance(wrong, CoercionError) and wrong.token and get_args(wrong.target_type):
        choices, word = get_args(wrong.target_type), wrong.token.value
        flag = wrong.token.keyword or "a value"
        return f"{flag} is {word!r}, and has to be one of {', '.join(map(str, choices))}"
    said = " ".join(str(wrong).split())
    return said[:1].lower() + said[1:]


class Shelves(DefaultFormatter):
    """Help in groups: `--encoder.` and `--trainer.` flags apart from the verb's own."""

    def __call__(self, console: Any, options: Any, panel: Any) -> None:
        """Print one panel for each group of flags."""
        groups: dict[str, list[Any]] = {}
        for entry in map(_plain, panel.entries):
            first = entry.names[0] if entry.names else ""
            group = first.lstrip("-").partition(".")[0] if "." in first else ""
            groups.setdefault(group, []).append(entry)
        for group, entries in sorted(groups.items(), key=lambda item: item[0] != ""):
            title = group.capitalize() if group else panel.title
            super().__call__(console, options, panel.copy(title=title, entries=entries))


def _plain(entry: Any) -> Any:
    """Drop what teaches nothing: an empty default, and `--no-x` where x is off anyway."""
    if entry.default:
        return entry
    return entry.copy(default=None, negative_names=())
