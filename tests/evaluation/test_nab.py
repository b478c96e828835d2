"""NAB's score: by hand, by its published formula in plain loops, and by figures it published."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.datasets import nab as nab_series
from gatewise.errors import InputError
from gatewise.evaluation.anomaly_baselines import WindowedGaussian
from gatewise.evaluation.nab import PROFILES, Scored, nab_score, probation, worth

# results/windowedGaussian/windowedGaussian_standard_scores.csv of numenta/NAB, threshold 1.0:
# sum of what each series' alarms are worth, windows that are found, steps of false alarms
PUBLISHED = {
    "realTraffic/speed_t4013": (1.76631783122, 0),
    "realTraffic/occupancy_t4013": (1.72522152023, 0),
    "realTraffic/TravelTime_387": (-1.79598133079, 6),
    "realTraffic/TravelTime_451": (-1.0, 0),
    "realTraffic/speed_6005": (0.832538201468, 0),
    "realTraffic/occupancy_6005": (-1.0, 0),
    "realTraffic/speed_7578": (3.47059145681, 1),
    "realKnownCause/rogue_agent_key_updown": (-1.3964908955, 8),
    "realKnownCause/ec2_request_latency_system_failure": (2.02150685678, 0),
    "realKnownCause/rogue_agent_key_hold": (-2.44, 4),
    "realKnownCause/nyc_taxi": (-5.0, 0),
    "realKnownCause/cpu_utilization_asg_misconfiguration": (-1.11, 1),
    "realKnownCause/ambient_temperature_system_failure": (-2.0, 0),
    "realKnownCause/machine_temperature_system_failure": (-4.0, 0),
}


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def plain(series, threshold, costs):
    """The paper's equations 1 and 2, one alarm at a time, of one series."""
    steps = len(series.scores)
    start = min(math.floor(0.15 * steps), 0.15 * 5000)
    total, counted = 0.0, 0
    for first, last in series.windows:
        inside = [i for i in range(first, last + 1) if i >= start]
        counted += bool(inside)
        hits = [i for i in inside if series.scores[i] >= threshold]
        if hits:
            width = last - first + 1
            place = -(last - min(hits) + 1) / width
            total += costs.hit * (2 * sigmoid(-5 * place) - 1) / (2 * sigmoid(5) - 1)
        elif inside:
            total -= costs.miss
    for i in range(steps):
        in_window = any(first <= i <= last for first, last in series.windows)
        if i < start or in_window or series.scores[i] < threshold:
            continue
        before = [(first, last) for first, last in series.windows if last < i]
        if not before:
            total -= costs.false
            continue
        first, last = before[-1]
        place = (i - last) / (last - first) if last > first else math.inf
        total += costs.false * (-1 if place > 3 else 2 * sigmoid(-5 * place) - 1)
    return total, counted


@st.composite
def corpora(draw):
    found = []
    for _ in range(draw(st.integers(1, 3))):
        steps = draw(st.integers(8, 60))
        seed = draw(st.integers(0, 10**6))
        count = draw(st.integers(0, 2))
        edges = sorted(draw(st.sets(st.integers(0, steps - 1), min_size=2 * count, max_size=60)))
        windows = [(edges[2 * k], edges[2 * k + 1]) for k in range(count)]
        scores = np.random.default_rng(seed).integers(0, 8, steps)
        found.append(Scored(scores, windows))
    return found


@settings(max_examples=80, deadline=None)
@given(corpora(), st.sampled_from(list(PROFILES)))
def test_every_threshold_by_the_formula(series, profile):
    windows = sum(len(s.windows) for s in series)
    if not windows:
        return
    costs = PROFILES[profile]
    perfect = costs.hit * windows
    each = {}
    for threshold in [math.inf, *range(8)]:
        parts = [plain(s, threshold, costs) for s in series]
        raw, null = sum(p[0] for p in parts), -costs.miss * sum(p[1] for p in parts)
        each[threshold] = 100 * (raw - null) / (perfect - null)
        found = nab_score(series, profile, threshold=threshold)
        assert found.score == pytest.approx(each[threshold])
        assert found.raw == pytest.approx(raw)
    assert nab_score(series, profile).score == pytest.approx(max(each.values()))


