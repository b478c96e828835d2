"""Where a command writes, checked before its work."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

from ..errors import InputError

if TYPE_CHECKING:
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


def check_file(out: Path) -> None:
    """Refuse, before the work, a file that a table cannot be written to.

    Raises:
        InputError: Its suffix is no table's, it is a folder, or its own folder is missing.
    """
    if out.suffix.lower() not in TABLES:
        raise InputError(f"--out {out} has to end in .csv, .tsv or .parquet")
    _check_parent(out)
    if out.is_dir():
        raise InputError(f"--out {out} is a folder; name a file")


def _check_parent(out: Path) -> None:
    folder = out.absolute().parent
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; make it first, or correct --out {out}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"nothing can be written in {folder}; choose another place for --out")


def tell(line: str) -> None:
    """Say something about the work, apart from its result: on standard error."""
    print(line, file=sys.stderr, flush=True)
