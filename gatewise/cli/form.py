"""A constructor's parameters as a form that the command line fills in."""

from __future__ import annotations

import collections.abc
import inspect
import re
import types
from dataclasses import field, fields, is_dataclass, make_dataclass
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from cyclopts import Parameter

BARE = frozenset({"columns"})
"""Specs whose flags stand without their name: `--series`, not `--columns.series`."""


def form(made: type, given: Any = None) -> type:
    """Copy a constructor's parameters, their types, defaults and words into a dataclass.

    The copy differs where a command line does: a value that may be named in one word, a cell
    for instance, is a word; and a spec's fields start from what the constructor has as its
    default, which need not be the spec's own.

    Args:
        made: A class: its constructor's signature and its docstring are read.
        given: An instance whose values are the defaults, instead of the constructor's.

    Example:
        >>> from gatewise.nn.layers.encoder import Encoder
        >>> blank = form(Encoder, Encoder(hidden_size=32))
        >>> filled(blank(cell="gru")) == Encoder(cell="gru", hidden_size=32)
        True
    """
    hints = get_type_hints(made.__init__, localns=vars(collections.abc))
    blanks: list[Any] = []
    for name, parameter in inspect.signature(made).parameters.items():
        hint = _word(hints[name])
        default = parameter.default if given is None else getattr(given, name)
        if isinstance(hint, type) and is_dataclass(hint):
            inner = form(hint, None if default is parameter.empty else default)
            typed = Annotated[inner, Parameter(name="*")] if name in BARE else inner
            blanks.append((name, typed, field(default_factory=inner)))
        elif default is parameter.empty:
            blanks.append((name, hint))
        else:
            blanks.append((name, hint, field(default=_fixed(default))))
    copied = {
        "__doc__": flowing(inspect.getdoc(made) or ""),
        "__module__": made.__module__,
        "made": staticmethod(made),
    }
    return make_dataclass(made.__name__, blanks, kw_only=True, frozen=True, namespace=copied)


def filled(blank: Any) -> Any:
    """Make what a filled form describes.

    Raises:
        InputError: A constructor refuses a value.
    """
    values = {f.name: getattr(blank, f.name) for f in fields(blank)}
    inner = {n: filled(v) if hasattr(v, "made") else _fixed(v) for n, v in values.items()}
    return blank.made(**inner)


def flowing(text: str) -> str:
    r"""Join the lines of each paragraph and of each argument, for a width that is not known yet.

    Example:
        >>> print(flowing("One\ntwo.\n\nArgs:\n    a: Three\n        four.\n    b: Five."))
        One two.
        <BLANKLINE>
        Args:
            a: Three four.
            b: Five.
    """
    return re.sub(
        r"(?<=\S)\n(?=[^\s$>])(?!Args:|Example:|Raises:|Returns:)|\n {8,}(?=\S)", " ", text
    )


def _word(hint: Any) -> Any:
    """Leave of a choice that holds text only what is typed in a word, or in several."""
    if get_origin(hint) not in (Union, types.UnionType) or str not in get_args(hint):
        return hint
    typed = tuple(h for h in get_args(hint) if not is_dataclass(h))
    if tuple[str, ...] in typed:
        # One word is several words, too.
        typed = tuple(h for h in typed if h is not str)
    return Union[typed]  # noqa: UP007


def _fixed(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
