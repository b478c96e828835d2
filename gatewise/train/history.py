"""What a run leaves on record."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TIE = 1e-9
"""Weight of the loss where scores are compared: it decides among equal ones alone."""


@dataclass(frozen=True)
class Epoch:
    """One epoch, and what the held-out part said at its end.

    Args:
        epoch: Number of the epoch, from 1.
        step: Steps taken so far.
        loss: Mean loss of the epoch's examples, in training.
        valid_loss: Mean loss of the held-out examples; None where nothing is held out.
        score: Their mean score, higher is better; None where the objective has no other
            number than its loss.
        lr: Learning rate of its last step.
        seconds: Since the run began, pauses between resumed parts not counted.
        member: Which network of an ensemble, from 0.
        sample: What the network gave to be shown, such as a text; empty where it was not asked.
    """

    epoch: int
    step: int
    loss: float
    valid_loss: float | None
    score: float | None
    lr: float
    seconds: float
    member: int = 0
    sample: str = ""

    @property
    def value(self) -> float:
        """What decides which epoch was best; lower is better. The loss parts equal scores."""
        if self.score is not None:
            return -self.score + _TIE * math.atan(self.valid_loss or 0.0)
        return self.loss if self.valid_loss is None else self.valid_loss


@dataclass(frozen=True)
class History:
    """All epochs of a run, of all members one after another, and why each member's run ended.

    Example:
        >>> one = Epoch(1, 10, 0.5, 0.6, None, 1e-3, 0.1)
        >>> two = Epoch(2, 20, 0.4, 0.7, None, 1e-3, 0.2)
        >>> History((one, two), ("no better for 1 epoch",)).best().epoch
        1
    """

    epochs: tuple[Epoch, ...]
    stopped: tuple[str, ...]

    def best(self, member: int = 0) -> Epoch:
        """The epoch whose weights a member was given back; without held-out data, the last."""
        epochs = [e for e in self.epochs if e.member == member]
        return epochs[-1] if epochs[-1].valid_loss is None else min(epochs, key=lambda e: e.value)

    def state(self) -> dict[str, Any]:
        """All of it as JSON can hold it."""
        return {"epochs": [asdict(e) for e in self.epochs], "stopped": list(self.stopped)}

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> History:
        """Take back what `state` gave."""
        return cls(tuple(Epoch(**e) for e in state["epochs"]), tuple(state["stopped"]))

    def and_then(self, epochs: Sequence[Epoch], stopped: str) -> History:
        """This history, and the one of an ensemble's next member."""
        return History((*self.epochs, *epochs), (*self.stopped, stopped))
