"""The chain against every path written out."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.errors import InputError
from gatewise.nn.heads.crf import (
    CRF,
    Transitions,
    log_likelihood,
    log_partition,
    marginals,
    path_score,
    viterbi,
)


def chain(batch=3, steps=5, tags=3, seed=0, forbid=()):
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    between, start, end = draw(tags, tags), draw(tags), draw(tags)
    for a, b in forbid:
        between[a, b] = -torch.inf
    lengths = torch.randint(1, steps + 1, (batch,), generator=generator)
    return draw(batch, steps, tags) * 2, Transitions(between, start, end), lengths


def paths(emissions, transitions, length):
    """Every path of a sequence, and its score: the definition."""
    for path in itertools.product(range(emissions.shape[1]), repeat=length):
        score = transitions.start[path[0]] + transitions.end[path[-1]]
        score = score + sum(emissions[t, k] for t, k in enumerate(path))
        yield path, score + sum(transitions.between[a, b] for a, b in itertools.pairwise(path))


def written_out(emissions, transitions, lengths):
    return torch.stack(
        [
            torch.logsumexp(torch.stack([s for _, s in paths(e, transitions, int(n))]), 0)
            for e, n in zip(emissions, lengths, strict=True)
        ]
    )


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 3), st.integers(0, 99))
def test_partition_and_best_path_are_those_of_all_paths(batch, steps, tags, seed):
    emissions, transitions, lengths = chain(batch, steps, tags, seed)
    found = log_partition(emissions, transitions, lengths)
    torch.testing.assert_close(found, written_out(emissions, transitions, lengths))
    best, score = viterbi(emissions, transitions, lengths)
    for i, n in enumerate(lengths.tolist()):
        path, most = max(paths(emissions[i], transitions, n), key=lambda p: p[1])
        assert best[i].tolist() == [*path, *[-1] * (steps - n)]
        torch.testing.assert_close(score[i], most)
        of_path = path_score(emissions, transitions, best, lengths)[i]
        torch.testing.assert_close(of_path, most)


@pytest.mark.parametrize("forbid", [(), ((0, 1), (2, 2))])
def test_gradients_are_those_of_all_paths(forbid):
    emissions, transitions, lengths = chain(forbid=forbid)
    weights = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    leaves = [emissions, *transitions]
    found = []
    for compute in (log_partition, written_out):
        own = [x.clone().requires_grad_() for x in leaves]
        (compute(own[0], Transitions(*own[1:]), lengths) * weights).sum().backward()
        found.append([x.grad for x in own])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs.nan_to_num())


def test_gradients_are_finite_differences():
    emissions, transitions, lengths = chain(2, 4, 3)
    leaves = [x.clone().requires_grad_() for x in (emissions, *transitions)]

    def compute(e, *t):
        return log_partition(e, Transitions(*t), lengths)

    assert torch.autograd.gradcheck(compute, leaves)


def test_marginals_are_sums_over_paths():
    emissions, transitions, lengths = chain(forbid=((1, 0),))
    found = marginals(emissions, transitions, lengths)
    for i, n in enumerate(lengths.tolist()):
        wanted = torch.zeros(5, 3, dtype=torch.float64)
        scores = list(paths(emissions[i], transitions, n))
        total = torch.logsumexp(torch.stack([s for _, s in scores]), 0)
        for path, score in scores:
            for t, k in enumerate(path):
                wanted[t, k] += (score - total).exp()
        torch.testing.assert_close(found[i], wanted)


def test_unknown_tags_are_summed_over():
    emissions, transitions, lengths = chain()
    tags = torch.tensor([[0, -1, 2, -1, 1]] * 3)
    found = log_likelihood(emissions, transitions, tags, lengths)
    for i, n in enumerate(lengths.tolist()):
        scores = list(paths(emissions[i], transitions, n))
        known = [
            s
            for path, s in scores
            if all(k in (-1, path[t]) for t, k in enumerate(tags[i, :n].tolist()))
        ]
        wanted = torch.logsumexp(torch.stack(known), 0) - torch.logsumexp(
            torch.stack([s for _, s in scores]), 0
        )
        torch.testing.assert_close(found[i], wanted)


def test_likelihood_of_a_whole_path():
    emissions, transitions, lengths = chain()
    tags = torch.tensor([[0, 1, 2, 0, 1]] * 3)
    wanted = path_score(emissions, transitions, tags, lengths) - written_out(
        emissions, transitions, lengths
    )
    torch.testing.assert_close(log_likelihood(emissions, transitions, tags, lengths), wanted)


def test_padding_changes_nothing_and_gets_no_gradient():
    emissions, transitions, lengths = chain()
    other = emissions.clone()
    for i, n in enumerate(lengths.tolist()):
        other[i, n:] = 77.0
    other.requires_grad_()
    total = log_partition(other, transitions, lengths)
    torch.testing.assert_close(total, log_partition(emissions, transitions, lengths))
    total.sum().backward()
    for i, n in enumerate(lengths.tolist()):
        assert not other.grad[i, n:].any()
        torch.testing.assert_close(other.grad[i, :n].sum(1), torch.ones(n, dtype=torch.float64))


def test_a_thousand_steps_in_float32_are_those_of_float64():
    emissions, transitions, _ = chain(2, 1000, 8)
    lengths = torch.tensor([1000, 700])
    narrow = Transitions(*(x.float() for x in transitions))
    found = log_partition(emissions.float(), narrow, lengths)
    wanted = log_partition(emissions, transitions, lengths)
    torch.testing.assert_close(found.double(), wanted, rtol=1e-6, atol=1e-3)
    whole = marginals(emissions.float(), narrow, lengths).sum(2)
    torch.testing.assert_close(whole[0], torch.ones(1000))


def test_forbidden_links_are_never_taken_however_strong_the_emissions():
    allowed = Transitions(torch.tensor([[1, 0], [1, 1]]), torch.tensor([1, 0]), torch.ones(2))
    transitions = CRF(2, allowed)()
    emissions = torch.tensor([[[0.0, 900.0], [0.0, 900.0], [0.0, 900.0]]])
    lengths = torch.tensor([3])
    assert viterbi(emissions, transitions, lengths)[0].tolist() == [[0, 0, 0]]
    assert marginals(emissions, transitions, lengths)[0, :, 0].tolist() == [1, 1, 1]


def test_empty_sequences_and_batches():
    emissions, transitions, _ = chain(2, 3)
    lengths = torch.tensor([0, 2])
    assert log_partition(emissions, transitions, lengths)[0] == 0
    assert viterbi(emissions, transitions, lengths)[0][0].tolist() == [-1, -1, -1]
    assert viterbi(emissions[:, :0], transitions, lengths * 0)[0].shape == (2, 0)
    assert marginals(emissions, transitions, lengths)[0].sum() == 0


def test_wrong_constraints_are_refused():
    none = Transitions(torch.zeros(2, 2), torch.tensor([1, 0]), torch.tensor([0, 1]))
    with pytest.raises(InputError, match="no path"):
        CRF(2, none)
    with pytest.raises(InputError, match=r"allowed\.start has shape"):
        CRF(2, Transitions(torch.ones(2, 2), torch.ones(3), torch.ones(2)))
