"""The saved model: a folder of safetensors and JSON, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError
from safetensors.torch import load, save

from .._atomic import write_whole
from ..errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

FORMAT = "gatewise model"
VERSION = 1
JSON, TENSORS = "model.json", "model.safetensors"
OWN = frozenset({JSON, TENSORS, "report.html", "run.toml", "log.jsonl"})
"""Files that a model folder may hold and that are replaced with it."""

PARTS = ("estimator", "params", "data", "decoder", "trainer", "history", "summary", "provenance")


@dataclass(frozen=True)
class Artifact:
    """All there is to a saved model.

    Args:
        description: What `model.json` holds: `PARTS`, each as JSON can hold it.
        tensors: What `model.safetensors` holds, by dotted name: `network.`, `data.`,
            `decoder.`.
        files: Name to content of what else lies beside them, one of `OWN`: a report, say.
            Written, and not read.
    """

    description: Mapping[str, Any]
    tensors: Mapping[str, Tensor]
    files: Mapping[str, bytes] = field(default_factory=dict)

    def under(self, prefix: str) -> dict[str, Tensor]:
        """The tensors under a prefix, without it."""
        start = len(prefix) + 1
        return {n[start:]: t for n, t in self.tensors.items() if n.startswith(f"{prefix}.")}


def write(path: str | Path, artifact: Artifact) -> None:
    """Write a model folder; one that is there is replaced once the new one is complete.

    Args:
        path: The folder.
        artifact: What to write.

    Raises:
        InputError: The path holds something that is no model, or the disk is full or closed;
            nothing is left half-written, and what was there stays.
    """
    path = Path(path)
    check_target(path)
    tensors = {n: t.detach().cpu().contiguous().clone() for n, t in artifact.tensors.items()}
    content = save(tensors)
    described = {
        "format": FORMAT,
        "version": VERSION,
        **artifact.description,
        "tensors": {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)},
    }
    text = json.dumps(described, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    beside = path.absolute().parent / f".{path.absolute().name}.{uuid.uuid4().hex[:8]}.part"
    try:
        beside.mkdir(parents=True)
        for name, raw in {**artifact.files, TENSORS: content, JSON: text.encode()}.items():
            write_whole(beside / name, raw)
        _replace(path, beside)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror}): free some space or name another folder"
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def check_target(path: str | Path) -> None:
    """Refuse a path where a model must not be written; worth asking before a long fit.

    Args:
        path: A folder that is not there yet, is empty, or holds a model and nothing else.

    Raises:
        InputError: It is a file, or a folder that holds anything that is no part of a model.
    """
    path = Path(path)
    if not path.exists():
        return
    if not path.is_dir():
        raise InputError(f"{path} is a file: name a folder for the model")
    held = sorted(child.name for child in path.iterdir())
    if not held:
        return
    if JSON not in held:
        raise InputError(f"{path} is a folder of other things: name a new folder for the model")
    if foreign := [name for name in held if name not in OWN]:
        raise InputError(
            f"{path} holds {foreign[0]}, which is no part of a model and would be lost: "
            "move it away or name another folder"
        )
    _description(path)


def read(path: str | Path) -> Artifact:
    """Read a model folder; nothing in it is run.

    Args:
        path: The folder.

    Raises:
        InputError: It is missing, no model, damaged, or of a newer version.
    """
    path = Path(path)
    description = _description(path)
    try:
        content = (path / TENSORS).read_bytes()
    except OSError as error:
        raise InputError(
            f"{path / TENSORS} cannot be read ({error.strerror}): save the model again"
        ) from error
    expected = description["tensors"]
    if len(content) != expected["bytes"]:
        raise InputError(
            f"{path / TENSORS} is damaged ({len(content)} bytes instead of {expected['bytes']}): "
            "copy or save the model again"
        )
    if hashlib.sha256(content).hexdigest() != expected["sha256"]:
        raise InputError(
            f"{path / TENSORS} is damaged (its checksum differs): copy or save the model again"
        )
    try:
        tensors = load(content)
    except SafetensorError as error:
        raise InputError(f"{path / TENSORS} is damaged ({error}): save the model again") from error
    return Artifact(description, tensors)


def _description(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise InputError(f"there is no model at {path}: check the path")
    file = path / JSON
    if not file.is_file():
        raise InputError(f"{path} is not a saved model (no {JSON} in it): check the path")
    try:
        description = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}): check the path") from error
    except ValueError as error:
        raise InputError(f"{file} is damaged (no valid JSON): save the model again") from error
    if not isinstance(description, dict) or description.get("format") != FORMAT:
        raise InputError(f"{path} is not a saved model of gatewise: check the path")
    version = description.get("version")
    if not isinstance(version, int):
        raise InputError(f"{file} is damaged (no format version): save the model again")
    if version > VERSION:
        raise InputError(
            f"{path} has format version {version} and this gatewise reads up to {VERSION}: "
            "upgrade gatewise"
        )
    tensors = description.get("tensors")
    whole = isinstance(tensors, dict) and {"bytes", "sha256"} <= tensors.keys()
    missing = [part for part in PARTS if part not in description] + ([] if whole else ["tensors"])
    if missing:
        raise InputError(f"{file} is damaged ({missing[0]} is missing): save the model again")
    return description


def _replace(path: Path, new: Path) -> None:
    """Put `new` at `path`; what is there is out of the way only while one rename takes."""
    if not path.exists():
        os.rename(new, path)
        return
    old = new.with_suffix(".old")
    os.rename(path, old)
    try:
        os.rename(new, path)
    except OSError:
        os.rename(old, path)
        raise
    shutil.rmtree(old, ignore_errors=True)
