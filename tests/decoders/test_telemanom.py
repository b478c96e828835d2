"""The dynamic threshold, against a second transcription from the paper."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.decoders.telemanom import best_epsilon, dynamic_threshold, prune, runs


def groups_of(places):
    found = []
    for place in places:
        if found and place == found[-1][-1] + 1:
            found[-1].append(place)
        else:
            found.append([place])
    return found


def anomalies(errors, buffer, share=0.13):
    """Section 3.2 and 3.3, step by step: places that stay anomalous."""
    mean, deviation = np.mean(errors), np.std(errors)
    best, chosen = None, None
    for z in np.arange(2.5, 12, 0.5):
        epsilon = mean + z * deviation
        above = {i for i, e in enumerate(errors) if e > epsilon}
        if not above:
            continue
        wide = {j for i in above for j in range(i - buffer, i + buffer + 1)}
        places = sorted(j for j in wide if 0 <= j < len(errors))
        groups = groups_of(places)
        rest = [e for i, e in enumerate(errors) if i not in above]
        gain = (mean - np.mean(rest)) / mean + (deviation - np.std(rest)) / deviation
        value = gain / (len(groups) ** 2 + len(places))
        if len(groups) <= 5 and len(places) < len(errors) / 2 and (best is None or value >= best):
            best, chosen = value, (epsilon, groups)
    if chosen is None:
        return None, []
    epsilon, groups = chosen
    inside = {i for g in groups for i in g}
    outside = max((e for i, e in enumerate(errors) if i not in inside), default=0.0)
    tops = sorted(((max(errors[i] for i in g), g) for g in groups), key=lambda t: -t[0])
    keep = 0
    for place, (top, _) in enumerate(tops):
        below = tops[place + 1][0] if place + 1 < len(tops) else outside
        if (top - below) / top >= share:
            keep = place + 1
    return epsilon, [g for _, g in tops[:keep]]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), peaks=st.integers(0, 6), buffer=st.integers(0, 3))
def test_the_threshold_parts_what_the_paper_calls_anomalous(seed, peaks, buffer):
    random = np.random.default_rng(seed)
    errors = np.abs(random.normal(1, 0.2, size=300))
    for _ in range(peaks):
        at = int(random.integers(0, 295))
        errors[at : at + int(random.integers(1, 5))] *= random.uniform(1.5, 8)
    epsilon, kept = anomalies(errors.tolist(), buffer)
    found = best_epsilon(errors, buffer)
    assert found == (None if epsilon is None else pytest.approx(epsilon))
    threshold = dynamic_threshold(errors, buffer)
    wanted = {i for group in kept for i in group if errors[i] > epsilon}
    above = set(np.flatnonzero(errors > threshold).tolist())
    # A threshold cannot keep the low part of a run whose peak stands out; it keeps the peak.
    assert above <= wanted
    tops = [max(group, key=lambda i: errors[i]) for group in kept]
    assert set(tops) <= above


def test_what_never_moves_has_no_threshold_below_it():
    assert dynamic_threshold(np.ones(100)) == 1.0


def test_runs_are_widened_and_joined():
    above = np.array([0, 1, 0, 0, 1, 0, 0, 0, 0], bool)
    assert runs(above) == [(1, 2), (4, 5)]
    assert runs(above, buffer=1) == [(0, 6)]


def test_pruning_keeps_down_to_the_last_step_of_the_ladder():
    assert prune(np.array([10.0, 9.9, 5.0, 4.9]), rest=4.8).tolist() == [True, True, False, False]
    assert not prune(np.array([1.05, 1.02]), rest=1.0).any()
