"""Attention against transcriptions from the papers; lengths, gradients, prepared memories."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise import InputError
from gatewise.nn import (
    AdditiveAttention,
    Attention,
    LocalAttention,
    MultiHeadAttention,
    MultiplicativeAttention,
)

STEPS, TIME, QUERY = 3, 7, 4
LENGTHS = [7, 3, 0, 1]
Q, M = torch.zeros(2, 4), torch.zeros(2, 5, 6)


def numbers(module, name):
    return module.get_parameter(name).detach().numpy()


def softmax(scores):
    e = np.exp(scores - scores.max())
    return e / e.sum()


def score(attention, q, memory):
    """Luong's three scores, equation 8, for one query and each step of a memory."""
    if attention.score == "dot":
        return np.array([q @ m for m in memory])
    key = numbers(attention, "key.weight")
    if attention.score == "general":
        return np.array([q @ key @ m for m in memory])
    both = np.concatenate([numbers(attention, "query.weight"), key], 1)
    v = numbers(attention, "vector.weight")[0]
    return np.array([v @ np.tanh(both @ np.concatenate([q, m])) for m in memory])


def additive(attention, q, memory, at):
    w, u = numbers(attention, "query.weight"), numbers(attention, "key.weight")
    v, b = numbers(attention, "score.weight")[0], numbers(attention, "query.bias")
    weights = softmax(np.array([v @ np.tanh(w @ q + u @ m + b) for m in memory]))
    return weights @ memory, weights


def multiplicative(attention, q, memory, at):
    weights = softmax(score(attention, q, memory))
    return weights @ memory, weights


def local(attention, q, memory, at):
    size, width = len(memory), attention.window
    if attention.alignment == "predictive":
        w, v = numbers(attention, "place.0.weight"), numbers(attention, "place.2.weight")[0]
        p = size / (1 + np.exp(-(v @ np.tanh(w @ q))))
    else:
        p = min(at, size - 1)
    seen = [s for s in range(size) if p - width <= s <= p + width]
    weights = np.zeros(size)
    weights[seen] = softmax(score(attention, q, memory)[seen])
    if attention.alignment == "predictive":
        sigma = width / 2
        weights *= np.exp(-((np.arange(size) - p) ** 2) / (2 * sigma**2))
    return weights @ memory, weights


def multi_head(attention, q, memory, at):
    size = attention.output_size // attention.num_heads
    parts, all_weights = [], []
    for head in range(attention.num_heads):
        rows = slice(head * size, (head + 1) * size)
        w_q, w_k, w_v = (numbers(attention, f"{n}.weight")[rows] for n in ("query", "key", "value"))
        scores = np.array([(w_q @ q) @ (w_k @ m) for m in memory]) / np.sqrt(size)
        all_weights.append(softmax(scores))
        parts.append(all_weights[-1] @ (memory @ w_v.T))
    out = numbers(attention, "output.weight") @ np.concatenate(parts)
    return out, np.mean(all_weights, 0)


KINDS = {
    "additive": (lambda: AdditiveAttention(QUERY, 6, 5), additive),
    "dot": (lambda: MultiplicativeAttention(QUERY, QUERY, score="dot"), multiplicative),
    "general": (lambda: MultiplicativeAttention(QUERY, 6), multiplicative),
    "concat": (lambda: MultiplicativeAttention(QUERY, 6, score="concat"), multiplicative),
    "predictive": (lambda: LocalAttention(QUERY, 6, window=2), local),
    "predictive-dot": (lambda: LocalAttention(QUERY, QUERY, window=1, score="dot"), local),
    "monotonic": (lambda: LocalAttention(QUERY, 6, window=1, alignment="monotonic"), local),
    "heads": (lambda: MultiHeadAttention(QUERY, 6, 8, 2), multi_head),
}
EACH = pytest.mark.parametrize("kind", KINDS)


def made(kind):
    torch.manual_seed(0)
    attention = KINDS[kind][0]().double()
    for weight in attention.parameters():
        torch.nn.init.normal_(weight)
    return attention


def data(attention, lengths=LENGTHS, steps=STEPS, time=TIME):
    torch.manual_seed(1)
    query = torch.randn(len(lengths), steps, attention.query_size, dtype=torch.float64)
    memory = torch.randn(len(lengths), time, attention.memory_size, dtype=torch.float64)
    return query, memory


