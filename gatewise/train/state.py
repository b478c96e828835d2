"""All that changes while a network is trained, and what a checkpoint holds of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch

from .adamw import AdamW
from .asking import device_of
from .average import Average, TriggeredAverage
from .history import Epoch
from .optimizer import SGD, Optimizer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

    from .carry import Reader
    from .spec import Trainer


class State:
    """Weights, their average and moments, what is carried, the best so far, and the figures.

    Args:
        network: What is trained.
        trainer: Resolved.
        reader: Asks the network, batch by batch.
    """

    def __init__(self, network: nn.Module, trainer: Trainer, reader: Reader) -> None:
        self.network, self.reader = network, reader
        self.optimizer = _optimizer(network, trainer)
        triggered = trainer.optimizer == "nt-asgd"
        self.average = (
            TriggeredAverage(network) if triggered else Average(network, trainer.average or 0.0)
        )
        self.step = 0
        self.seconds = 0.0
        self.epochs: list[Epoch] = []
        self.best: dict[str, Tensor] = {}
        self.since_best = 0
        self.stopped = ""
        self._loss, self._seen = 0.0, 0

    def took(self, loss: float, examples: float) -> None:
        """Count a step."""
        self.step += 1
        self._loss += loss * examples
        self._seen += examples

    def mean_loss(self) -> float:
        """Mean training loss of the epoch so far."""
        return self._loss / (self._seen or 1)

    def ended(self, epoch: Epoch) -> None:
        """Count an epoch; the network holds the weights that were judged."""
        best = min((e.value for e in self.epochs), default=float("inf"))
        better = epoch.valid_loss is None or epoch.value < best
        self.epochs.append(epoch)
        self.since_best = 0 if better else self.since_best + 1
        if better:
            self.best = {name: value.clone() for name, value in self.network.state_dict().items()}
        self._loss, self._seen = 0.0, 0
        self.average.heard([e.value for e in self.epochs])

    def keep_best(self) -> None:
        """Put the best weights in the network."""
        self.network.load_state_dict(self.best)

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """What a checkpoint holds: JSON, and tensors."""
        progress = {
            "step": self.step,
            "seconds": self.seconds,
            "epochs": [asdict(e) for e in self.epochs],
            "since_best": self.since_best,
            "stopped": self.stopped,
            "loss": self._loss,
            "seen": self._seen,
            "updates": self.average.updates,
        }
        groups = {
            "network": self.network.state_dict(),
            "average": self.average.state(),
            "best": self.best,
            "optimizer": self.optimizer.state(),
            "carried": self.reader.state or {},
        }
        tensors = {
            f"{group}.{name}": value.detach().cpu().clone(memory_format=torch.contiguous_format)
            for group, named in groups.items()
            for name, value in named.items()
        }
        return progress, tensors

    def restore(self, progress: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
        self.step, self.seconds = progress["step"], progress["seconds"]
        self.epochs = [Epoch(**e) for e in progress["epochs"]]
        self.since_best, self.stopped = progress["since_best"], progress["stopped"]
        self._loss, self._seen = progress["loss"], progress["seen"]
        groups: dict[str, dict[str, Tensor]] = {g: {} for g in _GROUPS}
        for name, value in tensors.items():
            group, _, rest = name.partition(".")
            groups[group][rest] = value
        self.network.load_state_dict(groups["network"])
        self.average.restore(progress["updates"], groups["average"])
        self.best = groups["best"]
        self.optimizer.restore(groups["optimizer"])
        where = device_of(self.network)
        self.reader.state = {n: t.to(where) for n, t in groups["carried"].items()} or None


_GROUPS = ("network", "average", "best", "optimizer", "carried")


def _optimizer(network: nn.Module, trainer: Trainer) -> Optimizer:
    assert trainer.betas is not None
    assert trainer.weight_decay is not None
    weights = [p for p in network.parameters() if p.requires_grad]
    if trainer.optimizer in ("sgd", "nt-asgd"):
        return SGD(weights, trainer.weight_decay)
    return AdamW(weights, betas=trainer.betas, weight_decay=trainer.weight_decay)
