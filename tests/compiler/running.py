"""Runs a cell on every engine that can, beside a transcription of its step."""

import torch

from gatewise.connectivity import Dense
from gatewise.engines import ENGINES, Call, parameters, recurrence

INPUT, HIDDEN, BATCH, TIME = 3, 4, 3, 5


def drawn(cell, *, bias=True, lengths=None, reverse=False, seed=3):
    """A call with random weights, states and noise, in float64 with gradients."""
    draw = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(shape, generator=draw, dtype=torch.float64).requires_grad_()

    noise = {}
    for name, how in cell.draws.items():
        shape = (BATCH, TIME if how.per == "step" else 1, HIDDEN)
        chances = torch.full(shape, how.chance, dtype=torch.float64)
        noise[name] = torch.bernoulli(chances, generator=draw) * cell.noises[name] / how.chance
    shapes = parameters(cell, Dense(), INPUT, HIDDEN, bias=bias)
    return Call(
        cell,
        Dense(),
        normal(BATCH, TIME, INPUT),
        {name: normal(*shape) for name, shape in shapes.items()},
        tuple(normal(BATCH, HIDDEN) for _ in cell.states),
        None if lengths is None else torch.tensor(lengths),
        reverse,
        noise,
    )


def by_hand(step, call):
    """The outputs and the last states, sequence by sequence and step by step."""
    rows, ends = [], []
    for k in range(BATCH):
        length = TIME if call.lengths is None else int(call.lengths[k])
        state = tuple(s[k] for s in call.state)
        outputs = [torch.zeros(HIDDEN, dtype=torch.float64)] * TIME
        for t in reversed(range(length)) if call.reverse else range(length):
            masks = {n: v[k, t if v.shape[1] > 1 else 0] for n, v in call.noise.items()}
            state = step(call.x[k, t], state, call.weights, masks)
            outputs[t] = state[0]
        rows.append(torch.stack(outputs))
        ends.append(state)
    return [torch.stack(rows), *(torch.stack(parts) for parts in zip(*ends, strict=True))]


def gradients(call, outputs):
    """Of an uneven sum of all outputs, with respect to all that went in."""
    loss = sum((t * torch.linspace(-1, 2, t.numel()).view_as(t)).sum() for t in outputs)
    wrt = [call.x, *call.state, *call.weights.values()]
    return torch.autograd.grad(loss, wrt, allow_unused=True, materialize_grads=True)


def agree(call, step):
    """Check every engine that runs the call against the transcription, gradients too."""
    want = by_hand(step, call)
    slopes = gradients(call, want)
    for engine in (e for e in ENGINES if e.why_not(call) is None):
        y, state = engine.run(call)
        torch.testing.assert_close([y, *state], want)
        torch.testing.assert_close(gradients(call, [y, *state]), slopes)


def check_derivatives(call, check=torch.autograd.gradcheck):
    """Compare two steps of one sequence with finite differences."""
    x, *start = (t.detach() for t in (call.x[:1, :2], *(s[:1] for s in call.state)))

    def run(x, *rest):
        state, weights = rest[: len(start)], rest[len(start) :]
        named = dict(zip(call.weights, weights, strict=True))
        y, last = recurrence(*call._replace(x=x, state=state, weights=named, lengths=None))
        return y, *last

    inputs = (*(t.requires_grad_() for t in (x, *start)), *call.weights.values())
    assert check(run, inputs, fast_mode=True)