@EACH
def test_it_is_the_papers(kind):
    attention, oracle = made(kind), KINDS[kind][1]
    query, memory = data(attention)
    context, weights = attention(query, memory, lengths=LENGTHS)
    assert context.shape == (len(LENGTHS), STEPS, attention.output_size)
    for k, length in enumerate(LENGTHS):
        assert not weights[k, :, length:].any()
        if not length:
            assert not context[k].any()
            continue
        for t in range(STEPS):
            want = oracle(attention, query[k, t].numpy(), memory[k, :length].numpy(), t)
            np.testing.assert_allclose(context[k, t].detach().numpy(), want[0], rtol=1e-9)
            np.testing.assert_allclose(weights[k, t, :length].detach().numpy(), want[1], rtol=1e-9)


@EACH
@settings(max_examples=15, deadline=None)
@given(lengths=st.lists(st.integers(0, 5), min_size=1, max_size=4), steps=st.integers(0, 3))
def test_lengths_are_each_memory_alone(kind, lengths, steps):
    attention = made(kind)
    query, memory = data(attention, lengths, steps, 5)
    padded = memory.clone()
    for k, length in enumerate(lengths):
        padded[k, length:] = float("nan")
    context, weights = attention(query, padded, lengths=lengths)
    for k, length in enumerate(lengths):
        alone, seen = attention(query[k : k + 1], memory[k : k + 1, :length])
        torch.testing.assert_close(context[k], alone[0])
        torch.testing.assert_close(weights[k, :, :length], seen[0])
        assert not weights[k, :, length:].any()


@EACH
def test_gradients(kind):
    attention = made(kind)
    query, memory = data(attention)
    names = [name for name, _ in attention.named_parameters()]

    def run(query, memory, *weights):
        own = dict(zip(names, weights, strict=True))
        return torch.func.functional_call(attention, own, (query, memory), {"lengths": LENGTHS})

    inputs = [query, memory, *(p.detach() for p in attention.parameters())]
    assert torch.autograd.gradcheck(run, [x.requires_grad_() for x in inputs])


@EACH
def test_nothing_past_the_end_reaches_a_gradient(kind):
    attention = made(kind)
    query, memory = data(attention)
    for k, length in enumerate(LENGTHS):
        memory[k, length:] = float("nan")
    query.requires_grad_()
    memory.requires_grad_()
    context, weights = attention(query, memory, lengths=LENGTHS)
    (context.square().sum() + weights.square().sum()).backward()
    for k, length in enumerate(LENGTHS):
        assert not memory.grad[k, length:].any()
        assert memory.grad[k, :length].any() == (length > 0)
    for grad in (query.grad, *(p.grad for p in attention.parameters())):
        assert torch.isfinite(grad).all()


@EACH
def test_one_prepared_memory_serves_one_query_and_many(kind):
    attention = made(kind)
    query, memory = data(attention)
    context, weights = attention(query, memory, lengths=LENGTHS)
    prepared = attention.prepare(memory, lengths=torch.tensor(LENGTHS))
    for t in range(STEPS):
        for at in (t, torch.full((len(LENGTHS),), t)):
            one, seen = attention.attend(query[:, t], prepared, at=at)
            torch.testing.assert_close(one, context[:, t])
            torch.testing.assert_close(seen, weights[:, t])
    second, _ = attention.attend(query[:, 1:], prepared, at=1)
    torch.testing.assert_close(second, context[:, 1:])


@EACH
def test_without_lengths_all_steps_count(kind):
    attention = made(kind)
    query, memory = data(attention)
    torch.testing.assert_close(
        attention(query, memory), attention(query, memory, lengths=[TIME] * len(LENGTHS))
    )


@EACH
def test_float32_and_an_empty_batch(kind):
    attention = made(kind)
    query, memory = data(attention)
    want, _ = attention(query, memory, lengths=LENGTHS)
    got, _ = attention.float()(query.float(), memory.float(), lengths=LENGTHS)
    torch.testing.assert_close(got, want.float())
    context, weights = attention(query[:0].float(), memory[:0].float(), lengths=[])
    assert context.shape == (0, STEPS, attention.output_size)
    assert weights.shape == (0, STEPS, TIME)


