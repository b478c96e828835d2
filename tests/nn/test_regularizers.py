"""Noise around layers: which mask for whom, how much, and only in training."""

import pytest
import torch
from torch.func import functional_call

from gatewise import InputError
from gatewise.nn import EmbeddingDropout, LockedDropout, Recurrent, weight_noise

ONES = torch.ones(30, 7, 40, dtype=torch.float64)


def check_share(kept, share):
    """The share of what is kept, within five standard errors."""
    kept = kept.double()
    assert abs(kept.mean() - share) < 5 * (share * (1 - share) / kept.numel()) ** 0.5


def test_one_mask_for_a_sequence():
    torch.manual_seed(0)
    y = LockedDropout(0.3)(ONES)
    assert y.dtype == ONES.dtype
    assert torch.equal(y, y[:, :1].expand_as(y))
    assert y.unique().tolist() == pytest.approx([0, 1 / 0.7])
    check_share(y[:, 0] > 0, 0.7)
    assert not torch.equal(y[0], y[1])
    alone = LockedDropout(0.3)(ONES[0])
    assert torch.equal(alone, alone[:1].expand_as(alone))


def test_gradients_pass_where_the_mask_does():
    x = torch.randn(3, 5, 8, dtype=torch.float64).requires_grad_()
    y = LockedDropout(0.5)(x)
    y.sum().backward()
    torch.testing.assert_close(x.grad, torch.where(y == 0, 0.0, 2.0).double())


def test_evaluation_and_rate_0_leave_the_input_alone():
    assert LockedDropout(0.5).eval()(ONES) is ONES
    assert LockedDropout(0.0)(ONES) is ONES
    assert LockedDropout(0.5)(ONES[:0]).shape == (0, 7, 40)
    assert LockedDropout(0.5)(ONES[:, :0]).shape == (30, 0, 40)
    assert repr(LockedDropout(0.5)) == "LockedDropout(0.5)"


def words(rate=0.4, count=500):
    torch.manual_seed(0)
    embedding = torch.nn.Embedding(count, 3, padding_idx=0)
    return embedding, EmbeddingDropout(embedding, rate)


def test_a_word_is_dropped_everywhere_or_nowhere():
    embedding, drop = words()
    tokens = torch.randint(1, 500, (40, 50))
    y, plain = drop(tokens), embedding(tokens)
    kept = y.abs().sum(-1) > 0
    torch.testing.assert_close(y, torch.where(kept.unsqueeze(-1), plain / 0.6, 0.0))
    by_word = [kept[tokens == word] for word in range(1, 500)]
    assert all(places.all() or not places.any() for places in by_word)
    check_share(torch.stack([p.any() for p in by_word if len(p)]), 0.6)


def test_gradients_reach_the_words_that_are_kept():
    embedding, drop = words()
    tokens = torch.randint(0, 500, (40, 50))
    y = drop(tokens)
    y.sum().backward()
    count = torch.bincount(tokens.flatten(), minlength=500)
    kept = torch.zeros(500).scatter(0, tokens.flatten(), (y.abs().sum(-1) > 0).float().flatten())
    want = count * kept / 0.6
    want[0] = 0  # Padding.
    torch.testing.assert_close(embedding.weight.grad, want[:, None].expand(-1, 3))


def test_words_in_evaluation():
    embedding, drop = words()
    tokens = torch.tensor([[1, 2], [3, 3]], dtype=torch.int32)
    assert torch.equal(drop.eval()(tokens), embedding(tokens))
    assert torch.equal(words(0.0)[1](tokens), embedding(tokens))
    assert drop.train()(tokens).shape == (2, 2, 3)
    assert set(drop.state_dict()) == {"embedding.weight"}


def test_weight_noise_is_gaussian_and_leaves_the_weights():
    torch.manual_seed(0)
    weights = {"a": torch.ones(200, 100).requires_grad_(), "b": torch.zeros(3)}
    noisy = weight_noise(weights, 0.5)
    noise = (noisy["a"] - weights["a"]).detach()
    assert abs(noise.mean()) < 5 * 0.5 / noise.numel() ** 0.5
    assert abs(noise.std() - 0.5) < 5 * 0.5 / noise.numel() ** 0.5
    assert torch.equal(weight_noise(weights, 0.0)["b"], weights["b"])
    assert (weights["a"] == 1).all()


def test_gradients_are_those_at_the_noisy_weights():
    layer = Recurrent("lstm", 3, 4, dtype=torch.float64)
    x = torch.randn(2, 5, 3, dtype=torch.float64)
    noisy = weight_noise(dict(layer.named_parameters()), 0.1)
    y, _ = functional_call(layer, noisy, (x,))
    y.square().sum().backward()
    there = Recurrent("lstm", 3, 4, dtype=torch.float64)
    there.load_state_dict({name: weight.detach() for name, weight in noisy.items()})
    want, _ = there(x)
    want.square().sum().backward()
    torch.testing.assert_close(y, want)
    for own, other in zip(layer.parameters(), there.parameters(), strict=True):
        torch.testing.assert_close(own.grad, other.grad)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: LockedDropout(1.0), "rate=1.0"),
        (lambda: LockedDropout(0.5)(torch.ones(3)), r"x of shape \(3,\)"),
        (lambda: EmbeddingDropout(torch.nn.Linear(2, 3), 0.1), "give a torch.nn.Embedding"),
        (lambda: EmbeddingDropout(torch.nn.Embedding(2, 3), -0.1), "rate=-0.1"),
        (lambda: weight_noise({}, -1), "std=-1"),
        (lambda: weight_noise({}, float("nan")), "std=nan"),
    ],
    ids=range(6),
)
def test_wrong_input_is_one_sentence(make, says):
    with pytest.raises(InputError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)