def test_null_is_0_and_perfect_is_100():
    silent = Scored(np.zeros(100), [(40, 59)])
    ideal = Scored(np.arange(100) == 40, [(40, 59)])
    for profile in PROFILES:
        assert nab_score([silent], profile, threshold=0.5).score == 0
        assert nab_score([silent], profile, threshold=0.5).missed == 1
        assert nab_score([ideal], profile).score == 100


def test_by_hand():
    # Width 20, alarm in the middle: 2 sigmoid(2.5) - 1 = 0.848283640 over 0.986614298.
    middle = Scored(np.arange(100) == 50, [(40, 59)])
    value = 0.8482836399575129 / 0.9866142981514305
    assert nab_score([middle]).raw == pytest.approx(value)
    assert nab_score([middle]).score == pytest.approx(100 * (value + 1) / 2)
    # A false alarm 19 steps behind the window: one width less one step, -0.11 * 0.986614298.
    behind = Scored(np.isin(np.arange(100), (40, 78)), [(40, 59)])
    assert nab_score([behind], threshold=1).raw == pytest.approx(1 - 0.11 * 0.9866142981514305)
    # Far before any window: -0.11; in the probationary part: nothing.
    before = Scored(np.isin(np.arange(100), (10, 20, 40)), [(40, 59)])
    assert nab_score([before], threshold=1).raw == pytest.approx(1 - 0.11)
    assert nab_score([before], threshold=1).false == 1
    assert nab_score([before], "low_fp", threshold=1).raw == pytest.approx(1 - 0.22)
    assert nab_score([Scored(np.zeros(100), [(40, 59)])], "low_fn", threshold=1).raw == -2


def test_sigmoid_by_the_figures_of_the_paper():
    np.testing.assert_allclose(worth([-1, -0.5, 0, 1]), [0.98661, 0.84828, 0, -0.98661], atol=1e-5)
    assert worth(3.01) == -1


def test_windowed_gaussian_has_the_figures_that_nab_published(data_dir):
    if not (data_dir / "nab").is_dir():
        pytest.skip("no nab in the data folder: set GATEWISE_DATA (see README, Data)")
    for series in nab_series(data_dir):
        # The scores in NAB's files have twelve digits.
        scored = Scored(WindowedGaussian().score(series.values).round(12), series.windows)
        found = nab_score([scored], threshold=1.0)
        raw, false = PUBLISHED[series.name]
        assert found.raw == pytest.approx(raw, abs=1e-9), series.name
        assert found.false == false, series.name


def test_random_scores_are_worth_little(data_dir):
    """Published over all 58 series: 11.0 in the README, 16.8 in its last results."""
    if not (data_dir / "nab").is_dir():
        pytest.skip("no nab in the data folder: set GATEWISE_DATA (see README, Data)")
    series = nab_series(data_dir)

    def run(seed):
        rng = np.random.default_rng(seed)
        return nab_score([Scored(rng.random(len(s.values)), s.windows) for s in series]).score

    assert 5 < np.mean([run(seed) for seed in range(8)]) < 20


def test_probation():
    assert [probation(n) for n in (100, 5000, 22695)] == [15, 750, 750]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nab_score([Scored([0.0, 1.0])]), "no series has a labelled window"),
        (lambda: nab_score([Scored([0.0, 1.0], [(0, 1)])], "best"), "profile is 'best'"),
        (lambda: Scored([0.0, 1.0], [(0, 2)]), "within the 2 steps"),
        (lambda: Scored([0.0, 1.0, 2.0], [(1, 2), (0, 1)]), "windows are"),
        (lambda: Scored([]), "not empty"),
    ],
)
def test_wrong_input(call, message):
    with pytest.raises(InputError, match=message):
        call()
