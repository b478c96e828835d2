from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from gatewise.data.dialogue.dialogues import Dialogues
from gatewise.data.text.tokens_spec import Tokens
from gatewise.decoders.beam import BeamSearch
from gatewise.decoders.search import Search
from gatewise.nn import Encoder
from gatewise.nn.networks.dialogue import DialogueNetwork
from gatewise.nn.networks.turn_reader import TurnReader
from gatewise.objectives.dialogue import DialogueLoss

THREADS = [
    ("Hello", "Hi there.", "How are you today?", "Fine, and you?"),
    ("What is AI?", "A science."),
    ("Hello", "Hm?"),
]


@pytest.fixture(scope="module")
def coder():
    data = Dialogues(Tokens("word"), 6)
    data.fit(THREADS)
    return data.coder


@pytest.fixture(params=["lstm", "gru"])
def network(request, coder):
    torch.manual_seed(0)
    encoder = Encoder(cell=request.param, hidden_size=8)
    return (
        DialogueNetwork(encoder, len(coder.vocabulary), len(coder.forms), embedding=6, matching=4)
        .double()
        .eval()
    )


def in_double(batch):
    batch = SimpleNamespace(**vars(batch))
    batch.mine, batch.overlap = batch.mine.double(), batch.overlap.double()
    return batch


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=4), st.randoms())
def test_what_stands_past_an_end_is_not_read(lengths, chance):
    torch.manual_seed(0)
    reader = TurnReader(Encoder(hidden_size=3), 2, 0.0).eval()
    words = torch.randn(len(lengths), 5, 2)
    counts = torch.tensor(lengths)
    read = reader(words, counts)
    for row, length in enumerate(lengths):
        alone = reader(words[row : row + 1, :length], counts[row : row + 1])
        assert torch.allclose(read.vectors[row], alone.vectors[0], atol=1e-6)
        assert (read.memory[row, length:] == 0).all()


def test_a_conversation_may_be_heard_turn_by_turn(network, coder):
    thread = THREADS[0][:3]
    at_once = network.hear(in_double(coder.batch([thread], None)))
    heard = None
    for place, turn in enumerate(thread):
        batch = in_double(coder.batch([(turn,)], None))
        batch.mine = torch.full_like(batch.mine, (len(thread) - place + 1) % 2)
        heard = network.hear(batch, heard)
    assert torch.allclose(heard.query, at_once.query)
    for one, two in zip(heard.start.recurrent, at_once.start.recurrent, strict=True):
        assert torch.allclose(one, two)


def test_who_said_it_counts(network, coder):
    batch = in_double(coder.batch([THREADS[0][:2]], None))
    before = network.hear(batch).query
    batch.mine = 1 - batch.mine
    assert not torch.allclose(network.hear(batch).query, before)


def test_the_writer_reads_no_reply(network, coder):
    contexts, replies = [("Hello",), ("What is AI?",)], ["Hm?", "A science."]
    alone = network.start(in_double(coder.batch(contexts, None)))
    beside = network.start(in_double(coder.batch(contexts, replies)))
    for one, two in zip(alone.recurrent, beside.recurrent, strict=True):
        assert torch.allclose(one, two)


def test_steps_and_likelihood_are_what_training_sees(network, coder):
    contexts, replies = [("Hello",), THREADS[0][:3]], ["Hm?", "Fine, and you?"]
    batch = in_double(coder.batch(contexts, replies))
    logits = network(batch).logits
    chances = logits.log_softmax(-1).gather(-1, batch.answers.unsqueeze(-1)).squeeze(-1)
    expected = [part.mean() for part in chances.split(batch.answer_lengths.tolist())]
    found = network.likelihood(network.start(batch), *coder.taught(replies))
    assert torch.allclose(found, torch.stack(expected))
    state, stepped = network.start(batch), []
    for step in range(batch.given.shape[1]):
        out, state = network.step(batch.given[:, step], state)
        stepped.append(out)
    real = torch.arange(len(stepped)) < batch.answer_lengths.unsqueeze(1)
    assert torch.allclose(torch.stack(stepped, 1)[real], logits)


def test_a_search_finds_what_likelihood_says(network, coder):
    batch = in_double(coder.batch([("Hello",)], None))
    batch.limits = torch.tensor([4])
    (found,) = BeamSearch(2, 3, Search(beam=3, penalty=0.0), n_best=3, never=(0, 1))(network, batch)
    for hypothesis in found:
        text = coder.vocabulary.decode(hypothesis.tokens)
        if coder.vocabulary.encode(text) == hypothesis.tokens:
            taught = coder.taught([text])
            with torch.no_grad():
                mean = network.likelihood(network.start(batch), *taught)
            assert float(mean * taught[2]) == pytest.approx(hypothesis.log_prob, abs=1e-5)


def test_gradients_are_those_of_finite_differences(coder):
    torch.manual_seed(0)
    network = (
        DialogueNetwork(
            Encoder(hidden_size=3), len(coder.vocabulary), len(coder.forms), embedding=3, matching=2
        )
        .double()
        .eval()
    )
    batch = in_double(coder.batch([("Hello",), THREADS[0][:3]], ["Hm?", "Fine, and you?"]))
    weights = [
        network.matchers.members[0].shared,
        network.matchers.members[0].scale,
        network.reader.turns.weight_hh_l0,
    ]

    def loss(*values):
        named = {
            "matchers.members.0.shared": 0,
            "matchers.members.0.scale": 1,
            "reader.turns.weight_hh_l0": 2,
        }
        held = {name: values[place] for name, place in named.items()}
        return DialogueLoss()(torch.func.functional_call(network, held, (batch,)), batch)

    assert torch.autograd.gradcheck(loss, weights)


def test_the_loss_takes_no_known_reply_for_a_wrong_one():
    scores = torch.tensor([[[1.0, 9.0], [0.0, 0.0]]])
    output = SimpleNamespace(scores=scores, logits=torch.zeros(1, 2))
    also = torch.tensor([[False, True], [False, False]])
    batch = SimpleNamespace(
        right=torch.tensor([0, 1]), also=also, answers=torch.zeros(1, dtype=torch.long)
    )
    half = torch.log(torch.tensor(2.0))
    assert torch.allclose(DialogueLoss()(output, batch), half + half / 2, atol=1e-6)
    assert torch.allclose(DialogueLoss(ranking=0.0)(output, batch), half)


def test_what_is_not_trusted_is_what_is_shared_alone(network, coder):
    batch = in_double(coder.batch([("Hello", "Hi", "How so?"), ("Hello",)], ["I am well.", "Hi"]))
    with torch.no_grad():
        query = network.hear(batch).query
        full, half, none = (
            network.match(batch, query, torch.full((2,), share).double())
            for share in (1.0, 0.5, 0.0)
        )
        weights = torch.stack([functional.softplus(m.shared) for m in network.matchers.members])
        shared = (weights.mean(0) * batch.overlap).sum(-1)
    torch.testing.assert_close(none, shared)
    torch.testing.assert_close(half, (full + shared) / 2)
    torch.testing.assert_close(full, network.match(batch, query))
