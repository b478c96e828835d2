"""Sequence to vector to sequence: the wiring with torch's layers, lengths, draws, learning."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gatewise import InputError
from gatewise.nn import SequenceAutoencoder, VariationalSequenceAutoencoder
from gatewise.objectives.latent import kl_to_standard_normal

KINDS = {"plain": SequenceAutoencoder, "variational": VariationalSequenceAutoencoder}
EACH = pytest.mark.parametrize("kind", KINDS)


def made(kind="plain", cell="lstm", **options):
    torch.manual_seed(0)
    model = KINDS[kind](cell, 3, 5, 4, **options).double().eval()
    for weight in model.parameters():
        nn.init.normal_(weight, std=0.5)
    return model


def data(batch=3):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(batch, 6, 3, generator=generator, dtype=torch.float64)


def unfolded(part, code, steps):
    """A decoder with torch's LSTM, [1, steps, output], as it writes."""
    theirs = nn.LSTM(4, 5, batch_first=True).double()
    theirs.load_state_dict(part.recurrent.state_dict())
    h, c = torch.tanh(part.initial.maps["h"](code)), part.initial.maps["c"](code)
    y, _ = theirs(code.expand(1, steps, 4), (h[None], c[None]))
    return part.output(y)


@pytest.mark.parametrize("bidirectional", [False, True], ids=["forward", "both"])
def test_it_is_the_composite_model(bidirectional):
    model, x = made(horizon=2, bidirectional=bidirectional), data(1)
    theirs = nn.LSTM(3, 5, batch_first=True, bidirectional=bidirectional).double()
    theirs.load_state_dict(model.encoder.recurrent.state_dict())
    h = theirs(x)[1][0]
    code = model.code(torch.cat(list(h), -1))
    got = model(x)
    torch.testing.assert_close(got.code, code)
    torch.testing.assert_close(got.reconstruction, unfolded(model.decoder, code, 6).flip(1))
    torch.testing.assert_close(got.future, unfolded(model.predictor, code, 2))
    torch.testing.assert_close(model.encode(x), code)


@EACH
@settings(max_examples=8, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 6), min_size=1, max_size=3),
    bidirectional=st.booleans(),
    num_layers=st.integers(1, 2),
)
def test_lengths_are_each_sequence_alone(kind, lengths, bidirectional, num_layers):
    model = made(kind, bidirectional=bidirectional, num_layers=num_layers)
    whole = data(len(lengths))
    x = whole.clone()
    for k, length in enumerate(lengths):
        x[k, length:] = float("nan")
    x.requires_grad_()
    got = model(x, lengths=lengths)
    got.reconstruction.square().sum().backward()
    for k, length in enumerate(lengths):
        alone = model(whole[k : k + 1, :length])
        torch.testing.assert_close(got.code[k], alone.code[0])
        torch.testing.assert_close(got.reconstruction[k, :length], alone.reconstruction[0])
        assert not got.reconstruction[k, length:].any()
        assert not x.grad[k, length:].any()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


@EACH
def test_gradients(kind):
    model, x = made(kind, "gru"), data(2)
    names = [name for name, _ in model.named_parameters()]

    def run(x, *weights):
        own = dict(zip(names, weights, strict=True))
        out = torch.func.functional_call(model, own, (x,), {"lengths": [6, 2]})
        return tuple(out._asdict()[name] for name in ("reconstruction", "code"))

    inputs = [part.detach().requires_grad_() for part in (x, *model.parameters())]
    assert torch.autograd.gradcheck(run, inputs, fast_mode=True)


def test_without_a_horizon_there_is_no_future():
    model, x = made(), data()
    assert model(x).future.shape == (3, 0, 3)
    assert model.predictor is None


@EACH
def test_decoding_is_the_other_half(kind):
    model, x = made(kind), data()
    out = model(x, lengths=[6, 2, 0])
    again = model.decode(out.code, 6, lengths=torch.tensor([6, 2, 0]))
    torch.testing.assert_close(again, out.reconstruction)
    assert model.decode(out.code, 9).shape == (3, 9, 3)
    assert model(x[:0]).code.shape == (0, 4)


def test_training_draws_what_the_code_says():
    model, x = made("variational"), data()
    torch.testing.assert_close(model(x).code, model.encode(x)[0])
    mu, logvar = model.encode(x)
    model.train()
    torch.manual_seed(3)
    out = model(x)
    torch.manual_seed(3)
    noise = torch.randn_like(mu)
    torch.testing.assert_close(out.code, mu + noise * torch.sqrt(torch.exp(logvar)))
    torch.testing.assert_close((out.mu, out.logvar), (mu, logvar))


def test_the_divergence_is_torchs():
    mu, logvar = torch.randn(5, 4), torch.randn(5, 4)
    own = torch.distributions.Normal(mu, torch.exp(logvar / 2))
    want = torch.distributions.kl_divergence(own, torch.distributions.Normal(0.0, 1.0)).sum(-1)
    torch.testing.assert_close(kl_to_standard_normal(mu, logvar), want)


@EACH
def test_it_learns(kind):
    torch.manual_seed(0)
    model = KINDS[kind]("gru", 1, 16, 4)
    phase = torch.rand(64, 1) * 6
    x = torch.sin(phase + torch.arange(8)).unsqueeze(-1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(80):
        out = model(x)
        loss = (out.reconstruction - x).square().mean()
        if kind == "variational":
            loss = loss + 1e-3 * kl_to_standard_normal(out.mu, out.logvar).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    error = (model.eval()(x).reconstruction - x).square().mean()
    assert error < 0.1 * x.var()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: SequenceAutoencoder("lsmt", 3, 5, 4), "did you mean 'lstm'"),
        (lambda: SequenceAutoencoder("lstm", 3, 5, 0), "code_size=0"),
        (lambda: SequenceAutoencoder("lstm", 3, 5, 4, horizon=-1), "horizon=-1"),
        (lambda: VariationalSequenceAutoencoder("lstm", 3, 5, 4, dropout=1.0), "dropout=1.0"),
        (lambda: made()(data()[..., :2]), "with 3 features"),
        (lambda: made()(data()[0]), "give .batch, time, input."),
        (lambda: made()(data(), lengths=[7, 0, 1]), "between 0 and the 6"),
        (
            lambda: made().decode(torch.zeros(2, 4).double(), 3, lengths=[4, 0]),
            "between 0 and the 3",
        ),
        (lambda: made().decode(data(2)[:, 0], 3), "with 4 features"),
    ],
    ids=range(9),
)
def test_wrong_input_is_one_sentence(make, says):
    with pytest.raises(InputError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)
