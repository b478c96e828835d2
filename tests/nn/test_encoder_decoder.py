"""Encoder and decoder: taught equals stepped, lengths, bridges, the papers' equations, a search."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gatewise import InputError
from gatewise.decoders.contract import Steppable
from gatewise.nn import (
    AdditiveAttention,
    EncoderDecoder,
    LocalAttention,
    MultiHeadAttention,
    MultiplicativeAttention,
    PyramidRecurrent,
    Recurrent,
    RecurrentDecoder,
    Stacked,
)

SOURCE, TARGET = 7, 5
ATTENTIONS = {
    "additive": lambda: AdditiveAttention(4, 6, 5),
    "general": lambda: MultiplicativeAttention(4, 6),
    "monotonic": lambda: LocalAttention(4, 6, window=1, alignment="monotonic"),
    "heads": lambda: MultiHeadAttention(4, 6, 8, 2),
}
WAYS = [(name, feeding) for name in ATTENTIONS for feeding in ("none", "output", "context")]
EACH = pytest.mark.parametrize(("attention", "feeding"), [(None, "none"), *WAYS])


def made(attention="additive", feeding="none", cell="lstm", num_layers=1, **options):
    torch.manual_seed(0)
    model = EncoderDecoder(
        Recurrent(cell, 2, 3, bidirectional=True),
        RecurrentDecoder(
            cell, 3, 4, num_layers=num_layers, feeding=feeding,
            attention=ATTENTIONS[attention]() if attention else None,
        ),
        **options,
    ).double()  # fmt: skip
    for weight in model.parameters():
        nn.init.normal_(weight, std=0.7)
    return model


def data(batch=3):
    generator = torch.Generator().manual_seed(1)
    return (
        torch.randn(batch, SOURCE, 2, generator=generator, dtype=torch.float64),
        torch.randn(batch, TARGET, 3, generator=generator, dtype=torch.float64),
    )


@EACH
@pytest.mark.parametrize("num_layers", [1, 2])
def test_steps_are_the_sequence(attention, feeding, num_layers):
    model = made(attention, feeding, num_layers=num_layers)
    source, target = data()
    taught = model(source, target, source_lengths=[7, 2, 0])
    state = model.start(source, lengths=[7, 2, 0])
    for t in range(TARGET):
        output, state = model.step(target[:, t], state)
        torch.testing.assert_close(output, taught.output[:, t])
        torch.testing.assert_close(state.weights, taught.weights[:, t])
    torch.testing.assert_close(state, taught.state)
    first = model(source, target[:, :2], source_lengths=[7, 2, 0])
    second = model.decoder(target[:, 2:], first.state)
    torch.testing.assert_close(torch.cat([first.output, second.output], 1), taught.output)
    torch.testing.assert_close(second.state, taught.state)


@EACH
@settings(max_examples=6, deadline=None)
@given(
    sources=st.lists(st.integers(0, SOURCE), min_size=3, max_size=3),
    targets=st.lists(st.integers(0, TARGET), min_size=3, max_size=3),
)
def test_lengths_are_each_pair_alone(attention, feeding, sources, targets):
    model = made(attention, feeding)
    whole, steps = data()
    source, target = whole.clone(), steps.clone()
    for k in range(3):
        source[k, sources[k] :] = float("nan")
        target[k, targets[k] :] = float("nan")
    source.requires_grad_()
    target.requires_grad_()
    got = model(source, target, source_lengths=sources, target_lengths=targets)
    got.output.square().sum().backward()
    for k in range(3):
        n, m = sources[k], targets[k]
        alone = model(whole[k : k + 1, :n], steps[k : k + 1, :m])
        torch.testing.assert_close(got.output[k, :m], alone.output[0])
        assert not got.output[k, m:].any()
        assert not got.weights[k, m:].any()
        assert not source.grad[k, n:].any()
        assert not target.grad[k, m:].any()
        for part, own in zip(got.state.recurrent, alone.state.recurrent, strict=True):
            torch.testing.assert_close(part[:, k], own[:, 0])
        torch.testing.assert_close(got.state.output[k], alone.state.output[0])
        assert got.state.at[k] == m
        if attention:
            torch.testing.assert_close(got.weights[k, :m, :n], alone.weights[0])
            torch.testing.assert_close(got.state.weights[k, :n], alone.state.weights[0])
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize("feeding", ["none", "output", "context"])
def test_it_is_the_papers_decoder(feeding):
    """Bahdanau's and Luong's steps in NumPy, around torch's GRU cell."""
    model = made("general", feeding, cell="gru")
    source, target = data(1)
    memory, end = model.encoder(source)
    decoder, w = model.decoder, {n: p.detach().numpy() for n, p in model.named_parameters()}
    cell = nn.GRUCell(decoder.recurrent.input_size, 4).double()
    own = decoder.recurrent.state_dict()
    cell.load_state_dict({name.removesuffix("_l0"): weight for name, weight in own.items()})
    memory = memory[0].detach().numpy()
    both = torch.cat([end.h[0, 0], end.h[1, 0]]).detach().numpy()
    s = np.tanh(w["initial.maps.h.weight"] @ both + w["initial.maps.h.bias"])
    output = np.zeros(4)

    def look(query):
        e = np.exp(memory @ w["decoder.attention.key.weight"].T @ query)
        return e / e.sum() @ memory

    got = model(source, target).output[0].detach().numpy()
    for t in range(TARGET):
        x = target[0, t].numpy()
        c = look(s)
        fed = {"none": x[:0], "output": output, "context": c}[feeding]
        x, h = torch.from_numpy(np.concatenate([x, fed])), torch.from_numpy(s)
        s = cell(x[None], h[None])[0].detach().numpy()
        if feeding != "context":
            c = look(s)
        joined = w["decoder.combine.weight"] @ np.concatenate([c, s])
        output = np.tanh(joined + w["decoder.combine.bias"])
        np.testing.assert_allclose(got[t], output, rtol=1e-9)


