"""Networks that know what is usual: causal, the same in pieces and step by step."""

import numpy as np
import pytest
import torch

from gatewise.data.readings.tracks import TrackBatch
from gatewise.nn import Encoder
from gatewise.nn.networks.monitor import NextValues, Reconstruction
from gatewise.nn.networks.monitor_stream import CarriedErrors, NextErrors, stepped

CHANNELS, FEATURES, HORIZON = 3, 5, 4


def network(kind="forecast", **encoder):
    torch.manual_seed(0)
    spec = Encoder(hidden_size=8, **encoder)
    if kind in ("forecast", "likelihood"):
        made = NextValues(spec, FEATURES, CHANNELS, HORIZON, by_sigma=kind == "likelihood")
    else:
        made = Reconstruction(spec, FEATURES, CHANNELS, 12, HORIZON, kind)
    return made.eval()


def series(steps=60, missing=0.0):
    random = np.random.default_rng(1)
    inputs = torch.from_numpy(random.normal(size=(steps, FEATURES))).float()
    target = torch.from_numpy(random.normal(size=(steps, CHANNELS)))
    target[torch.from_numpy(random.random(target.shape) < missing)] = torch.nan
    return inputs, target


KINDS = ["forecast", "likelihood", "autoencoder", "variational"]


def errors_of(net, inputs, target, carry=None):
    with torch.no_grad():
        return net.errors(inputs, target, carry)


@pytest.mark.parametrize("kind", KINDS)
def test_errors_in_pieces_are_the_errors_of_the_whole(kind):
    net, (inputs, target) = network(kind), series(missing=0.1)
    whole, _ = errors_of(net, inputs, target)
    carry, parts = None, []
    for first, end in ((0, 1), (1, 3), (3, 30), (30, 60)):
        part, carry = errors_of(net, inputs[first:end], target[first:end], carry)
        parts.append(part)
    torch.testing.assert_close(torch.cat(parts), whole, equal_nan=True, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_knows_nothing_of_what_comes_after(kind):
    net, (inputs, target) = network(kind), series()
    whole, _ = errors_of(net, inputs, target)
    cut, _ = errors_of(net, inputs[:40], target[:40])
    torch.testing.assert_close(whole[:40], cut, equal_nan=True, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_step_by_step_the_errors_are_the_same(kind):
    net, (inputs, target) = network(kind), series(missing=0.1)
    whole, _ = errors_of(net, inputs, target)
    stream = stepped(net)
    assert isinstance(stream, NextErrors if kind in ("forecast", "likelihood") else CarriedErrors)
    got = []
    for k in range(60):
        if k == 30:
            kept = stream.snapshot()
        got.append(stream.step(inputs[k].numpy(), target[k].numpy()).copy())
    np.testing.assert_allclose(got, whole.numpy(), rtol=1e-5, atol=1e-6)
    stream.restore(kept)
    again = [stream.step(inputs[k].numpy(), target[k].numpy()).copy() for k in range(30, 60)]
    np.testing.assert_allclose(again, whole[30:].numpy(), rtol=1e-5, atol=1e-6)


def test_an_error_is_the_mean_over_all_that_was_said_of_a_value():
    net, (inputs, target) = network(), series()
    whole, _ = errors_of(net, inputs, target)
    with torch.no_grad():
        hidden, _ = net.recurrent(inputs[None])
        said = net.head(hidden)[0].unflatten(-1, (2, HORIZON, CHANNELS))[:, 0]
    for step in (8, 30, 59):
        miss = [(target[step] - said[step - h, h - 1]).abs() for h in range(1, HORIZON + 1)]
        torch.testing.assert_close(whole[step], torch.stack(miss).mean(0))
    assert whole[: net.lead].isnan().all()
    assert not whole[net.lead :].isnan().any()


def test_targets_are_the_next_values():
    net, (inputs, target) = network(), series()
    weight = torch.ones_like(target)
    out = net(TrackBatch(inputs[None], target.float()[None], weight.float()[None]))
    assert out.mean.shape == (1, 56, HORIZON, CHANNELS)
    torch.testing.assert_close(out.target[0, 10, 2], target[13].float())


def test_long_stretches_are_cut_into_windows_that_overlap():
    net, (inputs, target) = network("autoencoder"), series()
    batch = TrackBatch(inputs[None], target.float()[None], torch.ones(1, 60, CHANNELS))
    out = net(batch)
    assert out.mean.shape == (9, 12, CHANNELS)
    torch.testing.assert_close(out.target[1], target[6:18].float())


def test_a_layer_without_a_stream_goes_through_torch():
    assert isinstance(stepped(network(num_layers=2)), NextErrors)
    assert isinstance(stepped(network("autoencoder", bidirectional=True)), CarriedErrors)
