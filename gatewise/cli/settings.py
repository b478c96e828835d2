"""Settings as TOML: read what `--config` names, write what a run resolved to."""

from __future__ import annotations

import dataclasses
import inspect
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from .form import BARE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def read_settings(path: str | Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        InputError: It is missing, cannot be read or is no TOML.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"there is no file {path}; --config names a TOML file") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not TOML: {error}") from None


def write_settings(settings: Mapping[str, Any]) -> str:
    """Write settings as TOML; what is None has no name in TOML and is left out.

    Args:
        settings: Names to plain values, sequences of them, or one more level of names.

    Example:
        >>> print(write_settings({"horizon": 24, "past": ("a", "b"), "encoder": {"dropout": 0.1}}))
        horizon = 24
        past = ["a", "b"]
        <BLANKLINE>
        [encoder]
        dropout = 0.1
        <BLANKLINE>
    """
    plain = [f"{k} = {_literal(v)}" for k, v in settings.items() if _is_plain(v)]
    tables = [
        f"\n[{k}]\n{write_settings(v)}".rstrip("\n")
        for k, v in settings.items()
        if isinstance(v, dict)
    ]
    return "\n".join([*plain, *tables]) + "\n"


def resolved(model: Any) -> dict[str, Any]:
    """Give what a model was made with, under the names of its flags.

    Args:
        model: An estimator; a spec that training filled in (`trainer_`) counts as filled.
    """
    settings: dict[str, Any] = {}
    for name in inspect.signature(type(model)).parameters:
        value = _plain(getattr(model, f"{name}_", getattr(model, name)))
        settings |= value if name in BARE else {name: value}
    return settings


def flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Give the names of nested settings, dotted as on the command line.

    Example:
        >>> list(flat({"horizon": 24, "encoder": {"dropout": 0.1}}))
        ['horizon', 'encoder.dropout']
    """
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)


def _is_plain(value: Any) -> bool:
    return value is not None and not isinstance(value, dict)


def _literal(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, (bool, int, float)):
        return repr(value).lower() if isinstance(value, bool) else repr(value)
    # JSON's strings are TOML's basic strings, but for DEL, which TOML wants escaped.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
