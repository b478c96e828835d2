"""What every cell owes with every connectivity on every engine: the paper's values and slopes."""

import numpy as np
import pytest
import torch

from ..engines.cpu.calls import assert_near, uneven
from .layers import (
    CONNECTIVITIES,
    EXAMPLES,
    PAIRS,
    able,
    answer,
    by_the_paper,
    classes,
    given_to,
    layer_of,
)


def test_every_class_has_an_example():
    assert classes().keys() == EXAMPLES.keys()
    for name, examples in EXAMPLES.items():
        assert all(type(example) is classes()[name] for example in examples)
    assert {kind for _, kind in PAIRS} == CONNECTIVITIES.keys()


def slope(cell, layer, given, along):
    """How fast the loss of the paper's values grows along a direction, by central differences."""
    wrt, losses = [*given.leaves, *layer.parameters()], []
    for step in (1e-6, -2e-6):
        with torch.no_grad():
            for leaf, direction in zip(wrt, along, strict=True):
                leaf.add_(step * direction)
        losses.append(uneven([torch.from_numpy(t) for t in by_the_paper(cell, layer, given)]))
    return float(losses[0] - losses[1]) / 2e-6


@pytest.mark.parametrize(("cell", "kind"), PAIRS)
def test_values_and_gradients(cell, kind):
    single = layer_of(cell, kind)
    given = given_to(single)
    usual = answer(single, given, "reference")
    layer, exact = layer_of(cell, kind, torch.float64), given.to(torch.float64)
    want = [torch.from_numpy(t) for t in by_the_paper(cell, layer, exact)]
    _, slopes = answer(layer, exact, "reference")
    for engine in able(layer, exact):
        outputs, found = answer(layer, exact, engine)
        assert_near(outputs, want, 1e-12)
        assert_near(found, slopes, 1e-12)
    for engine in able(single, given):
        outputs, found = answer(single, given, engine)
        assert_near(outputs, want, 2e-6, lambda: usual[0])
        assert_near(found, slopes, 1e-5, lambda: usual[1])
    draw = torch.Generator().manual_seed(5)
    along = [torch.randn(t.shape, generator=draw, dtype=t.dtype) for t in slopes]
    total = sum(float((a * g).sum()) for a, g in zip(along, slopes, strict=True))
    np.testing.assert_allclose(total, slope(cell, layer, exact, along), rtol=1e-6)
