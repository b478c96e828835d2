"""Layers of a network that learn at rates of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from ..errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torch import nn

    from .spec import Trainer


@runtime_checkable
class Layered(Protocol):
    """A network that says which of its weights lie above which."""

    def layers(self) -> Sequence[Iterable[nn.Parameter]]:
        """Groups of weights, from the input to the output; what is in none learns as the last."""
        ...


class Rates:
    """Share of the learning rate for each weight: discriminative rates and gradual unfreezing.

    Howard & Ruder, Universal Language Model Fine-tuning for Text Classification, 2018
    (https://arxiv.org/abs/1801.06146).

    Args:
        network: A `Layered` one, where the trainer asks for either.
        weights: What is trained, in the optimizer's order.
        trainer: Resolved.

    Raises:
        InputError: The trainer asks for either, and the network names no layers.

    Example:
        >>> from torch import nn
        >>> from gatewise.train import Trainer
        >>> class Two(nn.Sequential):
        ...     def layers(self):
        ...         return [part.parameters() for part in self]
        >>> network = Two(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False))
        >>> rates = Rates(network, [*network.parameters()], Trainer(layer_decay=0.5, unfreeze=2))
        >>> rates.at(0), rates.at(2)
        ([0.0, 1.0], [0.5, 1.0])
    """

    def __init__(
        self, network: nn.Module, weights: Sequence[nn.Parameter], trainer: Trainer
    ) -> None:
        self._decay = 1.0 if trainer.layer_decay is None else trainer.layer_decay
        self._unfreeze = trainer.unfreeze or 0
        self._depths: list[int] | None = None
        if self._decay == 1.0 and not self._unfreeze:
            return
        if not isinstance(network, Layered):
            name = "unfreeze" if self._unfreeze else "layer_decay"
            raise InputError(
                f"Trainer: {name} is {getattr(trainer, name)!r}, and this network names no layers "
                "to treat apart: leave it out"
            )
        groups = network.layers()
        below = {id(w): len(groups) - 1 - k for k, group in enumerate(groups) for w in group}
        self._depths = [below.get(id(weight), 0) for weight in weights]

    def at(self, epoch: int) -> list[float] | None:
        """Shares in an epoch, from 0, one a weight; None where all learn alike."""
        if self._depths is None:
            return None
        highest = epoch // self._unfreeze if self._unfreeze else len(self._depths)
        return [self._decay**depth if depth <= highest else 0.0 for depth in self._depths]