@pytest.mark.parametrize(("attention", "feeding"), [(None, "none"), *WAYS[:6]])
def test_gradients(attention, feeding):
    model = made(attention, feeding, cell="gru")
    source, target = (part[:2, :4] for part in data())
    names = [name for name, _ in model.named_parameters()]

    def run(source, target, *weights):
        own = dict(zip(names, weights, strict=True))
        lengths = {"source_lengths": [4, 2], "target_lengths": [1, 4]}
        out = torch.func.functional_call(model, own, (source, target), lengths)
        return out.output, out.state.recurrent.h, *([out.weights] if attention else [])

    inputs = (source, target, *model.parameters())
    inputs = [part.detach().requires_grad_() for part in inputs]
    assert torch.autograd.gradcheck(run, inputs, fast_mode=True)


@EACH
def test_rows_of_a_state(attention, feeding):
    model = made(attention, feeding, num_layers=2)
    source, target = data()
    rows = torch.tensor([2, 0, 0, 1])
    lengths = torch.tensor([7, 2, 4])
    _, state = model.step(target[:, 0], model.start(source, lengths=lengths))
    picked = model.select(state, rows)
    output, after = model.step(target[rows, 1], picked)
    _, other = model.step(target[rows, 0], model.start(source[rows], lengths=lengths[rows]))
    want, end = model.step(target[rows, 1], other)
    torch.testing.assert_close(output, want)
    torch.testing.assert_close(after, end)


class Translator(nn.Module):
    """What a task puts around it: embedding and projection."""

    def __init__(self, model, tokens):
        super().__init__()
        self.model = model
        self.source, self.target = nn.Embedding(tokens, 2), nn.Embedding(tokens, 3)
        self.logits = nn.Linear(model.decoder.output_size, tokens)

    def start(self, batch):
        source, lengths = batch
        return self.model.start(self.source(source), lengths=lengths)

    def step(self, token, state):
        output, state = self.model.step(self.target(token), state)
        return self.logits(output), state

    def select(self, state, rows):
        return self.model.select(state, rows)

    def forward(self, source, lengths, target):
        taught = self.model(self.source(source), self.target(target), source_lengths=lengths)
        return self.logits(taught.output)


def test_it_learns_to_reverse_and_can_be_searched():
    torch.manual_seed(0)
    model = EncoderDecoder(
        Recurrent("gru", 2, 8, bidirectional=True),
        RecurrentDecoder("gru", 3, 16, attention=MultiplicativeAttention(16, 16)),
    )
    network = Translator(model, 5)
    assert isinstance(network, Steppable)
    source = torch.cartesian_prod(*[torch.arange(1, 4)] * 3)
    want = source.flip(1)
    shifted = torch.cat([torch.zeros(len(source), 1, dtype=torch.int64), want[:, :-1]], 1)
    lengths = torch.full((len(source),), 3)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.03)
    for _ in range(60):
        logits = network(source, lengths, shifted)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), want.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    state, token, found = network.start((source, lengths)), shifted[:, 0], []
    for _ in range(3):
        logits, state = network.step(token, state)
        token = logits.argmax(-1)
        found.append(token)
    assert (torch.stack(found, 1) == want).float().mean() > 0.95


def test_a_copied_state_is_sutskevers():
    encoder = Recurrent("lstm", 2, 4, num_layers=2).double()
    decoder = RecurrentDecoder("lstm", 3, 4, num_layers=2).double()
    model = EncoderDecoder(encoder, decoder, bridge="copy")
    source, target = data()
    _, end = encoder(source, lengths=[7, 2, 0])
    theirs = nn.LSTM(3, 4, 2, batch_first=True).double()
    theirs.load_state_dict(decoder.recurrent.state_dict())
    want, last = theirs(target, tuple(end))
    got = model(source, target, source_lengths=[7, 2, 0])
    torch.testing.assert_close(got.output, want)
    torch.testing.assert_close(tuple(got.state.recurrent), last)
    assert got.weights.shape == (3, TARGET, 0)


