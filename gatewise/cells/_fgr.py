"""Long short-term memory whose gates see each other."""

from ..compiler import FromState, Gate, State, Weight, cell, sigmoid, tanh


@cell(bias={"f": 1.0})
def fgr(
    i: Gate, f: Gate, g: Gate, o: Gate,
    i_i: FromState, i_f: FromState, i_o: FromState,
    f_i: FromState, f_f: FromState, f_o: FromState,
    o_i: FromState, o_f: FromState, o_o: FromState,
    h: State, c: State, s_i: State, s_f: State, s_o: State,
    p_i: Weight, p_f: Weight, p_o: Weight,
):  # fmt: skip
    """LSTM with peepholes and full gate recurrence: each gate sees all gates of the last step.

    Greff et al., LSTM: A Search Space Odyssey, 2017 (https://arxiv.org/abs/1503.04069), variant
    FGR of the peephole LSTM, as in the LSTM of 1997; nine recurrent matrices more. The gates of
    the last step are states and start from 0.

    Use it as one of the paper's eight variants (`GREFF`), to see whether gates gain from each
    other; the paper found that they do not, at more than three times the recurrent weights.
    """
    i = sigmoid(i + i_i(s_i) + i_f(s_f) + i_o(s_o) + p_i * c)
    f = sigmoid(f + f_i(s_i) + f_f(s_f) + f_o(s_o) + p_f * c)
    c = f * c + i * tanh(g)
    o = sigmoid(o + o_i(s_i) + o_f(s_f) + o_o(s_o) + p_o * c)
    h = o * tanh(c)
    return h, c, i, f, o
