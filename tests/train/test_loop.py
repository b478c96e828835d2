from __future__ import annotations

import json
import math
import random
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from gatewise.data.contract import Fold
from gatewise.errors import InputError
from gatewise.train import Ensemble, Trainer, run
from gatewise.train.schedule import factor

from ..toys import Batch, Layers, Net, Rows, squared


def rows(count=40, seed=0, noise=0.0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 3, generator=generator)
    return Rows(x, x[:, :1] - x[:, 1:2].sin(), noise)


def fold(noise=0.1):
    return Fold(rows(40, 0, noise), rows(16, 1))


def net(seed=0, dropout=0.2):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Net(3, 1, Layers(8, dropout))


def weights(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def test_what_is_shown_at_each_look_is_kept_and_changes_nothing():
    def sample(network):
        assert not network.training
        return f"{weights(network).sum():.6f}"

    plain, asked = net(), net()
    trainer = Trainer(max_epochs=3, batch_size=8)
    run(plain, squared, fold(), trainer)
    history = run(asked, squared, fold(), trainer, sample=sample)
    assert torch.equal(weights(plain), weights(asked))
    assert len({epoch.sample for epoch in history.epochs}) == 3
    assert history.best().sample == sample(asked)


def test_it_is_adamw_with_clipping_and_the_schedule_written_out():
    """Against torch's own AdamW, double precision, the whole data as the batch."""
    data = rows(24)
    data = Rows(data.x.double() * 30, data.y.double() * 30)
    trainer = Trainer(lr=0.01, batch_size=24, max_steps=30, average=0.0, weight_decay=0.1)
    ours, theirs = net(dropout=0.0).double(), net(dropout=0.0).double()
    run(ours, squared, Fold(data, None), trainer)

    decayed = [p for p in theirs.parameters() if p.ndim > 1]
    spared = [p for p in theirs.parameters() if p.ndim == 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.1}, {"params": spared, "weight_decay": 0.0}],
        betas=(0.9, 0.99),
    )
    clipped = 0
    for step in range(30):
        for group in optimizer.param_groups:
            group["lr"] = 0.01 * factor("cosine", step, 30, 0.05)
        optimizer.zero_grad()
        squared(theirs(Batch(data.x, data.y)), Batch(data.x, data.y)).backward()
        clipped += float(nn.utils.clip_grad_norm_(theirs.parameters(), 1.0)) > 1.0
        optimizer.step()
    assert clipped == 30
    assert (weights(ours) - weights(theirs)).abs().max() < 1e-7


def test_it_learns_and_ends_with_the_best_weights():
    network = net()
    history = run(network, squared, fold(), Trainer(lr=0.02, batch_size=8, max_epochs=30))
    valid = rows(16, 1)
    with torch.no_grad():
        loss = squared(network(valid.batch(torch.arange(16))), valid.batch(torch.arange(16)))
    assert loss.item() == pytest.approx(history.best().valid_loss, rel=1e-5)
    assert history.best().valid_loss == min(e.valid_loss for e in history.epochs)
    assert history.best().valid_loss < 0.3 * history.epochs[0].valid_loss
    assert not network.training


def test_it_stops_when_nothing_gets_better():
    """Labels of the held-out part are the opposite: every step makes it worse."""
    train, valid = rows(), rows(16, 1)
    worse = Fold(train, Rows(valid.x, -3 * valid.y))
    network = net(dropout=0.0)
    history = run(
        network, squared, worse, Trainer(lr=0.05, batch_size=8, max_epochs=40, patience=3)
    )
    best = history.best().epoch
    assert len(history.epochs) == best + 3 < 40
    assert history.stopped == (f"no better for 3 epochs after step {history.epochs[-1].step}",)


def test_patience_of_zero_takes_all_steps():
    train, valid = rows(), rows(16, 1)
    worse = Fold(train, Rows(valid.x, -3 * valid.y))
    trainer = Trainer(lr=0.05, batch_size=8, max_epochs=6, patience=0)
    history = run(net(), squared, worse, trainer)
    assert len(history.epochs) == 6
    assert history.best().epoch < 6


@dataclass
class Signs:
    """An objective whose score disagrees with its loss about what is best."""

    score_name: str = "agreement"

    def __call__(self, output, batch):
        return squared(output, batch)

    def score(self, output, batch):
        return -squared(output, batch) * 0 + output.mean()


def test_a_score_decides_where_there_is_one():
    history = run(net(), Signs(), fold(), Trainer(lr=0.02, batch_size=8, max_epochs=8))
    assert history.best().score == max(e.score for e in history.epochs)


