"""Calls as users make them, and how near to the reference engine an engine must come."""

import torch

from gatewise.connectivity import Dense
from gatewise.engines import ENGINES, Call, parameters, state_sizes

CPU, REFERENCE = ENGINES[0], ENGINES[-1]


def drawn(
    cell, batch, time, input=3, hidden=4, *, proj=0, bias=True, dtype=torch.float64, seed=0,
    scale=1.0, **options,
):  # fmt: skip
    """A call with weights about as large as a layer's; all that goes in wants a gradient."""
    draw, dense = torch.Generator().manual_seed(seed), Dense(proj)

    def normal(*shape, scale=1.0):
        return (scale * torch.randn(shape, generator=draw, dtype=dtype)).requires_grad_()

    shapes = parameters(cell, dense, input, hidden, bias=bias)
    small = scale / max(hidden, input) ** 0.5
    return Call(
        cell, dense, normal(batch, time, input),
        {name: normal(*shape, scale=small) for name, shape in shapes.items()},
        tuple(normal(batch, size) for size in state_sizes(cell, dense, hidden)),
        **options,
    )  # fmt: skip


def flat(result):
    """Outputs and final states."""
    return [result[0], *result[1]]


def leaves(call):
    """All that goes in."""
    return [call.x, *call.state, *call.weights.values()]


def uneven(outputs):
    """A loss to which every number contributes something else."""
    return sum(
        (t * torch.linspace(-1, 2, t.numel(), dtype=t.dtype).view(t.shape)).sum() for t in outputs
    )


def gradients(call, outputs, loss=uneven):
    """Of a loss, with respect to all that went in."""
    wrt = [t for t in leaves(call) if t.requires_grad]
    return torch.autograd.grad(loss(outputs), wrt, allow_unused=True, materialize_grads=True)


def run(call, engine=CPU, loss=uneven):
    """Outputs, final states and gradients."""
    outputs = flat(engine.run(call))
    return [t.detach() for t in outputs], gradients(call, outputs, loss)


def to(call, dtype):
    """The same numbers in another type, as leaves."""

    def turned(t):
        return t.detach().to(dtype).requires_grad_(t.requires_grad)

    return call._replace(
        x=turned(call.x),
        weights={name: turned(w) for name, w in call.weights.items()},
        state=tuple(turned(s) for s in call.state),
    )


def assert_near(got, want, tolerance, usual=None):
    """Each tensor within a share of its largest number.

    Where equations blow up rounding errors, `usual` says what plain torch makes of them in the
    type of `got`: twice its error is then the measure.
    """
    for k, (mine, exact) in enumerate(zip(got, want, strict=True)):
        assert mine.shape == exact.shape
        if not exact.numel():
            continue
        assert mine.isfinite().all()
        largest, error = float(exact.abs().max()), _error(mine, exact)
        if error > tolerance * largest and usual is not None:
            assert error <= 2 * _error(usual()[k], exact), f"{k}: {error:.2e} of {largest:.2e}"
        else:
            assert error <= tolerance * largest, f"{k}: {error:.2e} of {largest:.2e}"


def _error(mine, exact):
    return float((mine.double() - exact.double()).abs().max())


def agree(call, loss=uneven):
    """The cpu engine gives what the reference gives, in float64."""
    outputs, found = run(call, CPU, loss)
    want, want_gradients = run(call, REFERENCE, loss)
    assert_near(outputs, want, 1e-13)
    assert_near(found, want_gradients, 1e-12)
    return outputs, found
