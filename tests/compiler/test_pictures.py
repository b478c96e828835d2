"""What the pages of cells are made of: the picture of the data flow, and the count of the work."""

import re

import pytest

from gatewise.cells import every_cell
from gatewise.compiler import Gate, State, cell, flowchart, operations, step_source, tanh

CELLS = every_cell()
NODE = re.compile(r"^ +(\w+)(?:\(\[|\[|\{\{)\"([^\"]+)\"(?:\]\)|\]|\}\})$")
ARROW = re.compile(r"^ +(\w+) --> (\w+)$")


def parsed(text):
    """Nodes with their text, and arrows; every line is one of them or frames a stage."""
    nodes, arrows = {}, []
    for line in text.splitlines()[1:]:
        if node := NODE.match(line):
            assert node[1] not in nodes
            nodes[node[1]] = node[2]
        elif arrow := ARROW.match(line):
            arrows.append(arrow.groups())
        else:
            assert re.match(r"^ +(subgraph stage_\d+\[\"stage \d+\"\]|end)$", line), line
    return nodes, arrows


@pytest.mark.parametrize("name", CELLS)
def test_everything_in_the_picture_is_connected(name):
    drawn = CELLS[name]
    nodes, arrows = parsed(flowchart(drawn))
    assert set(nodes) == {end for arrow in arrows for end in arrow}
    assert len(set(arrows)) == len(arrows)
    into = {end for _, end in arrows}
    assert {f"new_{state}" for state in drawn.states} <= into
    starts = {n for n in nodes if n == "x" or n.startswith(("old_", "given_"))}
    assert starts == set(nodes) - into
    products = " ".join(text for node, text in nodes.items() if node.startswith("product_"))
    for row in (*drawn.input_rows, *drawn.state_rows):
        assert re.search(rf"\b{drawn.block(row)}\b", products)


def test_the_lstm():
    nodes, arrows = parsed(flowchart(CELLS["lstm"]))
    assert nodes["product_0"] == "W x + U h: i, f, g, o"
    named = {(nodes[a], nodes[b]) for a, b in arrows}
    assert {("c(t-1)", "c(t)"), ("f", "c(t)"), ("o", "h(t)"), ("c(t)", "h(t)")} <= named
    assert ("h(t-1)", "c(t)") not in named


def test_a_product_inside_the_equations():
    nodes, arrows = parsed(flowchart(CELLS["gru_reset_before"]))
    named = {(nodes[a], nodes[b]) for a, b in arrows}
    assert {("r", "r * h"), ("r * h", "U (r * h): n"), ("U (r * h): n", "n")} <= named


def test_operations_are_those_of_the_text():
    assert operations(CELLS["lstm"]) == {"mul": 3, "sigmoid": 3, "tanh": 2, "add": 1}

    @cell
    def twice(a: Gate, h: State):
        return tanh(a) * tanh(a) + h * tanh(a)

    assert operations(twice) == {"mul": 2, "add": 1, "tanh": 1}
    for drawn in CELLS.values():
        text = step_source(drawn)
        for op in ("sigmoid", "tanh", "exp", "floor"):
            assert operations(drawn).get(op, 0) == text.count(f"torch.{op}(")