def test_steps_are_counted_across_epochs_and_cut_the_last_one():
    trainer = Trainer(batch_size=8, max_steps=13, epoch_examples=20)
    history = run(net(), squared, fold(), trainer)
    assert [e.step for e in history.epochs] == [3, 6, 9, 12, 13]
    assert history.stopped == ("took all 13 steps",)


def test_nothing_held_out_keeps_the_last_weights():
    history = run(net(), squared, Fold(rows(), None), Trainer(batch_size=8, max_epochs=3))
    assert history.best() == history.epochs[-1]
    assert history.epochs[0].valid_loss is None


def test_the_process_own_generators_are_untouched():
    def states():
        return (
            torch.get_rng_state().tolist(),
            [str(part) for part in np.random.get_state()],
            random.getstate(),
        )

    before = states()
    run(net(), squared, fold(), Trainer(batch_size=8, max_epochs=2))
    assert states() == before


def test_the_process_own_generators_have_no_say():
    ends = []
    for seed in (1, 2):
        network = net()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            run(network, squared, fold(), Trainer(batch_size=8, max_epochs=2))
        ends.append(weights(network))
    assert torch.equal(*ends)


def test_seeds_differ():
    ends = []
    for seed in (1, 2):
        network = net()
        run(network, squared, fold(), Trainer(batch_size=8, max_epochs=2, seed=seed))
        ends.append(weights(network))
    assert not torch.equal(*ends)


def test_members_are_trained_as_single_networks_of_the_seeds_that_follow():
    trainer = Trainer(batch_size=8, max_epochs=2, seed=5)
    ensemble = Ensemble([net(0), net(1)])
    history = run(ensemble, squared, fold(), trainer)
    for k in (0, 1):
        alone = net(k)
        run(alone, squared, fold(), Trainer(batch_size=8, max_epochs=2, seed=5 + k))
        assert torch.equal(weights(ensemble.members[k]), weights(alone))
    assert [e.member for e in history.epochs] == [0, 0, 1, 1]
    assert len(history.stopped) == 2


def test_the_log_has_a_line_per_epoch(tmp_path):
    log = tmp_path / "runs" / "log.jsonl"
    for _ in range(2):
        history = run(Ensemble([net(0), net(1)]), squared, fold(), Trainer(max_epochs=3), log=log)
    records = [json.loads(line) for line in log.read_text().splitlines()]
    assert records == history.state()["epochs"]


def test_no_examples_are_refused():
    with pytest.raises(InputError, match="no examples to fit on"):
        run(net(), squared, Fold(rows(0), None), Trainer())


def test_an_unknown_device_is_refused():
    with pytest.raises(InputError, match="device is 'gpu', which this machine"):
        run(net(), squared, fold(), Trainer(device="gpu"))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_value_that_is_not_finite_is_named_with_its_column_and_step(value):
    spoilt = rows()
    spoilt.x[17, 2] = value
    with pytest.raises(
        InputError, match=r"at step [1-5] because the (loss|gradient) .*: row 17, column 2; fill"
    ):
        run(net(), squared, Fold(spoilt, None), Trainer(batch_size=8))


def test_a_held_out_value_that_is_not_finite_is_named():
    spoilt = rows(16, 1)
    spoilt.y[11] = math.nan
    with pytest.raises(InputError, match=r"step 5 because the held-out loss .*: row 11, column 3"):
        run(net(), squared, Fold(rows(), spoilt), Trainer(batch_size=8))


def root(output, batch):
    """A loss whose gradient is not finite where an answer is met exactly."""
    return (output - batch.y).abs().sqrt().mean()


class Zero(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, 1))

    def forward(self, batch):
        return batch.x[:, :1] @ self.weight


def test_a_gradient_that_is_not_finite_names_the_example():
    data = Rows(torch.ones(16, 1), torch.ones(16, 1))
    data.y[9] = 0.0
    with pytest.raises(InputError, match=r"step 1 because the gradient .*: row 9 is enough .*lr"):
        run(Zero(), root, Fold(data, None), Trainer(batch_size=16))


def test_a_network_that_explodes_is_told_to_slow_down():
    huge = Rows(torch.full((8, 1), 1e20), torch.full((8, 1), 1e30))
    with pytest.raises(InputError, match=r"because the loss is not finite: row \d is .*lower lr"):
        run(Zero(), squared, Fold(huge, None), Trainer(batch_size=8))
