"""Words to sentences to documents: two levels of lengths against loops, torch's GRU, gradients."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gatewise import InputError
from gatewise.nn import HierarchicalEncoder

COUNTS = st.lists(st.lists(st.integers(0, 4), max_size=3), min_size=1, max_size=3)


def made():
    torch.manual_seed(0)
    encoder = HierarchicalEncoder("gru", 2, 3).double()
    for weight in encoder.parameters():
        nn.init.normal_(weight, std=0.7)
    return encoder


def data(batch):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(batch, 3, 4, 2, generator=generator, dtype=torch.float64)


def level(layer, pooling, x):
    """One level for one sequence, [time, features], by torch's GRU and NumPy."""
    if not len(x):
        return np.zeros(6), np.zeros(0)
    theirs = nn.GRU(x.shape[1], 3, batch_first=True, bidirectional=True).double()
    theirs.load_state_dict(layer.state_dict())
    h = theirs(torch.as_tensor(x)[None])[0][0].detach().numpy()
    w, b, u = (p.detach().numpy() for p in pooling.parameters())
    e = np.exp(np.tanh(h @ w.T + b) @ u[0])
    return e / e.sum() @ h, e / e.sum()


@settings(max_examples=20, deadline=None)
@given(counts=COUNTS)
def test_it_is_two_loops(counts):
    encoder, x = made(), data(len(counts))
    words = torch.full((len(counts), 3), 4)
    for k, document in enumerate(counts):
        x[k, len(document) :] = float("nan")
        for s, count in enumerate(document):
            words[k, s] = count
            x[k, s, count:] = float("nan")
    lengths = [len(document) for document in counts]
    got = encoder(x, lengths=lengths, word_lengths=words)
    assert got.vector.shape == (len(counts), encoder.output_size)
    for k, document in enumerate(counts):
        vectors = np.zeros((len(document), 6))
        for s, count in enumerate(document):
            part = x[k, s, :count].numpy()
            vectors[s], weights = level(encoder.words, encoder.word_pooling, part)
            np.testing.assert_allclose(got.words[k, s, :count].detach(), weights, rtol=1e-9)
            assert not got.words[k, s, count:].any()
        vector, weights = level(encoder.sentences, encoder.sentence_pooling, vectors)
        np.testing.assert_allclose(got.vector[k].detach(), vector, rtol=1e-9)
        np.testing.assert_allclose(got.sentences[k, : len(document)].detach(), weights, rtol=1e-9)
        assert not got.sentences[k, len(document) :].any()
        assert not got.words[k, len(document) :].any()


def test_gradients():
    encoder, x = made(), data(2)
    names = [name for name, _ in encoder.named_parameters()]
    words = torch.tensor([[4, 0, 2], [3, 1, 4]])

    def run(x, *weights):
        own = dict(zip(names, weights, strict=True))
        given = {"lengths": [3, 1], "word_lengths": words}
        return torch.func.functional_call(encoder, own, (x,), given)

    inputs = [part.detach().requires_grad_() for part in (x, *encoder.parameters())]
    assert torch.autograd.gradcheck(run, inputs, fast_mode=True)


def test_nothing_past_an_end_reaches_a_gradient():
    encoder, x = made(), data(2)
    x[1, 1:] = float("nan")
    x[0, 1] = float("nan")
    x[0, 2, 2:] = float("nan")
    x.requires_grad_()
    words = torch.tensor([[4, 0, 2], [4, 4, 4]])
    encoder(x, lengths=[3, 1], word_lengths=words).vector.square().sum().backward()
    assert torch.equal(x.grad.ne(0), torch.isfinite(x))
    assert all(torch.isfinite(p.grad).all() for p in encoder.parameters())


def test_without_lengths_all_count():
    encoder, x = made(), data(2)
    want = encoder(x, lengths=[3, 3], word_lengths=[[4] * 3] * 2)
    torch.testing.assert_close(encoder(x), want)
    torch.testing.assert_close(encoder(x, word_lengths=torch.full((2, 3), 4)), want)
    assert encoder(x[:0]).vector.shape == (0, 6)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: HierarchicalEncoder("lsmt", 2, 3), "did you mean 'lstm'"),
        (lambda: HierarchicalEncoder("gru", 2, 0), "hidden_size=0"),
        (lambda: made()(data(2)[..., :1]), "with 2 features"),
        (lambda: made()(data(2)[0]), "give .batch, sentences, words, input."),
        (lambda: made()(data(2), lengths=[4, 1]), "between 0 and the 3"),
        (lambda: made()(data(2), word_lengths=[[5, 1, 1]] * 2), "between 0 and the 4"),
        (lambda: made()(data(2), word_lengths=[1, 2]), r"each sentence, \(2, 3\)"),
    ],
    ids=range(7),
)
def test_wrong_input_is_one_sentence(make, says):
    with pytest.raises(InputError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)
