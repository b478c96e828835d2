"""Runs a cell's emitted torch text over a few steps, with weights by row block."""

import numpy as np
import torch

from gatewise.compiler import step_source

BATCH, INPUT, HIDDEN, STEPS = 2, 2, 3, 3


def load(source):
    """Run emitted text and give its functions by name."""
    namespace = {}
    exec(compile(source, "emitted", "exec"), namespace)
    return namespace


def random_case(cell, seed=0):
    """Draw inputs, first states and weights for a cell, as float64 arrays by name."""
    draw = np.random.default_rng(seed).normal
    rows = dict.fromkeys((*cell.input_rows, *cell.state_rows))
    case = {("x", t): draw(size=(BATCH, INPUT)) for t in range(STEPS)}
    case |= {("old", s): draw(size=(BATCH, HIDDEN)) for s in cell.states}
    case |= {("W", r): draw(size=(HIDDEN, INPUT)) for r in cell.input_rows}
    case |= {("U", r): draw(size=(HIDDEN, HIDDEN)) for r in cell.state_rows}
    case |= {("b", r): draw(size=HIDDEN) for r in rows}
    case |= {("p", w): draw(size=HIDDEN) for w in cell.weights}
    case |= {("p", given): abs(draw(size=HIDDEN)) for given in cell.noises}
    return case


def part(case, kind):
    return {name: value for (k, name), value in case.items() if k == kind}


def run_oracle(oracle, cell, case):
    """Step the NumPy transcription; give all states of all steps, stacked."""
    state, seen = tuple(part(case, "old").values()), []
    for x in part(case, "x").values():
        state = oracle(x, state, *(part(case, kind) for kind in "WUbp"))
        seen += state
    return np.stack(seen)


def run_cell(cell, case):
    """Step the emitted text; the case holds tensors."""
    functions = load(step_source(cell))
    state, seen = tuple(part(case, "old").values()), []
    W, U, b = (part(case, kind) for kind in "WUb")
    for x in part(case, "x").values():
        values = dict(zip(cell.states, state, strict=True)) | part(case, "p")
        for row in cell.input_rows:
            values[row] = x @ W[row].T + b[row]
        for row in cell.state_rows:
            plain = state[0] @ U[row].T
            values[row] = values[row] + plain if row in cell.input_rows else plain + b[row]
        for k, stage in enumerate(cell.stages):
            given = functions[f"stage_{k}"](*(values[name] for name in stage.reads))
            values |= dict(zip(stage.names, given, strict=True))
            for row, operand in stage.products:
                values[row] = values[operand] @ U[row].T + b[row]
        state = tuple(values[s] for s in cell.states)
        seen += state
    return torch.stack(seen)
