"""The translation network: at once against step by step, and coverage against its formula."""

from types import SimpleNamespace

import pytest
import torch

from gatewise.errors import InputError
from gatewise.nn.attention.attention import AdditiveAttention, MultiplicativeAttention
from gatewise.nn.layers.encoder import Encoder
from gatewise.nn.networks.translation import TranslationNetwork, joined
from gatewise.nn.networks.writer import Writer
from gatewise.nn.seq2seq.coverage import CoverageDecoder
from gatewise.nn.seq2seq.recurrent_decoder import RecurrentDecoder
from gatewise.nn.seq2seq.sampled_inputs import SampledInputs

ENCODER = Encoder(hidden_size=4, bidirectional=True, dropout=0.0)

WRITERS = {
    "luong": Writer("multiplicative", "none", embedding=5, dropout=0.0),
    "layer": Writer("multiplicative", "layer", embedding=8, dropout=0.0),
    "bahdanau": Writer("additive", "context", embedding=5, dropout=0.0),
    "fed": Writer("multiplicative", "output", embedding=5, tied=False, dropout=0.0),
    "covered": Writer("additive", "output", 1.0, embedding=5, dropout=0.0),
    "no attention": Writer("none", "none", embedding=5, dropout=0.0),
    "no attention, layer": Writer("none", "layer", embedding=5, dropout=0.0),
}


def made(writer, target=9, seed=0, encoder=ENCODER):
    torch.manual_seed(seed)
    return TranslationNetwork(encoder, writer, 11, target).double()


def batch(seed=1, most=9):
    torch.manual_seed(seed)
    source_lengths, target_lengths = torch.tensor([5, 2, 4]), torch.tensor([3, 6, 1])
    return SimpleNamespace(
        source=torch.randint(4, most, (3, 5)),
        source_lengths=source_lengths,
        given=torch.randint(4, most, (3, 6)),
        target_lengths=target_lengths,
    )


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_steps_give_what_a_whole_sequence_gives(name, shared, cell):
    encoder = Encoder(cell=cell, hidden_size=4, bidirectional=True, num_layers=2, dropout=0.0)
    network, asked = made(WRITERS[name], None if shared else 9, encoder=encoder), batch()
    with torch.no_grad():
        logits, weights = network(asked)
        state, steps, looks = network.start(asked), [], []
        for token in asked.given.unbind(1):
            found, state = network.step(token, state)
            steps.append(found)
            looks.append(network.looked(state))
    real = torch.arange(6) < asked.target_lengths.unsqueeze(1)
    torch.testing.assert_close(logits, torch.stack(steps, 1)[real])
    torch.testing.assert_close(weights[real], torch.stack(looks, 1)[real])
    if WRITERS[name].attention != "none":
        torch.testing.assert_close(weights[real].sum(-1), torch.ones(int(real.sum())).double())


@pytest.mark.parametrize("name", WRITERS)
def test_padding_changes_nothing(name):
    network, asked = made(WRITERS[name]), batch()
    logits, _ = network(asked)
    other = batch()
    past = torch.arange(5) >= other.source_lengths.unsqueeze(1)
    other.source = other.source.masked_fill(past, 7)
    past = torch.arange(6) >= other.target_lengths.unsqueeze(1)
    other.given = other.given.masked_fill(past, 3)
    torch.testing.assert_close(network(other)[0], logits)
    wide = torch.cat([other.source, torch.full((3, 4), 8)], 1)
    other.source = wide
    torch.testing.assert_close(network(other)[0], logits)


@pytest.mark.parametrize("name", WRITERS)
def test_a_search_may_pick_rows(name):
    network, asked = made(WRITERS[name]), batch()
    with torch.no_grad():
        _, state = network.step(asked.given[:, 0], network.start(asked))
        rows = torch.tensor([2, 0, 0])
        picked, _ = network.step(asked.given[rows, 1], network.select(state, rows))
        whole, _ = network.step(asked.given[:, 1], state)
        alone, _ = network.step(asked.given[2:, 1], network.select(state, torch.tensor([2])))
    torch.testing.assert_close(picked[:1], alone)
    torch.testing.assert_close(picked[1], whole[0])


@pytest.mark.parametrize("name", WRITERS)
def test_gradients_reach_every_weight(name):
    network = made(WRITERS[name])
    network(batch())[0].logsumexp(-1).sum().backward()
    for label, weight in network.named_parameters():
        assert weight.grad is not None, label
        assert weight.grad.abs().sum() > 0, label


def test_a_shared_vocabulary_has_one_embedding_and_a_tied_output_no_weights():
    names = dict(made(WRITERS["luong"], None).named_parameters())
    assert not any(name.startswith(("target", "weight")) for name in names)
    assert "weight" in dict(made(WRITERS["fed"]).named_parameters())


