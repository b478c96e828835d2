from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from gatewise.train.schedule import FLOOR, factor


def test_cosine_is_torchs():
    total, rise = 40, 8
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, total - rise, eta_min=FLOOR)
    for step in range(rise, total):
        assert factor("cosine", step, total, rise / total) == pytest.approx(
            optimizer.param_groups[0]["lr"], abs=1e-9
        )
        optimizer.step()
        cosine.step()


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
def test_the_rate_rises_to_its_peak_and_never_rises_again(schedule):
    rates = [factor(schedule, step, 50, 0.1) for step in range(50)]
    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert all(a >= b for a, b in pairwise(rates[4:]))
    assert all(0 < rate <= 1 for rate in rates)


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
def test_a_single_step_is_taken_at_the_peak(schedule):
    assert factor(schedule, 0, 1, 0.05) == 1.0


def test_an_unknown_schedule_is_refused():
    with pytest.raises(ValueError, match="cosine, linear, slanted or constant"):
        factor("step", 5, 10, 0.0)
