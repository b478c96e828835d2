from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F

from gatewise.decoders.sampling import Sampler, Sampling
from gatewise.decoders.writing import Steps, tokens
from gatewise.errors import InputError
from gatewise.nn.heads.softmax import AdaptiveHead, log_probabilities
from gatewise.nn.layers.encoder import Encoder
from gatewise.nn.networks.language import LanguageNetwork, TokenEncoder
from gatewise.nn.networks.language_spec import Regularization
from gatewise.objectives.language import LanguageLoss

ALL = Regularization(0.2, 0.2, 0.3, 0.3, 0.3, True, 2.0, 1.0)


def net(noise=None, tied=False, cutoffs=(), width=6, last=None, residual=False, **encoder):
    torch.manual_seed(0)
    spec = Encoder(hidden_size=8, num_layers=2, **encoder)
    reader = TokenEncoder(30, width, spec, noise, last, residual=residual)
    return LanguageNetwork(reader, noise, tied=tied, cutoffs=cutoffs)


def windows(size=30, batch=3, time=7):
    row = torch.randint(4, size, (batch, time + 1))
    return SimpleNamespace(tokens=row[:, :-1], targets=row[:, 1:])


@pytest.mark.parametrize("how", [{}, {"tied": True}, {"tied": True, "last": 6}, {"cutoffs": (10,)}])
def test_windows_in_a_row_are_one_long_window(how):
    network, batch = net(**how).eval(), windows(time=12)
    whole = network(batch).nats
    state, parts = None, []
    for first, last in ((0, 5), (5, 6), (6, 12)):
        part = SimpleNamespace(
            tokens=batch.tokens[:, first:last], targets=batch.targets[:, first:last]
        )
        output, state = network.carried(part, state)
        parts.append(output.nats)
    assert (torch.cat(parts, 1) - whole).abs().max() < 1e-5
    logits = log_probabilities(network.head, network(batch).features)
    assert (logits.exp().sum(-1) - 1).abs().max() < 1e-5
    picked = -logits.gather(-1, batch.targets.unsqueeze(-1)).squeeze(-1)
    assert (picked - whole).abs().max() < 1e-5


def test_tied_weights_are_one_parameter_and_the_last_layer_fits_it():
    network = net(tied=True, last=6)
    assert network.head.linear.weight is network.reader.embedding.weight
    assert network.head.project is None
    assert net(tied=True).head.project is not None
    names = [name for name, _ in network.named_parameters()]
    assert len(names) == len({id(p) for p in network.parameters()})


def test_the_adaptive_head_is_torchs():
    head = AdaptiveHead(8, 30, (10, 20))
    x, y = torch.randn(2, 5, 8), torch.randint(30, (2, 5))
    wanted = -head.softmax.log_prob(x.view(-1, 8)).gather(1, y.view(-1, 1)).view(2, 5)
    assert (head.nats(x, y) - wanted).abs().max() < 1e-5


def test_noise_is_drawn_in_training_only():
    network, batch = net(ALL, weight_dropout=0.3), windows()
    torch.manual_seed(1)
    a, b = network(batch), network(batch)
    assert not torch.equal(a.nats, b.nats)
    # Locked: the same features are dropped at all steps.
    gone = a.dropped == 0
    assert torch.equal(gone[:, 0], gone[:, 3])
    network.eval()
    assert torch.equal(network(batch).nats, network(batch).nats)


def test_the_loss_is_cross_entropy_with_ar_and_tar_in_training():
    network, batch = net(ALL), windows()
    batch.targets[0, :4] = 0
    output = network(batch)
    inside = batch.targets != 0
    logits = network.head.logits(output.dropped)
    loss = F.cross_entropy(logits[inside], batch.targets[inside])
    ar = 2.0 * output.dropped.square().mean()
    tar = (output.features[:, 1:] - output.features[:, :-1]).square().mean()
    found = LanguageLoss(2.0, 1.0)(output, batch)
    assert found.item() == pytest.approx((loss + ar + tar).item(), rel=1e-5)
    quiet = LanguageLoss(2.0, 1.0)(network.eval()(batch), batch)
    plain = LanguageLoss()(network(batch), batch)
    assert quiet.item() == plain.item()


def test_nothing_scored_costs_nothing():
    network, batch = net(), windows()
    batch.targets[:] = 0
    assert LanguageLoss()(network(batch), batch).item() == 0.0


def test_it_does_not_read_backwards():
    with pytest.raises(InputError, match="direction='backward'"):
        net(bidirectional=True)


@pytest.mark.parametrize(
    "how",
    [{}, {"tied": True}, {"cutoffs": (10,)}, {"cell": "gru"}, {"residual": True},
     {"residual": True, "tied": True, "last": 6}],
)  # fmt: skip
def test_steps_score_as_the_network_does(how):
    network, batch = net(**how).eval(), windows(batch=1, time=12)
    row = batch.tokens[0].tolist()
    with torch.no_grad():
        logits = network.head.logits(network.reader(batch.tokens)[0])[0]
    steps = Steps(network, row[:4], banned=(0, 1))
    for k in range(4, 12):
        assert (torch.from_numpy(steps.logits)[2:] - logits[k - 1, 2:]).abs().max() < 1e-5
        assert steps.logits[0] == steps.logits[1] == -float("inf")
        steps.step(row[k])


def test_a_layer_that_has_no_stream_is_stepped(monkeypatch):
    network, batch = net().eval(), windows(batch=1, time=6)
    row = batch.tokens[0].tolist()
    quick = Steps(network, row[:3])
    refuse = InputError("no stream")

    def refused(*_, **__):
        raise refuse

    for layer in network.reader.layers:
        monkeypatch.setattr(layer, "stream", refused)
    slow = Steps(network, row[:3])
    for token in row[3:]:
        assert abs(quick.step(token) - slow.step(token)).max() < 1e-5
    with pytest.raises(InputError):
        Steps(network, row[:3], weights="int8")


def test_writing_ends_where_it_is_told_to():
    network = net().eval()
    steps = Steps(network, [3], banned=(0, 1, 2))
    text = list(tokens(steps, Sampler(Sampling(seed=0)), most=40, end=3))
    assert len(text) <= 40
    assert not {0, 1, 2, 3} & set(text)
    network.head.linear.bias.data[3] = 99.0
    assert not list(tokens(Steps(network, [3]), Sampler(Sampling(seed=0)), most=None, end=3))


@pytest.mark.parametrize(("name", "value"), [("input", 1.0), ("output", -0.1), ("alpha", -1.0)])
def test_rates_out_of_range_are_refused(name, value):
    with pytest.raises(InputError, match=f"{name}="):
        Regularization(**{name: value})
