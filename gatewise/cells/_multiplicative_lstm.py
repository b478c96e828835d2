"""Long short-term memory whose transition depends on the input."""

from ..compiler import FromInput, FromState, Gate, State, cell, sigmoid, tanh


@cell(bias={"f": 1.0})
def multiplicative_lstm(
    i: Gate, f: Gate, g: Gate, o: Gate, m_x: FromInput, m_h: FromState, h: State, c: State
):
    """LSTM that sees the last output times the input, each projected, instead of the output.

    Krause et al., Multiplicative LSTM for sequence modelling, 2016
    (https://arxiv.org/abs/1609.07959). The paper gives m no bias; here each of its two factors has
    one, as all row blocks have.

    Use it for symbols, such as characters, of which each should have a transition of its own: one
    that is unexpected can set the whole state anew. A quarter more weights than the LSTM, and a
    second product that waits for the first.
    """
    m = m_x * m_h
    i, f, g, o = sigmoid(i(m)), sigmoid(f(m)), tanh(g(m)), sigmoid(o(m))
    c = f * c + i * g
    h = o * tanh(c)
    return h, c
