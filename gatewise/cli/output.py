"""Where a command writes, checked before its work."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

from ..errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TABLES = (".csv", ".tsv", ".parquet", ".pq")


def check_model(out: Path, *, overwrite: bool) -> None:
    """Refuse, before the long work, a folder that a model cannot or should not be saved in.

    Raises:
        InputError: It holds something else, or a model and `overwrite` is not given.
    """
    from ..export import check_target

    if out.name in ("", ".."):
        raise InputError(f"--out {out} has no name of its own; name a new folder for the model")
    _check_parent(out)
    check_target(out)
    if out.exists() and any(out.iterdir()) and not overwrite:
        raise InputError(f"there is a model in {out}; --overwrite replaces it")


def check_checkpoint(folder: Path, *, resume: bool, overwrite: bool) -> None:
    """Settle what becomes of an earlier fit that was stopped.

    Raises:
        InputError: There is one and it is not said what to do, or there is none to resume.
    """
    if not folder.exists():
        if resume:
            raise InputError(f"there is no {folder} to resume from; leave --resume out")
    elif not resume:
        if not overwrite:
            raise InputError(
                f"{folder} holds a fit that was stopped; --resume goes on with it, "
                "--overwrite starts anew"
            )
        shutil.rmtree(folder)


def check_file(out: Path, accepted: Sequence[str] = TABLES, flag: str = "--out") -> None:
    """Refuse, before the work, a file that cannot be written.

    Args:
        out: The file.
        accepted: Suffixes it may have.
        flag: How it was named.

    Raises:
        InputError: Its suffix is another, it is a folder, or its own folder is missing.
    """
    if out.suffix.lower() not in accepted:
        shown = [suffix for suffix in accepted if suffix != ".pq"]
        words = " or ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))
        raise InputError(f"{flag} {out} has to end in {words}")
    _check_parent(out, flag)
    if out.is_dir():
        raise InputError(f"{flag} {out} is a folder; name a file")


def _check_parent(out: Path, flag: str = "--out") -> None:
    folder = out.absolute().parent
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; make it first, or correct {flag} {out}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"nothing can be written in {folder}; choose another place for {flag}")


def tell(line: str) -> None:
    """Say something about the work, apart from its result: on standard error."""
    print(line, file=sys.stderr, flush=True)
