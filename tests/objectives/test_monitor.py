"""What it costs not to know what is usual."""

import numpy as np
import pytest
import torch

from gatewise.nn.networks.monitor import Expected
from gatewise.objectives.monitor import MonitorLoss


def expected(error, weight=None, log_sigma=0.0, code=None):
    error = torch.as_tensor(error, dtype=torch.float64)
    weight = torch.ones_like(error) if weight is None else torch.as_tensor(weight).double()
    spread = None if log_sigma is None else torch.full_like(error, log_sigma)
    return Expected(torch.zeros_like(error), spread, error, weight, code)


def test_it_is_the_likelihood_of_a_normal_distribution():
    error = np.array([[0.5, -2.0, 1.0]])
    wanted = np.mean(0.5 * (error / 2) ** 2 + np.log(2))
    loss = MonitorLoss(trim=0)(expected(error, log_sigma=float(np.log(2))), None)
    assert loss.item() == pytest.approx(wanted)


def test_without_a_deviation_it_is_the_absolute_error():
    assert MonitorLoss(trim=0)(expected([[1.0, -3.0]], log_sigma=None), None).item() == 2


def test_what_costs_most_is_left_out():
    error = torch.ones(1000)
    error[7] = 1e6
    assert MonitorLoss(trim=0.01)(expected(error, log_sigma=None), None).item() == 1


def test_what_does_not_count_is_neither_summed_nor_left_out():
    error = torch.ones(1000)
    error[:500] = 1e6
    weight = (torch.arange(1000) >= 500).double()
    error[700] = 1e5
    assert MonitorLoss(trim=0.01)(expected(error, weight, None), None).item() == 1
    assert MonitorLoss()(expected(error, 0 * weight, None), None).item() == 0


def test_codes_cost_what_they_are_away_from_the_standard_normal():
    code = torch.ones(3, 4), torch.zeros(3, 4)
    plain = MonitorLoss(trim=0)(expected([[1.0]], log_sigma=None), None)
    with_code = MonitorLoss(trim=0, code_weight=0.1)(
        expected([[1.0]], log_sigma=None, code=code), None
    )
    assert (with_code - plain).item() == pytest.approx(0.1 * 0.5)
