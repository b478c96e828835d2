"""Metrics of a run, one line of JSON per epoch."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from .._atomic import write_whole
from ..errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .history import Epoch


class Log:
    """A JSONL file with one record per epoch, of what the run on disk has taken and no more.

    Args:
        path: The file; None to keep no log.
    """

    def __init__(self, path: str | Path | None) -> None:
        self.path = None if path is None else Path(path)

    def start(self, epochs: Iterable[Epoch]) -> None:
        """Begin with the epochs of a run that is taken up again, or with none.

        Raises:
            InputError: The file cannot be written.
        """
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self.path, "".join(map(_line, epochs)).encode())
        except OSError as error:
            raise InputError(
                f"log {self.path} cannot be written ({error.strerror}): name another file"
            ) from error

    def write(self, epoch: Epoch) -> None:
        """Add a record."""
        if self.path is not None:
            with self.path.open("a") as file:
                file.write(_line(epoch))


def _line(epoch: Epoch) -> str:
    return json.dumps(asdict(epoch)) + "\n"