def test_coverage_is_a_term_of_the_score():
    torch.manual_seed(0)
    attention = AdditiveAttention(4, 6, 5)
    decoder = CoverageDecoder("gru", 3, 4, attention=attention).double()
    torch.nn.init.normal_(decoder.covered)
    memory, x = torch.randn(2, 5, 6).double(), torch.randn(2, 7, 3).double()
    with torch.no_grad():
        weights = decoder(x, decoder.start(memory)).weights
        h, _ = decoder.recurrent(x)
        covered = torch.zeros(2, 5).double()
        for t in range(7):
            hidden = attention.query(h[:, t]).unsqueeze(1) + attention.key(memory)
            hidden = torch.tanh(hidden + covered.unsqueeze(-1) * decoder.covered)
            wanted = attention.score(hidden).squeeze(-1).softmax(-1)
            torch.testing.assert_close(weights[:, t], wanted)
            covered = covered + wanted


def test_coverage_of_no_weight_is_no_coverage():
    torch.manual_seed(0)
    decoder = CoverageDecoder("lstm", 3, 4, attention=AdditiveAttention(4, 6, 5), feeding="output")
    plain = RecurrentDecoder("lstm", 3, 4, attention=AdditiveAttention(4, 6, 5), feeding="output")
    plain.load_state_dict({k: v for k, v in decoder.state_dict().items() if k != "covered"})
    memory, x = torch.randn(2, 5, 6), torch.randn(2, 7, 3)
    torch.testing.assert_close(
        decoder(x, decoder.start(memory)).output, plain(x, plain.start(memory)).output
    )
    with pytest.raises(InputError, match="additive"):
        CoverageDecoder("lstm", 3, 4, attention=MultiplicativeAttention(4, 6))


def test_a_sequence_that_has_ended_covers_no_more():
    torch.manual_seed(0)
    decoder = CoverageDecoder("lstm", 3, 4, attention=AdditiveAttention(4, 6, 5)).double()
    torch.nn.init.normal_(decoder.covered)
    memory, x = torch.randn(2, 5, 6).double(), torch.randn(2, 7, 3).double()
    together = decoder(x, decoder.start(memory), lengths=[7, 2])
    alone = decoder(x[1:, :2], decoder.start(memory[1:]))
    torch.testing.assert_close(together.output[1:, :2], alone.output)
    assert not together.output[1, 2:].any()
    torch.testing.assert_close(together.state.memory.keys[1:], alone.state.memory.keys)
    torch.testing.assert_close(together.state.recurrent.c[:, 1:], alone.state.recurrent.c)


def test_guesses_replace_inputs_at_the_share_that_was_reached():
    mix = SampledInputs(0.5, 10)
    known, logits = torch.zeros(4000, dtype=torch.int64), torch.zeros(4000, 3)
    logits[:, 2] = 1.0
    assert not mix(known, logits).any()
    for _ in range(5):
        mix.count()
    assert 0.2 < (mix(known, logits) == 2).double().mean() < 0.3
    for _ in range(50):
        mix.count()
    assert 0.45 < (mix(known, logits) == 2).double().mean() < 0.55
    assert int(mix.state_dict()["counted"]) == 55


def test_with_guesses_it_trains_step_by_step_and_answers_as_without():
    writer = Writer("multiplicative", "layer", embedding=8, dropout=0.0, sampling=1.0)
    network, asked = made(writer), batch()
    plain = made(WRITERS["layer"])
    plain.load_state_dict({k: v for k, v in network.state_dict().items() if "sampled" not in k})
    network.eval()
    torch.testing.assert_close(network(asked)[0], plain(asked)[0])
    network.train()
    # The share of guesses is still nearly zero.
    torch.manual_seed(3)
    network.sampled.steps = 10**9
    torch.testing.assert_close(network(asked)[0], plain(asked)[0])
    network.sampled.steps = 1
    assert not torch.allclose(network(asked)[0], plain(asked)[0])


def test_several_networks_answer_with_the_mean_of_their_probabilities():
    pair = [made(WRITERS["luong"], seed=k)(batch()) for k in range(2)]
    both = joined(pair)
    wanted = torch.stack([one.logits.softmax(-1) for one in pair]).mean(0)
    torch.testing.assert_close(both.logits.softmax(-1), wanted)
    torch.testing.assert_close(both.weights, (pair[0].weights + pair[1].weights) / 2)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"attention": "multi"}, "attention"),
        ({"feeding": "input"}, "feeding"),
        ({"embedding": 0}, "embedding"),
        ({"tied": 1}, "tied"),
        ({"sampling": 2}, "sampling"),
        ({"coverage": -1}, "coverage"),
        ({"attention": "none", "coverage": 1.0}, "none"),
        ({"attention": "none", "feeding": "output"}, "none"),
    ],
)
def test_a_writer_that_makes_no_sense_is_refused(options, named):
    with pytest.raises(InputError, match=named):
        Writer(**options)
