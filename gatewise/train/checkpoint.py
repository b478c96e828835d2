"""A run on disk: written whole or not at all, taken up again only by the same run."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from .._atomic import write_whole
from ..errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

NAME = "checkpoint.safetensors"
VERSION = 1


class Checkpoint:
    """Where a run leaves its state, and how often.

    One file holds everything, tensors as safetensors and the rest as JSON in its header, and
    is replaced by renaming: a run that is killed at any moment leaves the last whole one.

    Args:
        folder: Made if it is not there; one run each.
        every: Seconds between writes, at least; a run that ends is always written.
    """

    def __init__(self, folder: str | Path, every: float = 10.0) -> None:
        self.folder = Path(folder)
        self.every = every
        self._last = time.monotonic()

    def of(self, member: int) -> Checkpoint:
        """Where a member of an ensemble leaves its own state."""
        return Checkpoint(self.folder / f"member-{member}", self.every)

    def finishing(self) -> Checkpoint:
        """Where the steps on everything leave their state."""
        return Checkpoint(self.folder / "finish", self.every)

    def due(self) -> bool:
        """Whether the last write is long enough ago."""
        return time.monotonic() - self._last >= self.every

    def write(
        self,
        identity: Mapping[str, Any],
        progress: Mapping[str, Any],
        tensors: Mapping[str, Tensor],
    ) -> None:
        """Put a run's state on disk.

        Args:
            identity: What makes it this run: configuration, data, network. JSON.
            progress: How far it is. JSON.
            tensors: Weights, averages, moments.

        Raises:
            InputError: The disk is full or the folder closed; the last state stays.
        """
        header = {"version": VERSION, "identity": identity, "progress": progress}
        content = save(dict(tensors), metadata={"gatewise": json.dumps(header)})
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(self.folder / NAME, content)
        except OSError as error:
            raise InputError(
                f"checkpoint {self.folder} cannot be written ({error.strerror}): "
                "free some space or name another folder"
            ) from error
        self._last = time.monotonic()

    def read(self, identity: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Tensor]] | None:
        """Take up what a run of the same identity left; None where there is nothing yet.

        Raises:
            InputError: The file is damaged or newer, or belongs to another run.
        """
        file = self.folder / NAME
        for part in self.folder.glob(f".{NAME}.*.part"):
            part.unlink(missing_ok=True)
        if not file.exists():
            return None
        try:
            with safe_open(file, framework="pt") as opened:
                header = json.loads((opened.metadata() or {})["gatewise"])
                tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        except (SafetensorError, KeyError, ValueError, OSError) as error:
            raise InputError(
                f"{file} is damaged or no checkpoint: remove it to start anew"
            ) from error
        if header["version"] > VERSION:
            raise InputError(f"{file} was written by a newer gatewise: upgrade, or remove it")
        if changes := _changes(header["identity"], json.loads(json.dumps(identity))):
            raise InputError(
                f"checkpoint {self.folder} belongs to another run ({'; '.join(changes[:3])}): "
                "name another folder, or remove it to start anew"
            )
        return header["progress"], tensors


def _changes(old: Any, new: Any, name: str = "") -> list[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [*old, *(k for k in new if k not in old)]
        pairs = ((k, old.get(k), new.get(k)) for k in keys)
        return [c for k, a, b in pairs for c in _changes(a, b, f"{name}.{k}" if name else k)]
    return [] if old == new else [f"{name} was {_short(old)}, is {_short(new)}"]


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 24 else f"{text[:20]}..."
