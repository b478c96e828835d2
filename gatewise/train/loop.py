"""Train a network: epochs of steps, a look at what is held out, the best weights in the end."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..data.batches import move
from ..data.digest import digest
from ..errors import InputError
from ..objectives.contract import Scored
from . import diverge, many
from . import progress as progress_
from .checkpoint import Checkpoint
from .ensemble import Ensemble
from .held_out import evaluate
from .history import Epoch, History
from .log import Log
from .progress import Progress
from .randomness import derive, isolated, reseed
from .sampler import Sampler
from .schedule import factor
from .state import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

    from ..data.contract import Dataset, Fold
    from ..objectives.contract import Objective
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
        progress: A bar or lines on standard error (`gatewise.train.progress.chosen`).
        log: JSONL file, a line per epoch.
        checkpoint: Folder; a run that was killed goes on from there, to the same weights.
        identity: What else makes it this run and no other, as JSON can hold it.

    Returns:
        Every epoch, and why it ended.

    Raises:
        InputError: There is nothing to fit on, the loss or a gradient is not finite, or the
            checkpoint is damaged or another run's.
    """
    if len(fold.train) == 0:
        raise InputError("there are no examples to fit on: give more or longer data")
    trainer = trainer.resolve()
    network.to(torch.device(trainer.device))
    place = Checkpoint(checkpoint) if isinstance(checkpoint, str | Path) else checkpoint
    known = dict(identity or {}) | {"data": fold.digest or sampled_digest(fold.train)}
    members = list(network.members) if isinstance(network, Ensemble) else [network]
    shown = progress_.chosen(progress)
    written = Log(log)
    histories: list[History] = []
    shown.open(
        len(members) * _Run.plan(fold, trainer)[1],
        objective.score_name if isinstance(objective, Scored) else None,
    )
    try:
        for k, member in enumerate(members):
            own = replace(trainer, seed=trainer.seed + k)
            where = place.of(k) if place and len(members) > 1 else place
            one = _Run(member, objective, fold, own, k, shown, written)
            histories.append(one.go(where, known | {"trainer": asdict(own)}))
    finally:
        shown.close(histories[-1].stopped[-1] if len(histories) == len(members) else "")
    network.eval()
    return History.joined(histories)


