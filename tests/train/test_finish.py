"""The last steps, on everything: as many as asked for, taken up again, and judged by nobody."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gatewise.data.contract import Fold
from gatewise.train import Checkpoint, Ensemble, Trainer, finish, run

from ..toys import Killed, Layers, Net, Rows, kill_after, squared

TRAINER = Trainer(lr=0.02, batch_size=8, max_epochs=6, finish=0.5).resolve()


def rows(count, seed, noise=0.0):
    x = torch.randn(count, 3, generator=torch.Generator().manual_seed(seed))
    return Rows(x, x[:, :1] - x[:, 1:2].sin(), noise)


def fold():
    return Fold(rows(40, 0, 0.1), rows(16, 1), "digest", rows(56, 2, 0.1))


def build(members=1):
    return Ensemble.of(lambda: Net(3, 1, Layers(8, 0.3)), members, seed=0)


def weights(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def fitted(data, network, checkpoint=None, trainer=TRAINER):
    """Both phases, as an estimator runs them."""
    rest = {"checkpoint": checkpoint, "identity": {"run": 1} if checkpoint else None}
    history = run(network, squared, data, trainer, **rest)
    before = weights(network)
    steps = finish(network, squared, data, trainer, history, **rest)
    return history, before, steps


@pytest.mark.parametrize("members", [1, 2])
def test_it_takes_the_share_of_the_best_step_that_was_asked_for(members):
    network = build(members)
    history, before, steps = fitted(fold(), network)
    best = [history.best(member).step for member in range(members)]
    assert steps == round(0.5 * np.mean(best))
    assert not torch.equal(weights(network), before)
    assert torch.isfinite(weights(network)).all()


@pytest.mark.parametrize("share", [0.0, 1e-9])
def test_no_share_leaves_the_best_weights(share):
    network = build()
    trainer = Trainer(lr=0.02, batch_size=8, max_epochs=3, finish=share).resolve()
    _, before, steps = fitted(fold(), network, trainer=trainer)
    assert steps == 0
    assert torch.equal(weights(network), before)


@pytest.mark.parametrize("absent", ["whole", "valid"])
def test_there_is_nothing_to_go_on_with(absent):
    network = build()
    _, before, steps = fitted(replace(fold(), **{absent: None}), network)
    assert steps == 0
    assert torch.equal(weights(network), before)


def test_it_looks_at_the_whole_only():
    network, data = build(), fold()
    history = run(network, squared, data, TRAINER)

    def refused(*_):
        raise Killed

    data.train.batch = data.valid.batch = refused
    assert finish(network, squared, data, TRAINER, history) > 0


def test_the_processes_randomness_is_left_alone_and_matters_not():
    one, two = build(), build()
    fitted(fold(), one)
    torch.manual_seed(11)
    before = torch.get_rng_state()
    fitted(fold(), two)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(weights(one), weights(two))


@pytest.mark.parametrize("members", [1, 2])
@pytest.mark.parametrize("after", [1, 3, 7])
def test_a_fit_killed_while_finishing_ends_with_the_same_bits(tmp_path, members, after):
    whole = build(members)
    _, _, steps = fitted(fold(), whole)
    assert steps * members > after
    data = fold()
    kill_after(data.whole, after)
    with pytest.raises(Killed):
        fitted(data, build(members), Checkpoint(tmp_path, every=0.0))
    again = build(members)
    fitted(fold(), again, tmp_path)
    assert torch.equal(weights(whole), weights(again))


def test_a_fit_that_ended_is_not_finished_twice(tmp_path):
    one, two = build(), build()
    fitted(fold(), one, tmp_path)
    data = fold()

    def refused(*_):
        raise Killed

    data.train.batch = data.whole.batch = refused
    fitted(data, two, tmp_path)
    assert torch.equal(weights(one), weights(two))
