"""Which files a task takes by position: one, two, or as many as there are."""

from __future__ import annotations

from inspect import Parameter, Signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

SEVERAL, OPTIONAL = "...", "?"


def positions(task: type) -> list[Parameter]:
    """The parameters of a verb that stand for the task's files.

    Example:
        >>> class Pairs:
        ...     inputs = {"source": "Text.", "target?": "Its translation."}
        >>> [p.name for p in positions(Pairs)]
        ['source', 'target']
    """
    return [_position(name) for name in _inputs(task)]


def said(task: type) -> str:
    """What the help says of them, as lines of a docstring's "Args:"."""
    return "\n".join(f"    {_plain(name)}: {text}" for name, text in _inputs(task).items())


def words(task: type) -> str:
    """Names of files that suit them, for an example."""
    named = {"data": "data.csv"}
    return " ".join(
        named.get(name, f"{_plain(name).removesuffix('s')}.txt") for name in _inputs(task)
    )


def taken(task: type, given: Sequence[Path]) -> list[Any]:
    """Files as `fit` and `evaluate` take them: `x`, or `x` and `y`, or a list of all.

    Raises:
        InputError: There are too few or too many.
    """
    names = list(_inputs(task))
    if names[-1].endswith(SEVERAL):
        if not given:
            raise InputError(f"{_plain(names[-1]).upper()} is missing; give one file or more")
        return [list(given)]
    least = sum(not name.endswith(OPTIONAL) for name in names)
    if not least <= len(given) <= len(names):
        wanted = " and ".join(_plain(name).upper() for name in names)
        were = "1 file was" if len(given) == 1 else f"{len(given)} files were"
        number = str(least) if least == len(names) else f"{least} or {len(names)}"
        raise InputError(f"{task.__name__} takes {wanted}, and {were} given; give {number}")
    return list(given)


def named(task: type, given: Sequence[Path]) -> dict[str, Any]:
    """Name the files as a settings file does."""
    names = list(_inputs(task))
    if names[-1].endswith(SEVERAL):
        return {_plain(names[-1]): [str(path) for path in given]}
    # An optional one may be left out.
    return {_plain(name): str(path) for name, path in zip(names, given, strict=False)}


def signature(function: Any, task: type) -> Signature:
    """A function's signature with the task's files in front of its flags."""
    flags = [
        p
        for p in Signature.from_callable(function).parameters.values()
        if p.kind is Parameter.KEYWORD_ONLY
    ]
    return Signature([*positions(task), *flags])


def _position(name: str) -> Parameter:
    if name.endswith(SEVERAL):
        return Parameter(_plain(name), Parameter.VAR_POSITIONAL, annotation=Path)
    if name.endswith(OPTIONAL):
        kind = Parameter.POSITIONAL_OR_KEYWORD
        return Parameter(_plain(name), kind, annotation=Path | None, default=None)
    return Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, annotation=Path)


def _plain(name: str) -> str:
    """A name without what is said of its number."""
    return name.removesuffix(SEVERAL).removesuffix(OPTIONAL)


def _inputs(task: type) -> dict[str, str]:
    return dict(getattr(task, "inputs", {"data": "File to learn from."}))
