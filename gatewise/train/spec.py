"""How a network is trained: the small spec that every task shares."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

from ..errors import InputError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

Schedule = Literal["cosine", "linear", "slanted", "constant"]
Optimizer = Literal["adamw", "sgd", "nt-asgd"]

LIMITS = ("max_epochs", "max_steps", "max_seconds")
"""What may end a run; whichever the caller gives stands alone."""

GENERIC: dict[str, Any] = {
    "lr": 2e-3,
    "batch_size": 64,
    "max_epochs": 50,
    "patience": 10,
    "clip_norm": 1.0,
    "weight_decay": 0.01,
    "betas": (0.9, 0.99),
    "optimizer": "adamw",
    "schedule": "cosine",
    "warmup": 0.05,
    "layer_decay": 1.0,
    "unfreeze": 0,
    "average": 0.99,
    "finish": 0.0,
}
"""What a field is when neither the caller nor the task says anything."""


@dataclass(frozen=True, repr=False)
class Trainer:
    """How to train: AdamW, clipped gradients, early stopping on what is held out.

    A field left at None is chosen by the task from its data, then by a default that suits
    most recurrent networks; the fitted estimator says in `trainer_` what was used.

    Args:
        lr: Learning rate at its peak.
        batch_size: Examples per step.
        max_epochs: Epochs at most; an epoch ends with a look at the held-out part.
        max_steps: Steps at most, wherever in an epoch that is.
        max_seconds: Seconds at most, looks at the held-out part included; the schedule follows the
            clock, so two such runs are never quite the same.
        epoch_examples: Examples drawn for an epoch; 0 for all there are.
        patience: Epochs without improvement before it stops; 0 to never stop early.
        clip_norm: Largest norm of the gradient, all weights together; 0 to leave it alone.
        weight_decay: Decoupled decay of matrices; biases and vectors are left alone.
        betas: Decay rates of AdamW's two moments (Loshchilov & Hutter 2019,
            https://arxiv.org/abs/1711.05101).
        optimizer: "adamw"; "sgd", plain; or "nt-asgd", plain until the held-out loss stops falling
            and from there on with the mean of the weights (Merity et al. 2018,
            https://arxiv.org/abs/1708.02182).
        schedule: How the rate falls after warm-up: "cosine", "linear", "slanted" for the triangle
            of Howard & Ruder 2018 (https://arxiv.org/abs/1801.06146), or "constant".
        warmup: Share of all steps over which the rate rises to `lr`.
        layer_decay: Factor of the rate from each group of a network's layers to the one below
            it, where the network names such groups; Howard & Ruder take 1 / 2.6.
        unfreeze: Epochs after which one more group of layers, from the top, is trained; 0 for
            all from the start.
        average: Decay of the moving average of the weights, which is what is judged and
            kept; 0 to keep the weights themselves.
        finish: Steps on everything there is, held-out part included, once the model has been
            judged, as a share of the steps that led to the best weights; 0 to leave it at that.
        seed: Of all that is random: first weights, order of examples, dropout.
        device: Where torch computes: "cpu", "cuda", "cuda:1", "mps".

    Raises:
        InputError: A value is out of its range.

    Example:
        >>> chosen = Trainer(lr=1e-3).resolve({"batch_size": 32, "lr": 0.1})
        >>> chosen.lr, chosen.batch_size
        (0.001, 32)
    """

    lr: float | None = None
    batch_size: int | None = None
    max_epochs: int | None = None
    max_steps: int | None = None
    max_seconds: float | None = None
    epoch_examples: int | None = None
    patience: int | None = None
    clip_norm: float | None = None
    weight_decay: float | None = None
    betas: tuple[float, float] | None = None
    optimizer: Optimizer | None = None
    schedule: Schedule | None = None
    warmup: float | None = None
    layer_decay: float | None = None
    unfreeze: int | None = None
    average: float | None = None
    finish: float | None = None
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        for name, (accepted, holds) in _RANGES.items():
            value = getattr(self, name)
            if value is not None and not holds(value):
                raise InputError(f"Trainer: {name} is {value!r}, and has to be {accepted}")

    def __repr__(self) -> str:
        """Show what differs from the defaults."""
        held = ((f.name, getattr(self, f.name), f.default) for f in fields(self))
        return f"Trainer({', '.join(f'{n}={v!r}' for n, v, default in held if v != default)})"

    def resolve(self, defaults: Mapping[str, Any] | None = None) -> Trainer:
        """Fill what was left at None: from `defaults`, the task's, then from what suits most.

        Of `max_epochs`, `max_steps` and `max_seconds`, what the caller gives stands alone: no
        default of another one cuts it short.

        Args:
            defaults: Field to value, as the task chose it from its data.

        Example:
            >>> Trainer(max_steps=100).resolve({"max_epochs": 3}).max_epochs is None
            True
        """
        defaults = dict(defaults or {})
        names = [f.name for f in fields(self)]
        if unknown := defaults.keys() - set(names):
            name = min(unknown)
            raise TypeError(f"no field {name!r} in Trainer to default: {nearest(name, names)}")
        chosen = {**GENERIC, **defaults}
        if any(limit in defaults for limit in LIMITS) and "max_epochs" not in defaults:
            del chosen["max_epochs"]
        if any(getattr(self, limit) is not None for limit in LIMITS):
            chosen = {name: value for name, value in chosen.items() if name not in LIMITS}
        return replace(self, **{k: v for k, v in chosen.items() if getattr(self, k) is None})


def _whole(least: int) -> Any:
    return lambda v: isinstance(v, int) and not isinstance(v, bool) and v >= least


def _real(holds: Any) -> Any:
    return lambda v: isinstance(v, int | float) and not isinstance(v, bool) and holds(v)


_INFINITY = float("inf")
_RANGES: dict[str, tuple[str, Any]] = {
    "lr": ("a number above 0", _real(lambda v: 0 < v < _INFINITY)),
    "batch_size": ("a whole number of at least 1", _whole(1)),
    "max_epochs": ("a whole number of at least 1", _whole(1)),
    "max_steps": ("a whole number of at least 1", _whole(1)),
    "max_seconds": ("a number above 0", _real(lambda v: 0 < v < _INFINITY)),
    "epoch_examples": ("a whole number, 0 for all examples", _whole(0)),
    "patience": ("a whole number, 0 to never stop early", _whole(0)),
    "clip_norm": ("a number above 0, or 0 for no clipping", _real(lambda v: 0 <= v < _INFINITY)),
    "weight_decay": ("a number of at least 0", _real(lambda v: 0 <= v < _INFINITY)),
    "betas": (
        "two numbers from 0 to below 1",
        lambda v: isinstance(v, tuple | list) and len(v) == 2 and all(0 <= b < 1 for b in v),
    ),
    "optimizer": ("adamw, sgd or nt-asgd", lambda v: v in get_args(Optimizer)),
    "schedule": ("cosine, linear, slanted or constant", lambda v: v in get_args(Schedule)),
    "layer_decay": ("above 0 and at most 1", _real(lambda v: 0 < v <= 1)),
    "unfreeze": ("a whole number, 0 for all layers from the start", _whole(0)),
    "warmup": ("a share from 0 to below 1", _real(lambda v: 0 <= v < 1)),
    "average": ("from 0 to below 1", _real(lambda v: 0 <= v < 1)),
    "finish": ("a share of at least 0", _real(lambda v: 0 <= v < _INFINITY)),
    "seed": ("a whole number of at least 0", _whole(0)),
}
