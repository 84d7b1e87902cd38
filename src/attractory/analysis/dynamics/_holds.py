"""How long a network's states keep their meaning in silence: watched, and proved for ever."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attractory._cores import spread
from attractory.analysis.dynamics._blocks import Blocks
from attractory.analysis.dynamics._fixed_points import FixedPoints
from attractory.analysis.dynamics._invariant import Ellipsoid
from attractory.analysis.dynamics._rounding import EPS
from attractory.analysis.dynamics._step import NetworkStep, RateStep
from attractory.analysis.dynamics._trajectory_enclosure import entry, readout_error
from attractory.tasks import Machine

CHUNK = 200  # steps that are simulated at a time; each of them is looked at
ROWS = 8  # states that a thread watches at a time
WAY = 20_000  # time constants within which a way has to come into its region


@dataclass(frozen=True)
class Held:
    """steps (state,): after so many steps of silence a state was seen to mean another (0: from the
    start), or the end of the watch was reached without that; lost (state,): which of the two."""

    steps: np.ndarray
    lost: np.ndarray


def regions_of_meaning(
    points: FixedPoints, machine: Machine, ends: np.ndarray
) -> list[Ellipsoid | None]:
    """For each state of the machine an ellipsoid that nothing leaves in silence and all of which
    means that state, proved; None where there is none around the point that it ends in.

    ends (state,): the index of that fixed point, or another number where it is none.
    """
    step = points.step
    if not isinstance(step, RateStep):
        return [None] * len(ends)
    numbers = sorted({number for number in ends.tolist() if 0 <= number < len(points)})
    spread(points.regions.__getitem__, numbers)
    regions: list[Ellipsoid | None] = []
    for q, number in enumerate(ends.tolist()):
        region = points.regions[number] if 0 <= number < len(points) else None
        if region is not None:
            error = readout_error(step, region.state)
            room = _room(machine, step.outputs(region.state), error, q)
            region = region.with_margin(room) if room > 0 else None
        regions.append(region)
    return regions


def proved_entries(
    step: NetworkStep,
    machine: Machine,
    centers: np.ndarray,
    regions: list[Ellipsoid | None],
) -> np.ndarray:
    """Which centers (state, unit) are proved to keep their meaning for ever, (state,): the true way
    from the center comes into its region and keeps its meaning at every step up to there."""

    def proved(q: int) -> bool:
        region = regions[q]
        if region is None or not isinstance(step, RateStep):
            return False

        def keeps(outputs: np.ndarray, errors: np.ndarray) -> bool:
            return _room(machine, outputs, errors, q) > 0

        return entry(step, region, centers[q], keeps, round(WAY / step.leak)) is not None

    return np.array(spread(proved, range(len(centers))), bool)


def _room(machine: Machine, outputs: np.ndarray, errors: np.ndarray, q: int) -> float:
    """How far each output may still be from `outputs`, which are known within `errors` (output,),
    and mean the state q: not above 0 where they may mean another."""
    if machine.decoded(outputs) != q:  # also where two states ask for the same
        return -np.inf
    # a margin changes at most as much as a channel of the read-out does
    margin = float(machine.margins(outputs, np.array(q)))
    largest = max(float(np.abs(outputs).max()), float(np.abs(machine.outputs).max()))
    return margin - float(np.max(errors)) - 8 * EPS * largest


def watched(
    blocks: Blocks,
    centers: np.ndarray,
    limit: int,
    rng: np.random.Generator | None,
    *,
    regions: list[Ellipsoid | None] | None = None,
    skipped: np.ndarray | None = None,
) -> Held:
    """Watch each centre (state, unit) in silence, step by step, for `limit` steps, in float64.

    With the task's noise given rng. Without noise the watch ends before for what can be seen to go
    on as it is: a state that has come into its region, all of which means the same and which
    nothing leaves, or one that its step maps onto itself, bit by bit. skipped (state,): those
    that need no watch.
    """
    machine, count = blocks.machine, len(centers)
    meaning = machine.decoded(blocks.outputs(centers))
    lost = meaning != np.arange(count)
    steps = np.where(lost, 0.0, float(limit))
    rows = np.flatnonzero(~lost if skipped is None else ~lost & ~skipped)
    parts = np.array_split(rows, max(1, len(rows) // ROWS)) if len(rows) else []
    seeds = [None] * len(parts) if rng is None else rng.spawn(len(parts))

    def watch(job: tuple[np.ndarray, np.random.Generator | None]) -> None:
        going, noise = job
        states = centers[going]
        for t in range(0, limit, CHUNK):
            with np.errstate(all="ignore"):  # states may run away: they mean nothing then
                after, outputs = blocks.wait(states, min(CHUNK, limit - t), noise)
            wrong = machine.decoded(outputs) != going
            fallen = wrong.any(axis=0)
            lost[going[fallen]] = True
            steps[going[fallen]] = t + 1 + wrong.argmax(axis=0)[fallen]
            left = ~fallen
            if noise is None:
                left &= ~_at_rest(blocks, going, after, regions)
            states, going = after[left], going[left]
            if not len(going):
                return

    spread(watch, zip(parts, seeds, strict=True))
    return Held(steps, lost)


def _at_rest(
    blocks: Blocks, going: np.ndarray, states: np.ndarray, regions: list[Ellipsoid | None] | None
) -> np.ndarray:
    """Which states (row, unit), of the machine's states `going`, are seen to go on as they are."""
    rest = np.zeros(len(going), bool)
    for row, q in enumerate(going.tolist()):
        region = None if regions is None else regions[q]
        rest[row] = region is not None and region.holds(states[row])
    with np.errstate(all="ignore"):
        return rest | (blocks.step(states) == states).all(axis=1)
