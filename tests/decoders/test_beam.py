"""Beam search against all sequences there are, and greedy search against a loop."""

import itertools
from types import SimpleNamespace

import pytest
import torch

from gatewise.decoders.beam import BeamSearch
from gatewise.decoders.search import Search
from gatewise.errors import InputError

START, END, PAD = 0, 1, 2
TOKENS = 6


class Chain:
    """What comes next depends on all that came before, and on the sentence."""

    def __init__(self, seed=0):
        draw = torch.Generator().manual_seed(seed)
        self.weight = torch.randn(TOKENS, 8, generator=draw, dtype=torch.float64)
        self.carry = torch.randn(8, 8, generator=draw, dtype=torch.float64) * 0.5
        self.out = 2 * torch.randn(8, TOKENS, generator=draw, dtype=torch.float64)

    def start(self, batch):
        return batch.first

    def step(self, token, state):
        state = torch.tanh(state @ self.carry + self.weight[token])
        return state @ self.out, state

    def select(self, state, rows):
        return state[rows]

    def looked(self, state):
        return state[:, :3].softmax(-1)


def batch(limits, seed=1):
    draw = torch.Generator().manual_seed(seed)
    first = torch.randn(len(limits), 8, generator=draw, dtype=torch.float64)
    return SimpleNamespace(limits=torch.tensor(limits), first=first)


def log_prob(network, first, tokens):
    """Of a sequence and its end, token by token."""
    state, total, before = first.unsqueeze(0), 0.0, START
    for token in (*tokens, END):
        logits, state = network.step(torch.tensor([before]), state)
        # What may never be written keeps its share of the probability.
        total += float(logits.log_softmax(-1)[0, token])
        before = token
    return total


def repeats(tokens, length):
    runs = [tuple(tokens[i : i + length]) for i in range(len(tokens) - length + 1)]
    return len(set(runs)) < len(runs)


def everything(network, first, limit, search):
    """All sequences by rank."""
    found = []
    for length in range(limit):
        for tokens in itertools.product(range(PAD + 1, TOKENS), repeat=length):
            if search.no_repeat and repeats(tokens, search.no_repeat):
                continue
            found_log_prob = log_prob(network, first, tokens)
            scale = ((5 + length + 1) / 6) ** search.penalty
            found.append((found_log_prob / scale, list(tokens)))
    return sorted(found, reverse=True)


@pytest.mark.parametrize("penalty", [0.0, 0.6, 2.0])
@pytest.mark.parametrize("no_repeat", [0, 1, 2])
def test_a_wide_beam_finds_what_a_search_of_everything_finds(penalty, no_repeat):
    network, asked = Chain(), batch([5, 1, 3, 4])
    search = Search(beam=300, penalty=penalty, no_repeat=no_repeat)
    answers = BeamSearch(START, END, search, n_best=6, never=(PAD,))(network, asked)
    for first, limit, found in zip(asked.first, asked.limits.tolist(), answers, strict=True):
        wanted = everything(network, first, limit, search)[:6]
        assert [h.tokens for h in found] == [tokens for _, tokens in wanted]
        assert [h.score for h in found] == pytest.approx([s for s, _ in wanted], abs=1e-5)
        for hypothesis in found:
            own = log_prob(network, first, hypothesis.tokens)
            assert hypothesis.log_prob == pytest.approx(own, abs=1e-5)


@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_a_beam_of_one_takes_the_likeliest_token_at_each_step(penalty):
    network, asked = Chain(3), batch([7] * 20, seed=5)
    search = BeamSearch(START, END, Search(beam=1, penalty=penalty), never=(PAD,))
    for first, (found,) in zip(asked.first, search(network, asked), strict=True):
        state, token, tokens = first.unsqueeze(0), START, []
        while True:
            logits, state = network.step(torch.tensor([token]), state)
            logits[:, [START, PAD]] = -torch.inf
            token = END if len(tokens) == 6 else int(logits.argmax())
            if token == END:
                break
            tokens.append(token)
        assert found.tokens == tokens


def test_sentences_of_a_batch_do_not_hear_each_other():
    network, asked = Chain(7), batch([6, 2, 9, 5, 1], seed=2)
    search = BeamSearch(START, END, Search(beam=3), n_best=2, never=(PAD,))
    together = search(network, asked)
    for row, found in enumerate(together):
        alone = SimpleNamespace(
            limits=asked.limits[row : row + 1], first=asked.first[row : row + 1]
        )
        (own,) = search(network, alone)
        assert [h.tokens for h in own] == [h.tokens for h in found]
        assert [h.score for h in own] == pytest.approx([h.score for h in found])


def test_a_wider_beam_is_rarely_worse_and_the_best_comes_first():
    network, asked = Chain(11), batch([8] * 40, seed=9)
    scores = []
    for beam in (1, 4, 16):
        found = BeamSearch(START, END, Search(beam=beam), never=(PAD,))(network, asked)
        scores.append(sum(one[0].score for one in found))
        assert all(one == sorted(one, key=lambda h: -h.score) for one in found)
    assert scores[0] <= scores[1] <= scores[2]


def test_weights_are_those_of_the_hypothesis_own_steps():
    network, asked = Chain(13), batch([6, 6])
    search = BeamSearch(START, END, Search(beam=4), n_best=3, never=(PAD,))
    for first, found in zip(asked.first, search(network, asked), strict=True):
        for hypothesis in found:
            state, token, rows = first.unsqueeze(0), START, []
            for following in hypothesis.tokens:
                _, state = network.step(torch.tensor([token]), state)
                rows.append(network.looked(state)[0])
                token = following
            assert hypothesis.weights.shape == (len(hypothesis.tokens), 3)
            for own, row in zip(hypothesis.weights, rows, strict=True):
                torch.testing.assert_close(own, row.float())


def test_what_is_never_to_be_written_is_not():
    network, asked = Chain(17), batch([9] * 30)
    found = BeamSearch(START, END, Search(beam=3), never=(PAD, 4))(network, asked)
    written = {token for one in found for token in one[0].tokens}
    assert written <= {3, 5}


@pytest.mark.parametrize(
    ("options", "named"),
    [({"beam": 0}, "beam"), ({"penalty": -1}, "penalty"), ({"no_repeat": 1.5}, "no_repeat")],
)
def test_a_search_that_makes_no_sense_is_refused(options, named):
    with pytest.raises(InputError, match=named):
        Search(**options)
    with pytest.raises(InputError, match="n_best=6"):
        BeamSearch(START, END, Search(beam=5), n_best=6)
