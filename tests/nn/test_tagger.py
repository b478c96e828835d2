"""The tagger's network: what it sees, and that padding is not seen."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from gatewise.data.tagging.batches import TagBatch
from gatewise.decoders.tags import TagDecoder
from gatewise.errors import InputError
from gatewise.nn import CRF, Encoder, TokenFeatures
from gatewise.nn.networks.language import TokenEncoder
from gatewise.nn.networks.tagger import TaggerNetwork, TaggerSizes, combine
from gatewise.objectives.tags import TagLoss

SIZES = TaggerSizes(words=9, characters=7, looks=8, channels=2, tags=(3, 2))


def network(reader="lstm", chain=True, **sizes):
    torch.manual_seed(0)
    counts = replace(SIZES, **sizes)
    links = [CRF(tags)() if chain else None for tags in counts.tags]
    links = [None if t is None else type(t)(*(part.isfinite() for part in t)) for t in links]
    features = TokenFeatures(size=6, characters=reader, character_size=4)
    encoder = Encoder(hidden_size=5, bidirectional=True)
    return TaggerNetwork(encoder, features, counts, links).double()


def batch(more=0):
    """Two sequences of 4 and 2 tokens, padded by `more` steps beyond that."""
    generator = torch.Generator().manual_seed(1)
    steps = 4 + more
    real = torch.arange(steps) < torch.tensor([[4], [2]])

    def padded(x, value):
        x = torch.cat([x, x.new_full((2, more, *x.shape[2:]), value)], 1)
        return torch.where(real.reshape(2, steps, *[1] * (x.dim() - 2)), x, value)

    def whole(high, *shape, low=0):
        return torch.randint(low, high, shape, generator=generator)

    return TagBatch(
        torch.tensor([4, 2]),
        padded(whole(9, 2, 4, low=1), 0),
        padded(whole(5, 2, 4), 0),
        torch.cat([whole(7, 5, 3, low=1), torch.zeros(5, more, dtype=torch.int64)], 1),
        whole(8, 5, 2),
        padded(torch.randn(2, 4, 2, generator=generator, dtype=torch.float64), 77.0),
        (padded(whole(3, 2, 4), -1), padded(whole(2, 2, 4), -1)),
    )


@pytest.mark.parametrize("characters", ["lstm", "cnn"])
def test_padding_changes_nothing(characters):
    net = network(characters).eval()
    for (short, _), (long, _) in zip(net(batch()), net(batch(3)), strict=True):
        torch.testing.assert_close(short[0], long[0, :4])
        torch.testing.assert_close(short[1, :2], long[1, :2])


@pytest.mark.parametrize("chain", [True, False])
@pytest.mark.parametrize(
    "absent", [{}, {"words": 0, "characters": 0, "looks": 0}, {"channels": 0}, {"characters": 0}]
)
def test_every_part_learns(chain, absent):
    net = network(chain=chain, **absent)
    own = batch()
    if "words" in absent:
        own = replace(own, words=None, forms=None, characters=None, looks=None)
    loss = TagLoss()(net(own), own)
    loss.backward()
    assert loss.isfinite()
    for name, weight in net.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().sum() > 0, name


def test_the_loss_without_a_chain_is_cross_entropy():
    net, own = network(chain=False, tags=(3,)).eval(), batch()
    own = replace(own, labels=own.labels[:1])
    ((scores, _),) = net(own)
    known = own.labels[0] >= 0
    wanted = torch.nn.functional.cross_entropy(scores[known], own.labels[0][known])
    torch.testing.assert_close(TagLoss()(net(own), own), wanted)
    (answer,) = TagDecoder()(net, own)
    right = [(answer[0][i] == own.labels[0][i])[known[i]].double().mean() for i in range(2)]
    torch.testing.assert_close(TagLoss().score(net(own), own).double(), sum(right) / 2)


def reader(layers):
    return TokenEncoder(9, 3, Encoder(hidden_size=4, num_layers=layers))


@pytest.mark.parametrize("direction", ["both", "forward"])
def test_layers_go_from_what_is_read_to_tags_and_hold_every_weight_once(direction):
    encoder = Encoder(hidden_size=5, num_layers=2, bidirectional=direction == "both")
    readers = [(reader(2), False), (reader(1), True)]
    net = TaggerNetwork(encoder, TokenFeatures(size=6), SIZES, [None, None], readers)
    groups = [list(group) for group in net.layers()]
    assert [len(group) for group in groups[:3]] == [1, 4 + 1, 4 + 4]
    assert groups[0][0] is readers[0][0].embedding.weight
    assert any(weight is readers[1][0].embedding.weight for weight in groups[1])
    assert groups[3][0] is net.words.weight
    assert {id(w) for w in groups[4]} == {
        id(w) for n, w in net.encoder.named_parameters() if "_l0" in n
    }
    assert groups[6][0] is net.scores.weight
    assert len(groups) == 7
    held = [id(w) for group in groups for w in group]
    assert sorted(held) == sorted(id(w) for w in net.parameters())


def test_unknown_tags_cost_nothing():
    net, own = network().eval(), batch()
    blank = tuple(torch.full_like(tags, -1) for tags in own.labels)
    none = replace(own, labels=blank)
    assert TagLoss()(net(none), none).abs() < 1e-9
    assert TagLoss().score(net(none), none) == 0


def test_decoding_gives_probabilities():
    net, own = network().eval(), batch()
    for decoding in ("viterbi", "marginal"):
        for path, chances in TagDecoder(decoding)(net, own):
            torch.testing.assert_close(chances[0].sum(-1), torch.ones(4, dtype=torch.float64))
            assert (path[0] >= 0).all()


def test_an_ensemble_of_one_is_its_member():
    net, own = network().eval(), batch()
    output = net(own)
    for one, both in zip(output, combine([output, output]), strict=True):
        torch.testing.assert_close(one.scores, both.scores)
        torch.testing.assert_close(one.transitions.between, both.transitions.between)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"size": 0}, "size=0"),
        ({"dropout": 1.0}, "dropout"),
        ({"replace": -0.1}, "replace"),
        ({"affixes": -1}, "affixes=-1"),
        ({"forget": -1.0}, "forget"),
        ({"characters": "gru"}, "lstm, cnn, none"),
    ],
)
def test_wrong_features(wrong, said):
    with pytest.raises(InputError, match=said):
        TokenFeatures(**wrong)
