"""Readers, biases, guesses, encoder-decoders and Jacobians."""

import numpy as np
import pytest
import torch

from experiments.experiment import seeded
from experiments.gradients import backward, reach, step_jacobians
from experiments.modern import Recipe, train
from experiments.networks.bias import set_bias, set_chrono
from experiments.networks.encoder_decoder import EncoderDecoder
from experiments.networks.guess import guess
from experiments.networks.reader import Reader
from experiments.stopping import Recent
from experiments.tasks.adding import Marked
from experiments.tasks.long_lag import NoiseFree
from experiments.tasks.two_sequence import TwoSequence
from gatewise import InputError
from gatewise.nn import Recurrent


def test_a_reader_answers_at_the_end_or_at_each_step():
    rng = np.random.default_rng(0)
    for task, shape in ((Marked(20), (3, 1)), (NoiseFree(5), (3, 5, 6))):
        batch = task.draw(rng, 3)
        network = Reader("lstm", task, 4)
        y = network(batch)
        assert y.shape == shape
        answers = network.answers(batch)
        np.testing.assert_allclose(answers, y.detach().sigmoid(), rtol=1e-6)
        assert network.loss(y, batch).item() > 0


def test_a_reader_stops_at_a_sequences_end():
    task = Marked(100)
    batch = task.draw(np.random.default_rng(0), 4)
    network = Reader("lstm", task, 4)
    alone = batch.x[:1, : batch.lengths[0]]
    y, _ = network.layer(torch.from_numpy(alone).float())
    torch.testing.assert_close(network(batch)[0], network.head(y[0, -1]))


@pytest.mark.parametrize("task", [Marked(20), NoiseFree(5)])
def test_a_reader_may_answer_to_its_last_input_directly(task):
    batch = task.draw(np.random.default_rng(0), 3)
    network = Reader("lstm", task, 4, direct=True)
    plain = Reader("lstm", task, 4)
    added = task.inputs * task.outputs
    assert network.weights == plain.weights + added
    plain.load_state_dict(network.state_dict(), strict=False)
    x = torch.from_numpy(batch.x).float()
    last = x if batch.every_step else x[torch.arange(3), torch.from_numpy(batch.lengths) - 1]
    want = plain(batch) + last @ network.direct.weight.T
    torch.testing.assert_close(network(batch), want)


def test_biases_are_set_whole():
    layer = Recurrent("lstm", 2, 8)
    set_bias(layer, "f", 3.0)
    assert (layer.bias_ih_l0 + layer.bias_hh_l0).chunk(4)[1].tolist() == [3.0] * 8
    set_chrono(layer, 100)
    i, f, _, _ = (layer.bias_ih_l0 + layer.bias_hh_l0).chunk(4)
    torch.testing.assert_close(i, -f)
    assert f.min() >= 0
    assert f.max() <= np.log(99)
    with pytest.raises(InputError, match="no gate 'forget'"):
        set_bias(layer, "forget", 1.0)


def test_training_lowers_the_loss_and_stops_when_learned():
    task = TwoSequence(10)
    with seeded(0) as rng:
        found = train("lstm", task, Recipe(8, 2e-2, updates=80), rng)
    assert found.sequences is None
    assert np.mean(found.losses[-10:]) < 0.5 * np.mean(found.losses[:10])
    with seeded(0) as rng:
        judged = train("lstm", task, Recipe(8, updates=9, every=3), rng, judge=lambda _: True)
    assert judged.sequences == 3 * 32
    with seeded(0) as rng:
        watched = train("lstm", task, Recipe(8, updates=9), rng, Recent(1, 32, wrong=32, mean=9))
    assert watched.sequences == 32


def test_a_guess_solves_what_is_easy_and_not_adding():
    needed, _ = guess(TwoSequence(10), np.random.default_rng(0), 4000)
    assert needed is not None
    assert guess(Marked(20), np.random.default_rng(0), 400) == (None, 400)
    assert guess(NoiseFree(4), np.random.default_rng(0), 200) == (None, 200)


def test_an_encoder_decoder_writes_what_it_scores_highest():
    torch.manual_seed(0)
    network = EncoderDecoder("gru", 7, 5, 8, embedding=3)
    source, lengths = torch.randint(0, 7, (6, 4)), torch.tensor([4, 3, 2, 1, 4, 4])
    found = network.write(source, lengths, 5)
    again = network(source, lengths, found).argmax(-1)
    ended = torch.cumsum(found == 4, 1) - (found == 4).int() > 0
    assert (again[~ended] == found[~ended]).all()
    assert (found[ended] == 4).all()


@pytest.mark.parametrize("cell", ["elman", "lstm", "gru_reset_before"])
def test_jacobians_are_finite_differences(cell):
    torch.manual_seed(0)
    layer = Recurrent(cell, 2, 3, dtype=torch.float64)
    x = torch.randn(4, 2, dtype=torch.float64)
    jacobians = step_jacobians(layer, x)
    state = None
    for now in x[:3]:
        _, state = layer.step(now, state)

    def last(flat):
        parts = tuple(part.unsqueeze(0) for part in flat.split(3))
        return torch.cat([part[0] for part in layer.step(x[3], parts)[1]]).detach()

    flat = torch.cat([part[0] for part in state]).detach()
    for k in range(len(flat)):
        push = torch.zeros_like(flat)
        push[k] = 1e-6
        want = (last(flat + push) - last(flat - push)) / 2e-6
        torch.testing.assert_close(jacobians[3, :, k], want, atol=1e-8, rtol=1e-6)


def test_the_gradient_goes_back_as_autograd_says():
    torch.manual_seed(0)
    layer = Recurrent("elman", 2, 3, dtype=torch.float64)
    x = torch.randn(6, 2, dtype=torch.float64)
    start = torch.zeros(1, 3, dtype=torch.float64, requires_grad=True)
    _, state = layer(x, (start,))
    direction = torch.randn(3, dtype=torch.float64)
    (grad,) = torch.autograd.grad((state.h[0] * direction).sum(), start)
    jacobians = step_jacobians(layer, x)
    norms = backward(jacobians, direction)
    assert norms[-1] == pytest.approx((grad.norm() / direction.norm()).item())
    product = torch.linalg.multi_dot(list(jacobians.flip(0)))
    assert reach(jacobians)[-1] == pytest.approx(torch.linalg.matrix_norm(product, 2).item())
    assert norms[-1] <= reach(jacobians)[-1] * (1 + 1e-9)
