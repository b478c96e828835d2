"""Ours against peers on the same work: checked first, then timed in turns, a row a peer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from .correctness import PEERS_TOLERANCE, TOLERANCE, worst_error, wrong
from .models import Trial
from .timing import Times, take_turns

OURS = "gatewise"


def contest(
    case: Mapping[str, object],
    trials: Mapping[str, Trial],
    expected: Mapping[str, Tensor],
    budget: float,
    *,
    tolerances: Mapping[str, float] | None = None,
    own_pools: bool = False,
    ours: Sequence[str] = (OURS,),
) -> tuple[list[dict[str, object]], Times]:
    """Check and time.

    Args:
        case: What the rows are about: their first columns.
        trials: Ours, and at least one peer.
        expected: In float64; may hold more than the trials answer.
        budget: As in `take_turns`.
        tolerances: Of trials that may be further off than usual.
        own_pools: As in `take_turns`.
        ours: Which trials are ours; where they are several, a column says which one it is.

    Returns:
        A row for each of ours and each peer, and the times. A ratio is the peer's time over ours.
    """
    found, said = {}, []
    for name, trial in trials.items():
        answer = trial.answer()
        found[name], _ = worst_error(answer, expected)
        usual = TOLERANCE if name in ours else PEERS_TOLERANCE
        allowed = (tolerances or {}).get(name, usual)
        said.append(wrong(name, answer, expected, allowed))
        del answer
    times = take_turns(trials, budget, own_pools=own_pools)
    sentence = "; ".join(filter(None, said))
    rows = [
        {
            **case,
            **({"ours": mine} if len(ours) > 1 else {}),
            "peer": name,
            "ms": times.median(mine) * 1e3,
            "peer_ms": times.median(name) * 1e3,
            "ratio": times.ratio(name, mine),
            "ratio_of_minima": times.ratio_of_minima(name, mine),
            "rounds": times.rounds,
            "error": found[mine],
            "peer_error": found[name],
            **({"wrong": sentence} if sentence else {}),
        }
        for mine in ours
        for name in trials
        if name not in ours
    ]
    return rows, times
