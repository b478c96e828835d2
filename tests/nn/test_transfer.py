from __future__ import annotations

import torch

from gatewise.data.labels.batches import LabelBatch
from gatewise.nn.layers.encoder import Encoder
from gatewise.nn.masks import turned
from gatewise.nn.networks.language import TokenEncoder
from gatewise.nn.networks.transfer import END, TokenReaders, TransferNetwork


def net(backward=False):
    torch.manual_seed(0)
    reader = TokenEncoder(30, 4, Encoder(hidden_size=6, num_layers=2), residual=True)
    return TransferNetwork(reader, 3, backward=backward).eval()


def batch(*rows):
    lengths = torch.tensor([len(r) for r in rows])
    x = torch.zeros(len(rows), int(lengths.max()), dtype=torch.int64)
    for k, row in enumerate(rows):
        x[k, : len(row)] = torch.tensor(row)
    return LabelBatch(x, lengths)


def test_padding_changes_nothing():
    for backward in (False, True):
        network = net(backward)
        together = network(batch([5, 6, 7, 8], [9, 10]))
        alone = torch.cat([network(batch([5, 6, 7, 8])), network(batch([9, 10]))])
        assert (together - alone).abs().max() < 1e-6


def test_it_reads_as_the_language_model_did_and_pools_three_ways():
    network = net()
    y, _ = network.reader(torch.tensor([[END, 5, 6, 7]]))
    wanted = torch.cat([y[:, -1], y.amax(1), y.mean(1)], -1)
    assert (network.pooled(batch([5, 6, 7])) - wanted).abs().max() < 1e-6
    other = net(backward=True)
    assert (other.pooled(batch([7, 6, 5])) - wanted).abs().max() < 1e-6


def test_reversal_is_its_own_inverse():
    x = torch.tensor([[5, 6, 7, 0], [8, 9, 10, 11], [12, 0, 0, 0]])
    n = torch.tensor([3, 4, 1])
    assert torch.equal(turned(turned(x, n), n), x)


def test_features_of_a_token_are_its_vector_and_what_is_thought_after_it():
    forward, backward = net().reader, net(backward=True).reader
    readers = TokenReaders([(forward, False), (backward, True)]).eval()
    tokens, lengths = torch.tensor([[5, 6, 7], [8, 9, 0]]), torch.tensor([3, 2])
    found = readers(tokens, lengths)
    assert found.shape == (2, 3, readers.output_size) == (2, 3, 20)
    for row, real in ((0, [5, 6, 7]), (1, [8, 9])):
        there, _ = forward(torch.tensor([[END, *real]]))
        back, _ = backward(torch.tensor([[END, *real[::-1]]]))
        vectors = [reader.embedding(torch.tensor(real)) for reader in (forward, backward)]
        wanted = torch.cat([vectors[0], there[0, 1:], vectors[1], back[0, 1:].flip(0)], -1)
        assert (found[row, : len(real)] - wanted).abs().max() < 1e-6


def test_layers_are_named_from_the_embedding_up_and_hold_every_weight_once():
    network = net()
    groups = [list(group) for group in network.layers()]
    assert len(groups) == 4
    assert groups[0][0] is network.reader.embedding.weight
    assert groups[-1][0] is network.head.weight
    held = [id(w) for group in groups for w in group]
    assert sorted(held) == sorted(id(w) for w in network.parameters())
