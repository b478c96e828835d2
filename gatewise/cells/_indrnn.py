"""The recurrent network of independent units."""

from ..compiler import FromInput, State, Weight, cell, relu


@cell
def indrnn(a: FromInput, h: State, u: Weight = 1.0):
    """Independently recurrent network (IndRNN): rectified units that see only themselves.

    Li et al., Independently Recurrent Neural Network (IndRNN): Building a Longer and Deeper RNN,
    2018 (https://arxiv.org/abs/1803.04831). u starts from 1, which keeps; over T steps the paper
    holds its magnitude below 2^(1/T), here nothing does.

    Use it in deep stacks and over long sequences: a step has no recurrent matrix, and what a unit
    remembers can be read off it alone. Only the layers above mix units.
    """
    h = relu(a + u * h)
    return h
