"""Once a model has been judged: some more steps, on what was held out as well."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.contract import Fold
from .checkpoint import Checkpoint
from .loop import run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from ..objectives.contract import Objective
    from .history import History
    from .spec import Trainer

OTHER_SEEDS = 1_000_003
"""Added to the seed, so that these steps do not draw what the first ones drew."""


def finish(
    network: nn.Module,
    objective: Objective,
    fold: Fold,
    trainer: Trainer,
    history: History,
    *,
    progress: bool | None = None,
    checkpoint: str | Path | Checkpoint | None = None,
    identity: Mapping[str, Any] | None = None,
) -> int:
    """Go on from the best weights on everything there is; keep the last weights.

    The most recent data, which was held out, is often the most telling. Nothing is judged on it
    any more: the figures of the fit are those from before.

    Args:
        network: With its best weights.
        objective: Output and batch to loss.
        fold: What was fitted on; its `whole` is everything.
        trainer: Resolved; its `finish` is a share of the steps that led to the best weights.
        history: Of the run that led to them.
        progress: As in `run`.
        checkpoint: The fit's; these steps keep theirs inside it.
        identity: As in `run`.

    Returns:
        Steps taken by each member.
    """
    members = {epoch.member for epoch in history.epochs}
    best = sum(history.best(member).step for member in members) / max(1, len(members))
    steps = round((trainer.finish or 0.0) * best)
    # Where nothing was held out, everything has been seen.
    if fold.whole is None or fold.valid is None or steps < 1:
        return 0
    limits = {"max_steps": steps, "max_epochs": None, "max_seconds": None}
    own = replace(trainer, **limits, seed=trainer.seed + OTHER_SEEDS)
    place = Checkpoint(checkpoint) if isinstance(checkpoint, (str, Path)) else checkpoint
    run(
        network,
        objective,
        Fold(fold.whole, None, fold.digest),
        own,
        progress=progress,
        checkpoint=place.finishing() if place else None,
        identity={**(identity or {}), "finish": True} if place else None,
    )
    return steps
