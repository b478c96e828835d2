"""Peers in environments of their own: a process each, which takes its turn when it is told to."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import CalledProcessError
from typing import IO

import numpy as np
import torch
from torch import Tensor

from gatewise.errors import InputError

from ..peers import environments
from ..peers.runs import HERE
from .models import Answer

PEERS = {"equinox": "equinox_lstm", "keras": "keras_lstm"}
"""Environment of `benchmarks/peers/`, and the runner in it."""


def made(asked: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """Make the environments of the peers that are asked for, where they are missing.

    Returns:
        The peers whose environments are there, and a sentence on each that takes no part.
    """
    there, notes = [], []
    for peer in PEERS:
        if peer not in asked:
            notes.append(f"plain: {peer} takes part with --peers {peer} only.")
            continue
        try:
            environments.make(peer)
            there.append(peer)
        except (InputError, CalledProcessError) as failed:
            notes.append(f"plain: {peer} is left out: {failed}")
    return tuple(there), notes


class RemoteTrial:
    """One mode of a process; a pipe's way there and back, some 50 us, is in its time."""

    def __init__(self, process: Process, mode: str) -> None:
        self.process, self.mode = process, mode

    def __call__(self) -> None:
        """Do what is timed."""
        self.process.ask(self.mode)

    def answer(self) -> Answer:
        """Give what is compared."""
        return self.process.answer(self.mode)


class Process:
    """A runner with one layer and its input.

    Attributes:
        versions: Of its packages.
    """

    def __init__(self, peer: str, work: Path, threads: int) -> None:
        script = HERE / f"{PEERS[peer]}.py"
        command = [environments.python_of(peer), script, "--work", work, "--threads", threads]
        self.folder = work.parent
        self.peer = peer
        self.errors = (self.folder / f"{peer}.err").open("w+", encoding="utf-8")
        self.running = subprocess.Popen(
            list(map(str, command)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            cwd=self.folder,
        )
        self.versions: dict[str, str] = json.loads(self._line())

    def ask(self, mode: str, target: Path | None = None) -> None:
        """Have it run once, and write its answer if there is a file for it."""
        order = {"mode": mode, "answer": None if target is None else str(target)}
        print(json.dumps(order), file=self._pipe(self.running.stdin), flush=True)
        self._line()

    def answer(self, mode: str) -> Answer:
        """Have it run once, and read what it came to."""
        target = self.folder / f"{self.peer}.npz"
        self.ask(mode, target)
        with np.load(target, allow_pickle=False) as arrays:
            return {name: torch.from_numpy(array) for name, array in arrays.items()}

    def close(self) -> None:
        """Let it end."""
        self._pipe(self.running.stdin).close()
        self.running.wait()
        self._pipe(self.running.stdout).close()
        self.errors.close()

    def _line(self) -> str:
        line = self._pipe(self.running.stdout).readline()
        if not line:
            self.running.wait()
            self.errors.seek(0)
            said = self.errors.read().strip().splitlines() or ["nothing"]
            self.close()
            raise SystemExit(f"recurrence: {self.peer} ended early: {said[-1]}")
        return line

    def _pipe(self, pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None, "Popen was asked for it"
        return pipe


@contextmanager
def processes(
    peers: tuple[str, ...], arrays: Mapping[str, Tensor], threads: int
) -> Iterator[dict[str, Process]]:
    """Start the peers with the same input, weights and gradients, and end them afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "work.npz"
        if peers:
            np.savez(work, **{name: tensor.detach().numpy() for name, tensor in arrays.items()})
        started: dict[str, Process] = {}
        try:
            for peer in peers:
                started[peer] = Process(peer, work, threads)
            yield started
        finally:
            for process in started.values():
                process.close()
