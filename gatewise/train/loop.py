"""Train a network: epochs of steps, a look at what is held out, the best weights in the end."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..data.batches import Batches, move
from ..errors import InputError
from ..objectives.contract import Scored
from . import diverge, many
from . import identity as identity_
from . import progress as progress_
from .asking import frozen
from .carry import Reader
from .checkpoint import Checkpoint
from .ensemble import Ensemble
from .held_out import evaluate
from .history import Epoch, History
from .layers import Rates
from .log import Log
from .plan import Plan
from .randomness import derive, isolated, reseed
from .state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor, nn

    from ..data.contract import Dataset, Fold
    from ..objectives.contract import Objective
    from .progress import Progress
    from .spec import Trainer


def run(
    network: nn.Module,
    objective: Objective,
    fold: Fold,
    trainer: Trainer,
    *,
    progress: bool | None = None,
    log: str | Path | None = None,
    checkpoint: str | Path | Checkpoint | None = None,
    identity: Mapping[str, Any] | None = None,
    sample: Callable[[nn.Module], str] | None = None,
) -> History:
    """Train a network, and leave it with the weights that did best on what is held out.

    The process's random generators are untouched. An `Ensemble`'s members are trained one
    after another, member k with `seed + k`.

    Args:
        network: Batch to output; left in evaluation mode, on `trainer.device`.
        objective: Output and batch to loss.
        fold: Examples to fit on, and held-out ones to stop by; without the latter it takes
            all steps and keeps the last weights.
        trainer: What of it is None takes a generic default.
        progress: True for a bar on a terminal and plain lines elsewhere, None for a bar on a
            terminal and nothing elsewhere, False for nothing.
        log: JSONL file, a line per epoch.
        checkpoint: Folder; a run that was killed goes on from there, to the same weights.
        identity: What else makes it this run and no other, as JSON can hold it.
        sample: Asked at each look for something of the network to show, which the history keeps;
            it must draw on no global chance.

    Returns:
        Every epoch, and why it ended.

    Raises:
        InputError: There is nothing to fit on, the loss or a gradient is not finite, the
            device is not there, or the checkpoint is damaged or another run's.
    """
    if len(fold.train) == 0:
        raise InputError("there are no examples to fit on: give more or longer data")
    trainer = trainer.resolve()
    network.to(_device(trainer))
    known = {**(identity or {}), "data": fold.digest or identity_.of_examples(fold.train)}
    members = list(network.members) if isinstance(network, Ensemble) else [network]
    place = Checkpoint(checkpoint) if isinstance(checkpoint, str | Path) else checkpoint
    shown, written, done = progress_.chosen(progress), Log(log), History((), ())
    score_name = objective.score_name if isinstance(objective, Scored) else None
    shown.open(len(members) * Plan(fold.train, trainer).total, score_name)
    try:
        for k, member in enumerate(members):
            own = replace(trainer, seed=trainer.seed + k)
            where = place.of(k) if place and len(members) > 1 else place
            one = _Run(member, objective, fold, own, k, shown, written, sample)
            done = one.go(where, {**known, "trainer": asdict(own)}, done)
    finally:
        shown.close(done.stopped[-1] if len(done.stopped) == len(members) else "")
    network.eval()
    return done


class _Run:
    """One network's run."""

    def __init__(
        self,
        network: nn.Module,
        objective: Objective,
        fold: Fold,
        trainer: Trainer,
        member: int,
        progress: Progress,
        log: Log,
        sample: Callable[[nn.Module], str] | None = None,
    ) -> None:
        self.network, self.objective, self.train = network, objective, fold.train
        self.valid = fold.valid if fold.valid is not None and len(fold.valid) else None
        self.trainer, self.member = trainer, member
        self.progress, self.log, self.sample = progress, log, sample
        self.device = _device(trainer)
        self.plan = Plan(fold.train, trainer)
        self.ask = Reader(network, fold.train)
        self.state = State(network, trainer, self.ask)
        self.rates = Rates(network, self.state.optimizer.weights, trainer)
        self.generator = torch.Generator()

    def go(
        self, checkpoint: Checkpoint | None, identity: Mapping[str, Any], before: History
    ) -> History:
        """Take all steps that are left, and add to the history of the members before."""
        state, plan = self.state, self.plan
        identity = {**identity, "network": identity_.of_network(self.network)}
        if checkpoint and (found := checkpoint.read(identity)):
            state.restore(*found)
        self.log.start([*before.epochs, *state.epochs])
        began = time.monotonic() - state.seconds
        with isolated(derive(self.trainer.seed, "dropout"), self.device):
            while not state.stopped:
                number, batches = plan.left(state.step)
                self.network.train()
                for indices in batches:
                    self._step(indices)
                    state.seconds = time.monotonic() - began
                    if plan.is_over(state.step, state.seconds):
                        break
                    if checkpoint and plan.within_epoch(state.step) and checkpoint.due():
                        checkpoint.write(identity, *state.state())
                self._look(number + 1)
                state.seconds = time.monotonic() - began
                if checkpoint and (state.stopped or checkpoint.due()):
                    checkpoint.write(identity, *state.state())
        state.keep_best()
        return before.and_then(state.epochs, state.stopped)

    def _step(self, indices: Tensor) -> None:
        """Take one step; everything random in it follows from the seed and its number."""
        state, trainer = self.state, self.trainer
        reseed(derive(trainer.seed, "dropout", state.step), self.device)
        self.generator.manual_seed(derive(trainer.seed, "examples", state.step))
        batch = move(self.train.batch(indices, self.generator), self.device)
        state.optimizer.zero_grad()
        loss = self.objective(self.ask(batch), batch)
        value = loss.item()
        if not math.isfinite(value):
            raise self._diverged("loss", self.train, indices)
        loss.backward()
        if shares := self.rates.at(self.plan.epoch_of(state.step)):
            state.optimizer.freeze(shares)
        grads = state.optimizer.gradients()
        norm = many.norm(grads).item()
        if not math.isfinite(norm):
            raise self._diverged("gradient", self.train, indices)
        if trainer.clip_norm and norm > trainer.clip_norm:
            many.scale_(grads, trainer.clip_norm / norm)
        weight = self.plan.weight(indices)
        state.optimizer.step(weight * self.plan.lr(state.step, state.seconds), shares)
        state.average.update()
        state.took(value, weight * len(indices))
        self.progress.step(self.member * self.plan.total + state.step, value)

    def _look(self, number: int) -> None:
        """Evaluate on what is held out, keep the best weights, and decide whether to go on."""
        state = self.state
        loss, score = None, None
        with state.average.applied():
            if self.valid is not None:
                size = self.trainer.batch_size or 1
                loss, score = evaluate(self.network, self.objective, self.valid, size)
                if not math.isfinite(loss):
                    raise self._diverged("held-out loss", self.valid, self._first_bad(self.valid))
            epoch = Epoch(
                epoch=number,
                step=state.step,
                loss=state.mean_loss(),
                valid_loss=loss,
                score=score,
                lr=self.plan.lr(state.step - 1, state.seconds),
                seconds=state.seconds,
                member=self.member,
                sample=self.sample(self.network) if self.sample else "",
            )
            state.ended(epoch)
        state.stopped = self._why_stop(epoch)
        self.log.write(epoch)
        self.progress.epoch(epoch)

    def _why_stop(self, epoch: Epoch) -> str:
        patience, vain = self.trainer.patience, self.state.since_best
        if self.plan.is_over(epoch.step, 0.0):
            return f"took all {self.plan.total} steps"
        if self.plan.is_over(epoch.step, epoch.seconds):
            return f"took its {progress_.spoken(self.plan.seconds)}"
        if epoch.valid_loss is not None and patience and vain >= patience:
            epochs = "1 epoch" if vain == 1 else f"{vain} epochs"
            return f"no better for {epochs} after step {epoch.step}"
        return ""

    def _first_bad(self, dataset: Dataset) -> Tensor:
        """Indices of the first batch whose loss is not finite."""
        batches = Batches(dataset, self.trainer.batch_size or 1, self.device)
        with frozen(self.network):
            ask = Reader(self.network, dataset)
            for indices, batch in zip(batches.indices(), batches, strict=True):
                if not self.objective(ask(batch), batch).isfinite():
                    return indices
        return torch.arange(len(dataset))

    def _diverged(self, what: str, dataset: Dataset, indices: Tensor) -> InputError:
        step = self.state.step - (dataset is self.valid)
        return diverge.stop(
            self.network,
            self.objective,
            dataset,
            indices,
            what=what,
            step=step + 1,
            lr=self.plan.lr(step, self.state.seconds),
        )


def _device(trainer: Trainer) -> torch.device:
    try:
        return torch.empty(0, device=trainer.device).device
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"Trainer: device is {trainer.device!r}, which this machine or build of torch lacks: "
            'try "cpu"'
        ) from error
