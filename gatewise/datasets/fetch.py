"""Find a data set on this machine, or bring it there."""

from __future__ import annotations

import hashlib
import os
import urllib.error
import urllib.request
from pathlib import Path

from .._atomic import write_whole
from ..errors import InputError, nearest
from .known import DATA_SETS, DataSet, File

_SECONDS = 30


def find(name: str, root: str | Path | None = None) -> Path:
    """Give the folder of a data set; download what is missing where that is possible.

    Args:
        name: As in `DATA_SETS`.
        root: Folder of the data sets; by default the one that `GATEWISE_DATA` names, else
            `gatewise/data` in the user's cache.

    Raises:
        InputError: There is no such set, or it is not there and cannot be downloaded; the
            sentence tells where to get it and where to put it.

    Example:
        >>> from gatewise.datasets import find
        >>> find("etth2")
        Traceback (most recent call last):
        gatewise.errors.InputError: there is no data set 'etth2'; did you mean 'etth1'?
    """
    if name not in DATA_SETS:
        raise InputError(f"there is no data set {name!r}; {nearest(name, DATA_SETS)}")
    known, folder = DATA_SETS[name], data_root(root) / name
    for file in known.files:
        if not (folder / file.path).exists():
            _download(name, known, file, folder)
    return folder


def check(name: str, root: str | Path | None = None) -> None:
    """Compare every file of a data set with its checksum.

    Raises:
        InputError: A file is missing or differs.
    """
    folder = find(name, root)
    for file in DATA_SETS[name].files:
        if sha256(folder / file.path) != file.sha256:
            raise InputError(
                f"{folder / file.path} is not the file that is known (its SHA-256 differs); "
                f"replace it by the one from {DATA_SETS[name].origin}"
            )


def data_root(root: str | Path | None = None) -> Path:
    """Folder of the data sets: `root`, else `GATEWISE_DATA`, else the user's cache."""
    if root is not None:
        return Path(root)
    if named := os.environ.get("GATEWISE_DATA"):
        return Path(named)
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "gatewise" / "data"


def sha256(path: Path) -> str:
    """Hash a file, or a folder by the names and hashes of its files."""
    if not path.is_dir():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    files = sorted(p for p in path.rglob("*") if p.is_file())
    lines = [f"{p.relative_to(path).as_posix()} {sha256(p)}\n" for p in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _download(name: str, known: DataSet, file: File, folder: Path) -> None:
    by_hand = (
        f"get {file.path} from {known.origin} and place it at {folder / file.path}, or set "
        f"GATEWISE_DATA to the folder that holds {name}/"
    )
    if file.url is None:
        raise InputError(f"data set {name!r} is not at {folder}; {by_hand}")
    try:
        with urllib.request.urlopen(known.base + file.url, timeout=_SECONDS) as answer:
            content = answer.read()
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        raise InputError(
            f"data set {name!r} is not at {folder} and cannot be downloaded; {by_hand}"
        ) from None
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise InputError(
            f"what {known.base + file.url} gives is not the file that is known (its SHA-256 "
            f"differs); {by_hand}"
        )
    target = folder / file.path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, content)
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror}; {by_hand}") from None
