"""What a run measures, and with how many threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from . import shapes
from .shapes import Shape, StepShape


@dataclass(frozen=True)
class Settings:
    """What the command line asked for.

    Attributes:
        threads: Each number of threads is measured by itself.
        budget: Seconds that one contest takes, when its calls are quick enough.
        engine: Engine that runs our layers; None for Gatewise's own choice.
        compile: Whether `torch.compile` of the step is among the loops.
        peers: Libraries with environments of their own that take part.
        usual: Shapes of the plain LSTM.
        cells: Shapes of all other cells, and of the loops.
        steps: Layers that run a single step.
        phases: Shapes of which each phase of a training step is timed.
        peak: The shape whose share of the peak is measured.
        memory: The shape whose memory is measured.
        first: The shape whose first call is measured.
        length: Batch, input and units while the time grows.
        lengths: Time steps of it.
    """

    threads: tuple[int, ...] = (1, 2)
    budget: float = 1.0
    engine: str | None = None
    compile: bool = False
    peers: tuple[str, ...] = ()
    usual: tuple[Shape, ...] = shapes.USUAL
    cells: tuple[Shape, ...] = shapes.CELLS
    steps: tuple[StepShape, ...] = shapes.STEPS
    phases: tuple[Shape, ...] = shapes.PHASES
    peak: Shape = shapes.PEAK
    memory: Shape = shapes.MEMORY
    first: Shape = shapes.FIRST
    length: Shape = shapes.LENGTH
    lengths: tuple[int, ...] = shapes.LENGTHS

    def each_thread_count(self) -> Iterator[int]:
        """Let torch use each number of threads in turn, and in the end what it had before."""
        before = torch.get_num_threads()
        try:
            for count in self.threads:
                torch.set_num_threads(count)
                yield count
        finally:
            torch.set_num_threads(before)


@contextmanager
def all_threads(settings: Settings) -> Iterator[None]:
    """Let torch use the most threads, for work that is not timed."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(settings.threads))
    try:
        yield
    finally:
        torch.set_num_threads(before)