def test_a_bridge_maps_memory_and_output():
    model = made(num_layers=2)
    source, _ = data()
    _, end = model.encoder(source)
    both = torch.cat([end.h[0], end.h[1], end.c[0], end.c[1]], -1)
    state = model.start(source).recurrent
    h, c = model.initial.maps["h"](both), model.initial.maps["c"](both)
    torch.testing.assert_close(state.h, torch.tanh(torch.stack(h.chunk(2, -1))))
    torch.testing.assert_close(state.c, torch.stack(c.chunk(2, -1)))


@pytest.mark.parametrize("bridge", ["dense", "none"])
def test_other_cells_and_a_learned_start(bridge):
    torch.manual_seed(0)
    decoder = RecurrentDecoder(
        "slstm", 3, 4, attention=ATTENTIONS["additive"](), feeding="context", learn_state=True
    )
    model = EncoderDecoder(Recurrent("gru", 2, 3, bidirectional=True), decoder, bridge=bridge)
    model.double()
    source, target = data()
    state = model.start(source).recurrent
    assert not state.n.any()
    assert state.h.any() == (bridge == "dense")
    model(source, target).output.square().sum().backward()
    assert decoder.recurrent.initial_h.grad.any() == (bridge == "none")


@pytest.mark.parametrize(
    "encoder",
    [
        lambda: Stacked("lstm", 2, 3, num_layers=2, connection="residual", bidirectional=True),
        lambda: PyramidRecurrent("lstm", 2, 3, num_layers=2),
        lambda: Recurrent("lstm", 2, 6),
    ],
    ids=["stacked", "pyramid", "forward"],
)
def test_other_encoders(encoder):
    torch.manual_seed(0)
    decoder = RecurrentDecoder("lstm", 3, 4, attention=ATTENTIONS["additive"](), feeding="output")
    model = EncoderDecoder(encoder(), decoder).double()
    source, target = data()
    lengths = [7, 3, 0]
    got = model(source, target, source_lengths=lengths)
    for k, length in enumerate(lengths):
        alone = model(source[k : k + 1, :length], target[k : k + 1])
        torch.testing.assert_close(got.output[k], alone.output[0])
        seen = alone.weights.shape[-1]
        torch.testing.assert_close(got.weights[k, :, :seen], alone.weights[0])
        assert not got.weights[k, :, seen:].any()


def test_empty_batches_and_no_steps():
    model = made(feeding="context")
    source, target = data()
    none = model(source[:0], target[:0])
    assert none.output.shape == (0, TARGET, 4)
    none = model(source, target[:, :0])
    assert none.output.shape == (3, 0, 4)
    assert none.weights.shape == (3, 0, SOURCE)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: RecurrentDecoder("lsmt", 3, 4), "did you mean 'lstm'"),
        (lambda: RecurrentDecoder("lstm", 3, 0), "hidden_size=0"),
        (lambda: RecurrentDecoder("lstm", 3, 4, feeding="input"), "feeding='input'"),
        (lambda: RecurrentDecoder("lstm", 3, 4, feeding="context"), "give attention="),
        (lambda: RecurrentDecoder("lstm", 3, 5, attention=ATTENTIONS["heads"]()), "hidden_size, 5"),
        (lambda: made(bridge="dens"), "did you mean 'dense'"),
        (lambda: made(None, bridge="none"), "know nothing of the source"),
        (lambda: made(bridge="copy"), "bridge='dense'"),
        (
            lambda: EncoderDecoder(
                Recurrent("lstm", 2, 4),
                RecurrentDecoder("lstm", 3, 4, attention=ATTENTIONS["heads"]()),
            ),
            "output_size, 4",
        ),
        (
            lambda: EncoderDecoder(nn.Linear(2, 3), RecurrentDecoder("lstm", 3, 4)),
            "has no input_size",
        ),
        (
            lambda: EncoderDecoder(
                Recurrent("lstm", 2, 3, bidirectional=True, merge=None),
                RecurrentDecoder("lstm", 3, 4),
            ),
            "merge='concat'",
        ),
        (lambda: made()(data()[0], data()[0]), "with 3 features"),
        (lambda: made().step(data()[1], made().start(data()[0])), "give .batch, input."),
        (lambda: made()(*data(), source_lengths=[8, 0, 0]), "between 0 and the 7"),
        (lambda: made()(*data(), target_lengths=[6, 0, 0]), "between 0 and the 5"),
        (
            lambda: made().decoder.start(torch.zeros(2, 3, 6).double(), state={"cc": 0}),
            "there are: h, c",
        ),
        (
            lambda: made().decoder.start(
                torch.zeros(2, 3, 6).double(), state={"h": torch.zeros(1, 2, 5).double()}
            ),
            "give h, c of shapes",
        ),
    ],
    ids=range(17),
)
def test_wrong_input_is_one_sentence(make, says):
    with pytest.raises(InputError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)