def sampled_digest(dataset: Dataset, most: int = 256) -> str:
    """Hash the number of examples and up to `most` of them, spread evenly."""
    count = len(dataset)
    indices = torch.linspace(0, count - 1, min(count, most)).long()
    return digest(count, *_tensors(dataset.batch(indices)))


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
    ) -> None:
        self.network, self.objective, self.fold = network, objective, fold
        self.trainer, self.member = trainer, member
        self.progress, self.log = progress, log
        self.device = torch.device(trainer.device)
        self.sampler, self.total = self.plan(fold, trainer)
        self.state = State(network, trainer)
        self.generator = torch.Generator()

    @staticmethod
    def plan(fold: Fold, trainer: Trainer) -> tuple[Sampler, int]:
        """Which examples make up which step, and how many steps there are at most."""
        assert trainer.batch_size is not None
        sampler = Sampler(
            len(fold.train),
            trainer.batch_size,
            trainer.epoch_examples or 0,
            fold.train.lengths,
            seed=trainer.seed,
        )
        limits = (trainer.max_steps, trainer.max_epochs and trainer.max_epochs * sampler.steps)
        return sampler, min(limit for limit in limits if limit)

    def go(self, checkpoint: Checkpoint | None, identity: Mapping[str, Any]) -> History:
        """Take all steps that are left."""
        state = self.state
        identity = {**identity, "network": _shape(self.network)}
        if checkpoint and (found := checkpoint.read(identity)):
            state.restore(*found)
        self.log.start(len(state.epochs), self.member)
        before, began = state.seconds, time.monotonic()
        with isolated(derive(self.trainer.seed, "dropout"), self.device):
            while not state.stopped:
                number, done = divmod(state.step, self.sampler.steps)
                batches = self.sampler.epoch(number)
                batches = batches[: self.total - number * self.sampler.steps]
                for indices in batches[done:]:
                    self._step(indices)
                    state.seconds = before + time.monotonic() - began
                    unfinished = state.step % self.sampler.steps and state.step < self.total
                    if checkpoint and unfinished and checkpoint.due():
                        checkpoint.write(identity, *state.state())
                self._look(number + 1)
                if checkpoint and (state.stopped or checkpoint.due()):
                    checkpoint.write(identity, *state.state())
        state.keep_best()
        return History(tuple(state.epochs), (state.stopped,))

    def _step(self, indices: Tensor) -> None:
        """Take one step; everything random in it follows from the seed and its number."""
        state, trainer = self.state, self.trainer
        reseed(derive(trainer.seed, "dropout", state.step), self.device)
        self.generator.manual_seed(derive(trainer.seed, "examples", state.step))
        batch = move(self.fold.train.batch(indices, self.generator), self.device)
        lr = self._lr(state.step)
        for group in state.optimizer.param_groups:
            group["lr"] = lr
        self.network.train()
        state.optimizer.zero_grad()
        loss = self.objective(self.network(batch), batch)
        value = loss.item()
        if not math.isfinite(value):
            raise self._diverged("loss", self.fold.train, indices)
        loss.backward()
        grads = [p.grad for p in state.weights if p.grad is not None]
        norm = many.norm(grads).item()
        if not math.isfinite(norm):
            raise self._diverged("gradient", self.fold.train, indices)
        if 0 < trainer.clip_norm < norm:
            many.scale_(grads, trainer.clip_norm / norm)
        state.optimizer.step()
        state.average.update()
        state.took(value, len(indices))
        self.progress.step(self.member * self.total + state.step, value)

    def _look(self, number: int) -> None:
        """Evaluate on what is held out, keep the best weights, and decide whether to go on."""
        state, trainer = self.state, self.trainer
        assert trainer.batch_size is not None
        valid = self.fold.valid if self.fold.valid is not None and len(self.fold.valid) else None
        loss, score = None, None
        with state.average.applied():
            if valid is not None:
                loss, score = evaluate(self.network, self.objective, valid, trainer.batch_size)
                if not math.isfinite(loss):
                    raise self._diverged("held-out loss", valid, torch.arange(len(valid)))
            epoch = Epoch(
                number,
                state.step,
                state.mean_loss(),
                loss,
                score,
                self._lr(state.step - 1),
                state.seconds,
                self.member,
            )
            state.ended(epoch)
        state.stopped = self._why_stop()
        self.log.write(epoch)
        self.progress.epoch(epoch)

    def _why_stop(self) -> str:
        state, trainer = self.state, self.trainer
        if state.step >= self.total:
            return f"took all {self.total} steps"
        if state.epochs[-1].valid_loss is None or not trainer.patience:
            return ""
        if state.since_best >= trainer.patience:
            epochs = "1 epoch" if state.since_best == 1 else f"{state.since_best} epochs"
            return f"no better for {epochs} after step {state.epochs[-1].step}"
        return ""

    def _lr(self, step: int) -> float:
        trainer = self.trainer
        assert trainer.lr is not None
        assert trainer.schedule is not None
        assert trainer.warmup is not None
        return trainer.lr * factor(trainer.schedule, step, self.total, trainer.warmup)

    def _diverged(self, what: str, dataset: Dataset, indices: Tensor) -> InputError:
        return diverge.stop(
            self.network,
            self.objective,
            dataset,
            indices,
            what=what,
            step=self.state.step + 1,
            lr=self._lr(self.state.step),
            device=self.device,
        )


def _shape(network: nn.Module) -> str:
    named = {name: [*value.shape, str(value.dtype)] for name, value in network.state_dict().items()}
    return digest({name: list(map(str, shape)) for name, shape in named.items()})


def _tensors(value: Any) -> list[Any]:
    """Flatten a batch to what can be hashed."""
    if isinstance(value, torch.Tensor):
        return [value.detach().cpu().numpy()]
    if hasattr(value, "__dict__") and not isinstance(value, type):
        return [t for part in vars(value).values() for t in _tensors(part)]
    if isinstance(value, dict):
        return [t for part in value.values() for t in _tensors(part)]
    if isinstance(value, list | tuple):
        return [t for part in value for t in _tensors(part)]
    return [value] if isinstance(value, str | int | float | type(None)) else []
