from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from gatewise.data.contract import Fold
from gatewise.data.language.streams import Passage, Streams
from gatewise.errors import InputError
from gatewise.nn.layers.encoder import Encoder
from gatewise.nn.networks.language import LanguageNetwork, TokenEncoder
from gatewise.nn.networks.language_spec import Regularization
from gatewise.objectives.language import LanguageLoss
from gatewise.train import Trainer, evaluate, run
from gatewise.train.checkpoint import Checkpoint
from gatewise.train.plan import Plan


def row(count=600, seed=0):
    """A text with a long memory: each token follows from the one before and a hidden phase."""
    chance = np.random.default_rng(seed)
    phase = np.cumsum(chance.random(count) < 0.05) % 3
    return (4 + (np.arange(count) * (1 + phase)) % 6).astype(np.uint8)


def net(seed=0, drop=0.0):
    torch.manual_seed(seed)
    encoder = Encoder(hidden_size=8, num_layers=2)
    noise = Regularization(output=drop, hidden=drop)
    return LanguageNetwork(TokenEncoder(10, 4, encoder, noise), noise)


def fold(window=10, jitter=False):
    tokens = row()
    return Fold(Streams(tokens[:500], window, jitter), Passage(tokens, 500, window=32))


def weights(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


SPEC = Trainer(
    lr=0.05, batch_size=4, max_epochs=3, patience=0, average=0.0, weight_decay=0.0, warmup=0.0,
    schedule="constant", clip_norm=0.0, optimizer="sgd",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _nobody_forgets(request, monkeypatch):
    if "forgets" not in request.node.name:
        monkeypatch.setattr("gatewise.data.language.streams.FORGET", 0.0)


def test_training_is_truncated_backpropagation_written_out():
    tokens, mine = torch.from_numpy(row()[:500].astype(np.int64)), net()
    state = None
    starts = torch.arange(4).unsqueeze(1) * 125
    for step in range(3 * 12):
        # An epoch of 125 tokens a reader has 12 windows, whose edges are rounded.
        number, k = divmod(step, 12)
        first, last = (np.rint(np.array([k, k + 1]) * 125 / 12) + number * 125).astype(int)
        places = (starts + torch.arange(first, last)) % 500
        x, state = mine.reader(tokens[places], state)
        state = {name: part.detach() for name, part in state.items()}
        logits = mine.head.logits(x).flatten(0, 1)
        loss = nn.functional.cross_entropy(logits, tokens[(places + 1) % 500].flatten())
        mine.zero_grad()
        loss.backward()
        with torch.no_grad():
            for p in mine.parameters():
                p -= SPEC.lr * (last - first) / 10 * p.grad
    theirs = net()
    run(theirs, LanguageLoss(), Fold(fold().train, None), SPEC, progress=False)
    assert (weights(mine) - weights(theirs)).abs().max() < 1e-5


def test_the_state_matters():
    carried, cut = net(), net()
    run(carried, LanguageLoss(), fold(), SPEC, progress=False)

    class Forgets(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, batch):
            return self.inner(batch)  # from nothing, and the trainer sees nothing to hand on

    run(Forgets(cut), LanguageLoss(), fold(), SPEC, progress=False)
    assert not torch.equal(weights(carried), weights(cut))


@pytest.mark.parametrize("stop_at", [5, 13, 25])
def test_a_resumed_run_goes_on_with_the_state_and_ends_with_the_same_weights(tmp_path, stop_at):
    whole = net(drop=0.2)
    run(whole, LanguageLoss(), fold(jitter=True), SPEC, progress=False)

    class Killed(Exception):
        pass

    class Kills(LanguageLoss):
        def __call__(self, output, batch):
            if output.training:
                seen.append(1)
                if len(seen) > stop_at:
                    raise Killed
            return super().__call__(output, batch)

    seen: list[int] = []
    place = Checkpoint(tmp_path, every=0.0)
    with pytest.raises(Killed):
        run(
            net(drop=0.2), Kills(), fold(jitter=True), SPEC, progress=False, checkpoint=place
        )  # fmt: skip
    again = net(drop=0.2)
    history = run(
        again, LanguageLoss(), fold(jitter=True), SPEC, progress=False, checkpoint=place
    )  # fmt: skip
    assert torch.equal(weights(again), weights(whole))
    assert history.epochs[-1].epoch == 3


def test_evaluation_hands_the_state_on():
    network, tokens = net().eval(), torch.from_numpy(row().astype(np.int64))
    with torch.no_grad():
        x, _ = network.reader(tokens[None, :-1])
        logits = network.head.logits(x)[0]
    one = nn.functional.cross_entropy(logits[399:], tokens[400:]).item()
    # One reader begins 256 tokens ahead, which this memory cannot tell from the whole.
    found, _ = evaluate(network, LanguageLoss(), Passage(row(), 400, window=7), 1)
    assert found == pytest.approx(one, abs=1e-5)


def test_a_run_by_the_clock_ends_in_time_with_the_schedule_at_its_end():
    how = {"schedule": "linear", "warmup": 0.0, "optimizer": "sgd", "lr": 1.0, "batch_size": 4}
    trainer = Trainer(max_seconds=0.4, **how)
    history = run(net(), LanguageLoss(), fold(), trainer, progress=False)
    assert history.stopped == ("took its 0 s",)
    assert history.epochs[-1].seconds < 2.0
    assert history.epochs[-1].lr < 0.05
    rates = [e.lr for e in history.epochs]
    assert rates == sorted(rates, reverse=True)


def test_of_clock_and_steps_the_nearer_end_decides():
    plan = Plan(fold().train, Trainer(max_seconds=10.0, max_steps=100, schedule="linear").resolve())
    assert plan.lr(50, 9.0) == pytest.approx(plan.lr(90, 0.0), rel=0.02)
    assert not plan.is_over(99, 9.9)
    assert plan.is_over(100, 0.0)
    assert plan.is_over(0, 10.0)


def test_longer_windows_learn_at_a_higher_rate():
    streams = fold(jitter=True).train
    plan = Plan(streams, SPEC.resolve())
    _, batches = plan.left(0)
    assert [plan.weight(b) for b in batches] == [b.shape[1] / 10 for b in plan.left(0)[1]]


class Two(nn.Module):
    """Two layers that learn nothing of interest."""

    def __init__(self):
        super().__init__()
        self.low, self.high = nn.Linear(3, 3), nn.Linear(3, 1)

    def forward(self, batch):
        return self.high(self.low(batch.x))

    def layers(self):
        return [self.low.parameters(), self.high.parameters()]


def squares(output, batch):
    return (output - batch.y).square().mean()


def rows():
    from tests.toys import Rows

    x = torch.randn(16, 3, generator=torch.Generator().manual_seed(0))
    return Fold(Rows(x, x.sum(1, keepdim=True)), None)


def moved(**how):
    torch.manual_seed(0)
    network = Two()
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    run(network, squares, rows(), Trainer(average=0.0, batch_size=16, **how), progress=False)
    return {name: (p - before[name]).abs().max().item() for name, p in network.named_parameters()}


def test_layers_thaw_from_the_top():
    still = moved(unfreeze=2, max_epochs=2)
    assert still["low.weight"] == 0.0
    assert still["high.weight"] > 0.0
    assert moved(unfreeze=2, max_epochs=3)["low.weight"] > 0.0


def test_lower_layers_learn_at_a_lower_rate():
    plain = moved(max_steps=1, optimizer="sgd", clip_norm=0.0)
    apart = moved(max_steps=1, optimizer="sgd", clip_norm=0.0, layer_decay=0.5)
    assert apart["low.weight"] == pytest.approx(plain["low.weight"] / 2, rel=1e-4)
    assert apart["high.weight"] == pytest.approx(plain["high.weight"], rel=1e-4)


def test_a_network_without_layers_cannot_treat_them_apart():
    with pytest.raises(InputError, match=r"layer_decay is 0\.5, and this network names no layers"):
        run(nn.Linear(3, 1), squares, rows(), Trainer(layer_decay=0.5), progress=False)


def test_a_reader_that_forgets_begins_from_nothing():
    network, streams = net().eval(), fold().train
    batch = streams.batch(torch.tensor([[3, 4], [50, 51], [90, 91]]))
    _, state = network.carried(batch, None)
    some = replace(batch, fresh=torch.tensor([False, True, False]))
    found, _ = network.carried(some, state)
    went_on, anew = network.carried(batch, state)[0], network(batch)
    assert torch.equal(found.nats[1], anew.nats[1])
    assert torch.equal(found.nats[[0, 2]], went_on.nats[[0, 2]])
    chance = torch.Generator().manual_seed(0)
    drawn = [streams.batch(torch.zeros(50, 2).long(), chance).fresh for _ in range(200)]
    assert 0.005 < torch.stack(drawn).float().mean() < 0.015
    assert streams.batch(torch.zeros(5, 2).long()).fresh is None
