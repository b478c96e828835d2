"""Long short-term memory as first published."""

from ..compiler import Expr, Gate, State, cell, sigmoid


def _within(bound: float, a: Expr) -> Expr:
    return 2 * bound * sigmoid(a) - bound


@cell
def lstm_1997(i: Gate, g: Gate, o: Gate, h: State, c: State):
    """LSTM of 1997, before there was a forget gate: what is written stays.

    Hochreiter and Schmidhuber, Long Short-Term Memory, 1997
    (https://doi.org/10.1162/neco.1997.9.8.1735), with their squashing functions: what is written
    lies between -2 and 2, what is shown of the cell between -1 and 1. This is a memory block of
    one cell. Left out are blocks whose cells share their gates, gates that see the other gates of
    the step before, and the truncated gradient: here it is that of the equations. The paper starts
    the biases of i and o below 0, differently for each task; here they start from 0.

    Use it to see what the forget gate changed, or for sums over a whole sequence that must not
    fade. In a stream without ends its cell grows until its output no longer moves.
    """
    i, g, o = sigmoid(i), _within(2.0, g), sigmoid(o)
    c = c + i * g
    h = o * _within(1.0, c)
    return h, c
