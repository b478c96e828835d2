"""What the pages of the layers in parallel say."""

from __future__ import annotations

from ...compiler import Cell, FromInput, Hyper, State, cell, flowchart, operations, sigmoid, where
from ..page import Page, rows
from .matrix_lstm import MatrixLSTM
from .minimal import MinGRU, MinLSTM


@cell
def min_lstm(i: FromInput, f: FromInput, g: FromInput, h: State, a: Hyper = 0.5):
    """One step of `MinLSTM`."""
    i, f, g = sigmoid(i), sigmoid(f), where(g < 0, sigmoid(g), g + a)
    h = f / (f + i) * h + i / (f + i) * g
    return h


@cell
def min_gru(z: FromInput, n: FromInput, h: State, a: Hyper = 0.5):
    """One step of `MinGRU`."""
    z, n = sigmoid(z), where(n < 0, sigmoid(n), n + a)
    h = (1 - z) * h + z * n
    return h


def _of_a_scan(step: Cell) -> tuple[str, ...]:
    done = operations(step)
    each = ", ".join(f"{count} {op}" for op, count in done.items())
    return (
        "Time is one matrix product and one scan, linear in the steps: no step waits for the one "
        "before.",
        f"Pointwise operations, per unit and step: {sum(done.values())} ({each}). A stream keeps "
        "one number a unit.",
        f"The constant a is {step.hypers['a']:g}.",
    )


PAGES: dict[str, Page] = {
    "min_lstm": Page(
        MinLSTM,
        "Use it for long sequences, where the time to train counts and what matters can be "
        "collected without following a state from step to step.",
        rows(min_lstm),
        flowchart(min_lstm),
        "I inputs and H units",
        ("HI", "H"),
        {"a layer": lambda n: MinLSTM(n["I"], n["H"])},
        _of_a_scan(min_lstm),
    ),
    "min_gru": Page(
        MinGRU,
        "Use it as `MinLSTM`, with a third fewer weights; one gate says both what is kept and "
        "what is added.",
        rows(min_gru),
        flowchart(min_gru),
        "I inputs and H units",
        ("HI", "H"),
        {"a layer": lambda n: MinGRU(n["I"], n["H"])},
        _of_a_scan(min_gru),
    ),
    "matrix_lstm": Page(
        MatrixLSTM,
        "Use it where many things have to be stored and found again by a key, as in long texts, "
        "and where training has to run in parallel over time.",
        r"""
        q_{t} &= W_{q} x_{t} + b_{q} \\
        k_{t} &= \frac{1}{\sqrt{H}} (W_{k} x_{t} + b_{k}) \\
        v_{t} &= W_{v} x_{t} + b_{v} \\
        m_{t} &= \max(\log\sigma(W_{f} x_{t} + b_{f}) + m_{t-1}, W_{i} x_{t} + b_{i}) \\
        f_{t} &= \exp(\log\sigma(W_{f} x_{t} + b_{f}) + m_{t-1} - m_{t}) \\
        i_{t} &= \exp(W_{i} x_{t} + b_{i} - m_{t}) \\
        C_{t} &= f_{t} C_{t-1} + i_{t} k_{t} v_{t}^{\top} \\
        n_{t} &= f_{t} n_{t-1} + i_{t} k_{t} \\
        y_{t} &= \frac{C_{t}^{\top} q_{t}}
            {\max(\lvert n_{t}^{\top} q_{t} \rvert, \exp(-m_{t}))} \\
        h_{t} &= \sigma(W_{o} x_{t} + b_{o}) \odot \operatorname{norm}(y_{t})
        """,
        """
        flowchart LR
            x(["x(t)"])
            old(["C, n, m (t-1)"])
            product{{"W x: q, k, v, o, i, f"}}
            level["m, i, f"]
            new(["C, n, m (t)"])
            read["y"]
            norm["norm of each head"]
            h(["h(t)"])
            x --> product
            product --> level
            old --> level
            level --> new
            old --> new
            product -- "k, v" --> new
            new --> read
            product -- q --> read
            read --> norm
            norm --> h
            product -- o --> h
        """,
        "I inputs and N heads of H units",
        ("HNI", "NI", "HN", "N"),
        {"a layer": lambda n: MatrixLSTM(n["I"], n["H"] * n["N"], num_heads=n["N"])},
        (
            "A stream keeps $N(H^2 + H + 1)$ numbers for a sequence, however long it is.",
            "T steps take, for each head, $O(TLH + TH^2)$ in chunks of L steps and a scan over the "
            'chunks with `form="chunkwise"`, $O(T^2H)$ with `"parallel"`, and $O(TH^2)$ one after '
            'another with `"recurrent"`. All three give the same numbers.',
        ),
    ),
}
"""By file name without its ending."""
