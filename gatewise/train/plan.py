"""The steps of a run before it is run: how many, on which examples, at which rate."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from ..data.contract import Ordered
from .sampler import Sampler
from .schedule import factor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from ..data.contract import Dataset, Order
    from .spec import Trainer

TICKS = 10_000
"""Steps into which a schedule that follows the clock divides its time."""


class Plan:
    """What follows from a resolved trainer and the number of examples.

    Args:
        dataset: Examples to fit on.
        trainer: Resolved.

    Attributes:
        total: Steps at most; 0 where only the clock ends the run.
        seconds: Seconds at most; 0 for no such limit.
    """

    def __init__(self, dataset: Dataset, trainer: Trainer) -> None:
        assert trainer.batch_size is not None
        self._trainer = trainer
        self._dataset = dataset if isinstance(dataset, Ordered) else None
        self._order = _order(dataset, trainer.batch_size, trainer.epoch_examples or 0, trainer.seed)
        limits = (trainer.max_steps, (trainer.max_epochs or 0) * self._order.steps)
        self.total = min((limit for limit in limits if limit), default=0)
        self.seconds = trainer.max_seconds or 0.0

    def left(self, step: int) -> tuple[int, Iterator[Tensor]]:
        """Number of the epoch that a step is in, from 0, and its batches from that step on."""
        number, done = divmod(step, self._order.steps)
        end = self.total - number * self._order.steps if self.total else None
        return number, islice(self._order.epoch(number), done, end)

    def is_over(self, step: int, seconds: float) -> bool:
        """Whether that was all, after so many steps and seconds."""
        return 0 < self.total <= step or 0 < self.seconds <= seconds

    def within_epoch(self, step: int) -> bool:
        """Whether an epoch has begun and not ended after so many steps."""
        return step % self._order.steps != 0 and step != self.total

    def epoch_of(self, step: int) -> int:
        """Number of the epoch that a step is in, from 0."""
        return step // self._order.steps

    def lr(self, step: int, seconds: float = 0.0) -> float:
        """Learning rate of a step, from 0, that begins after so many seconds."""
        trainer = self._trainer
        assert trainer.lr is not None
        assert trainer.schedule is not None
        assert trainer.warmup is not None
        total = self.total
        if self.seconds:
            done = max(seconds / self.seconds, step / total if total else 0.0)
            step, total = min(int(TICKS * done), TICKS - 1), TICKS
        return trainer.lr * factor(trainer.schedule, step, total, trainer.warmup)

    def weight(self, indices: Tensor) -> float:
        """How much a batch counts beside one of the usual size."""
        return self._dataset.weight(indices) if self._dataset else 1.0


def _order(dataset: Dataset, batch_size: int, epoch_examples: int, seed: int) -> Order:
    if isinstance(dataset, Ordered):
        return dataset.order(batch_size, epoch_examples, seed)
    return Sampler(len(dataset), batch_size, epoch_examples, dataset.lengths, seed=seed)
