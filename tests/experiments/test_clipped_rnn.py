"""The tanh networks of Pascanu et al.: gradients, Omega and clipping, against autograd."""

import torch

from experiments.networks.clipped_rnn import TanhNetworks, clipped


def made(seed=0):
    torch.manual_seed(seed)
    rngs = [torch.Generator().manual_seed(k) for k in range(2)]
    networks = TanhNetworks(2, 3, 6, 4, rngs)
    networks.parameters = {
        k: 0.5 * torch.randn_like(v).double() for k, v in networks.parameters.items()
    }
    return networks, torch.randn(2, 5, 7, 3).double(), torch.randint(0, 4, (2, 5))


def unrolled(p, x):
    h = x.new_zeros(len(x), p["w_h"].shape[0])
    states = [h]
    for now in x.unbind(1):
        h = torch.tanh(now @ p["w_x"] + h @ p["w_h"] + p["b"])
        states.append(h)
    return states, h @ p["w_y"] + p["b_y"]


def test_the_gradient_is_autograds():
    networks, x, label = made()
    found = networks.run(x, label)
    for k in range(2):
        p = {name: value[k].clone().requires_grad_() for name, value in networks.parameters.items()}
        states, logits = unrolled(p, x[k])
        loss = torch.nn.functional.cross_entropy(logits, label[k])
        torch.testing.assert_close(found.loss[k], loss)
        grads = torch.autograd.grad(loss, [*p.values(), *states[1:]])
        for name, grad in zip(p, grads, strict=False):
            torch.testing.assert_close(found.grads[name][k], grad)
        norms = torch.stack([g.norm() for g in grads[len(p) :]])
        torch.testing.assert_close(found.norms[1:, k], norms)
        assert (found.right[k] == (logits.argmax(-1) == label[k])).all()


def test_omega_and_its_gradient_hold_the_errors_constant():
    networks, x, label = made()
    found = networks.run(x, label)
    p = {name: value[0].clone().requires_grad_() for name, value in networks.parameters.items()}
    states, logits = unrolled(p, x[0])
    loss = torch.nn.functional.cross_entropy(logits, label[0])
    d = torch.autograd.grad(loss, states[1:])
    terms = []
    for k in range(len(d) - 1):
        through = (d[k + 1] * (1 - states[k + 2].detach() ** 2)) @ p["w_h"].T
        torch.testing.assert_close(through, d[k])
        ratio = (through**2).sum(-1) / (d[k + 1] ** 2).sum(-1)
        terms.append((ratio - 1) ** 2)
    omega = torch.stack(terms).mean()
    torch.testing.assert_close(found.omega[0], omega)
    (want,) = torch.autograd.grad(omega, [p["w_h"]])
    torch.testing.assert_close(found.d_omega[0], want)


def test_a_vanished_gradient_does_not_count():
    networks, x, label = made()
    networks.parameters["w_y"].zero_()
    found = networks.run(x, label)
    assert found.omega.tolist() == [0, 0]
    assert not found.d_omega.any()


def test_clipping_scales_long_gradients_only():
    grads = {"w_h": torch.tensor([[[3.0]], [[0.3]]]), "b": torch.tensor([[4.0], [0.4]])}
    found = clipped(grads, torch.ones(2, 1, 1), 1.0)
    torch.testing.assert_close(found["w_h"].flatten(), torch.tensor([0.6, 0.3]))
    torch.testing.assert_close(found["b"].flatten(), torch.tensor([0.8, 0.4]))


def test_a_gradient_that_is_no_number_becomes_a_small_step_to_zero():
    grads = {"w_h": torch.tensor([[[float("nan")]]]), "b": torch.tensor([[1.0]])}
    found = clipped(grads, torch.full((1, 1, 1), 5.0), 1.0)
    torch.testing.assert_close(found["w_h"].flatten(), torch.tensor([0.1]))
    assert not found["b"].any()


def test_first_weights_have_the_spectral_radius():
    networks = TanhNetworks(1, 3, 50, 4, [torch.Generator().manual_seed(0)])
    w = networks.parameters["w_h"][0]
    assert abs(torch.linalg.eigvals(w).abs().max().item() - 0.95) < 1e-3
    assert ((w != 0).sum(0) == 15).all()