def test_heads_are_torchs():
    attention = MultiHeadAttention(QUERY, 6, QUERY, 2).double()
    theirs = torch.nn.MultiheadAttention(
        QUERY, 2, bias=False, kdim=6, vdim=6, batch_first=True, dtype=torch.float64
    )
    pairs = {"q_proj_weight": "query", "k_proj_weight": "key", "v_proj_weight": "value"}
    own = {name: numbers(attention, f"{of}.weight") for name, of in pairs.items()}
    own["out_proj.weight"] = numbers(attention, "output.weight")
    theirs.load_state_dict({name: torch.from_numpy(w) for name, w in own.items()})
    query, memory = data(attention, [7, 3, 2, 1])
    past = torch.arange(TIME) >= torch.tensor([[7], [3], [2], [1]])
    inputs = query.requires_grad_(), memory.requires_grad_()
    got = attention(query, memory, lengths=[7, 3, 2, 1])
    want = theirs(query, memory, memory, key_padding_mask=past)
    torch.testing.assert_close(got, want)
    grads = [torch.autograd.grad(out[0].square().sum(), inputs) for out in (got, want)]
    torch.testing.assert_close(*grads)


def test_a_context_without_weights_is_the_same():
    attention = made("heads")
    query, memory = data(attention)
    for k, length in enumerate(LENGTHS):
        memory[k, length:] = float("nan")
    query.requires_grad_()
    memory.requires_grad_()
    prepared = attention.prepare(memory, lengths=LENGTHS)
    fast, (slow, _) = attention.context(query, prepared), attention.attend(query, prepared)
    torch.testing.assert_close(fast, slow)
    torch.testing.assert_close(attention.context(query[:, 0], prepared), slow[:, 0])
    weights = [query, memory, *attention.parameters()]
    torch.testing.assert_close(
        torch.autograd.grad(fast.square().sum(), weights, retain_graph=True),
        torch.autograd.grad(slow.square().sum(), weights),
    )
    nothing = attention.prepare(memory[:, :0])
    assert not attention.context(query, nothing).any()


def test_places_past_a_memory_stay_at_its_end():
    attention = made("monotonic")
    query, memory = data(attention)
    prepared = attention.prepare(memory, lengths=LENGTHS)
    _, weights = attention.attend(query[:, 0], prepared, at=100)
    assert (weights[0] > 0).tolist() == [False] * 5 + [True] * 2
    assert (weights[1] > 0).tolist() == [False, True, True] + [False] * 4
    assert not weights[2].any()


def test_an_attention_of_ones_own():
    class Nearest(Attention):
        def scores(self, query, keys):
            return -torch.cdist(query, keys)

    memory = torch.randn(2, 5, 3)
    context, weights = Nearest(3, 3)(1e3 * memory[:, 2], 1e3 * memory)
    torch.testing.assert_close(context, 1e3 * memory[:, 2])
    assert weights[:, 2].tolist() == [1, 1]
    with pytest.raises(NotImplementedError, match="Attention says no scores"):
        Attention(3, 3)(memory, memory)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: AdditiveAttention(4, 6, 0), "hidden_size=0"),
        (lambda: AdditiveAttention(4, 6.0, 1), "memory_size=6.0"),
        (lambda: MultiplicativeAttention(4, 6, score="genral"), "did you mean .general."),
        (lambda: MultiplicativeAttention(4, 6, score="dot"), "give equal sizes"),
        (lambda: LocalAttention(4, 6, window=0), "window=0"),
        (lambda: LocalAttention(4, 6, window=2, alignment="monotonous"), "'monotonic'"),
        (lambda: MultiHeadAttention(4, 6, 8, 3), "num_heads=3"),
        (lambda: MultiHeadAttention(4, 6, 8, 0), "num_heads=0"),
        (lambda: AdditiveAttention(4, 6, 5)(Q, torch.zeros(2, 5, 4)), "with 6 features"),
        (lambda: AdditiveAttention(4, 6, 5)(torch.zeros(2, 5), M), "with 4 features"),
        (lambda: AdditiveAttention(4, 6, 5)(torch.zeros(4), M), "give .batch, steps"),
        (lambda: AdditiveAttention(4, 6, 5)(torch.zeros(3, 4), M), "the 2 memories"),
        (lambda: AdditiveAttention(4, 6, 5)(Q, M.double()), r"memory\.to\(torch\.float32"),
        (lambda: AdditiveAttention(4, 6, 5)(Q.double(), M), r"query\.to\(torch\.float32"),
        (lambda: MultiplicativeAttention(4, 4, score="dot")(Q, M.double()[..., :4]), "float32"),
        (lambda: AdditiveAttention(4, 6, 5)(Q, M, lengths=[6, 1]), "between 0 and the 5"),
    ],
    ids=range(16),
)
def test_wrong_input_is_one_sentence(make, says):
    with pytest.raises(InputError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)
