"""What is true of every layer over time: each sequence stands alone, and parts are the whole."""

import torch


def check_each_alone(layer, inputs, lengths):
    """Sequences of different lengths are each one alone, whatever is behind their ends."""
    x = inputs[: len(lengths)].clone()
    for k, length in enumerate(lengths):
        x[k, length:] = float("nan")
    x.requires_grad_()
    y, state = layer(x, lengths=lengths)
    y.sum().backward()
    assert x.grad.isfinite().all()
    for k, length in enumerate(lengths):
        alone, last = layer(inputs[k, :length])
        torch.testing.assert_close(y[k, :length], alone)
        assert not y[k, length:].any()
        assert not x.grad[k, length:].any()
        torch.testing.assert_close(tuple(s[:, k] for s in state), tuple(last))


def check_pieces(layer, x, sizes, **close):
    """What is run in several calls, the state handed on, is the whole; by its names, too."""
    y, last = layer(x)
    state, pieces = None, []
    for piece in x.split(sizes, 1):
        out, state = layer(piece, state)
        pieces.append(out)
    torch.testing.assert_close(torch.cat(pieces, 1), y, **close)
    torch.testing.assert_close(tuple(state), tuple(last), **close)
    first = layer(x[:, : sizes[0]])[1]
    rest, _ = layer(x[:, sizes[0] :], dict(zip(first._fields, first, strict=True)))
    torch.testing.assert_close(rest, y[:, sizes[0] :])


def check_steps(layer, x, **close):
    """Step after step is the sequence; gives the state after a step of one sequence."""
    y, last = layer(x)
    state, outputs = None, []
    for now in x.unbind(1):
        out, state = layer.step(now, state)
        outputs.append(out)
    torch.testing.assert_close(torch.stack(outputs, 1), y, **close)
    torch.testing.assert_close(tuple(state), tuple(last), **close)
    out, state = layer.step(x[0, 0])
    torch.testing.assert_close(out, y[0, 0])
    return state


def check_transforms(layer, x):
    """`torch.func` over a layer: many at once, and both ways to differentiate."""
    each = torch.func.vmap(lambda one: layer(one)[0])(x.unsqueeze(1))
    torch.testing.assert_close(each[:, 0], layer(x)[0])

    def loss(one):
        return layer(one)[0].square().sum()

    along = torch.func.jvp(loss, (x,), (torch.ones_like(x),))[1]
    torch.testing.assert_close(along, torch.func.grad(loss)(x).sum())
