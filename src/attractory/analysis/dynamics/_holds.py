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
    points: FixedPoints,
    machine: Machine,
    ends: np.ndarray,
) -> list[Ellipsoid | None]:
    """For each state of the machine an ellipsoid that nothing leaves in silence and all of which
    means that state, proved; None where there is none around the point that it ends in.

    ends (state,): the index of that fixed point, or another number where it is none.
    """
    step = points.step
    if not isinstance(step, RateStep):
        return [None] * len(ends)
    numbers = {number for number in ends.tolist() if 0 <= number < len(points)}
    spread(points.regions.__getitem__, sorted(numbers))
    regions: list[Ellipsoid | None] = []
    for q, number in enumerate(ends.tolist()):
        region = points.regions[number] if number in numbers else None
        if region is not None:
            region = _of_one_meaning(region, step, machine, q)
        regions.append(region)
    return regions


def _of_one_meaning(
    region: Ellipsoid,
    step: RateStep,
    machine: Machine,
    q: int,
) -> Ellipsoid | None:
    """The part of a region all of which means the state q; None where its centre may not."""
    outputs = step.outputs(region.state)
    error = readout_error(step, region.state)
    room = _room(machine, outputs, error, q)
    if not room > 0:
        return None
    return region.with_margin(room)


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

        def keeps(
            outputs: np.ndarray,
            errors: np.ndarray,
        ) -> bool:
            return _room(machine, outputs, errors, q) > 0

        limit = round(WAY / step.leak)
        entered = entry(
            step,
            region,
            centers[q],
            keeps,
            limit,
        )
        return entered is not None

    numbers = range(len(centers))
    return np.array(spread(proved, numbers), bool)


def _room(
    machine: Machine,
    outputs: np.ndarray,
    errors: np.ndarray,
    q: int,
) -> float:
    """How far each output may still be from `outputs`, which are known within `errors` (output,),
    and mean the state q: not above 0 where they may mean another."""
    if machine.decoded(outputs) != q:  # also where two states ask for the same
        return -np.inf
    # a margin changes at most as much as a channel of the read-out does
    margin = float(machine.margins(outputs, np.array(q)))
    error = float(np.max(errors))
    largest_output = float(np.abs(outputs).max())
    largest_level = float(np.abs(machine.outputs).max())
    largest = max(largest_output, largest_level)
    return margin - error - 8 * EPS * largest


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
    meaning = blocks.machine.decoded(blocks.outputs(centers))
    lost = meaning != np.arange(len(centers))
    steps = np.where(
        lost,
        0.0,
        float(limit),
    )
    watched_ones = ~lost
    if skipped is not None:
        watched_ones = watched_ones & ~skipped
    rows = np.flatnonzero(watched_ones)
    parts = []
    if len(rows):
        parts = np.array_split(rows, max(1, len(rows) // ROWS))
    seeds = [None] * len(parts) if rng is None else rng.spawn(len(parts))
    held = Held(steps, lost)

    def watch(job: tuple[np.ndarray, np.random.Generator | None]) -> None:
        going, noise = job
        _watch(
            blocks,
            centers[going],
            going,
            limit,
            noise,
            regions=regions,
            held=held,
        )

    spread(watch, zip(parts, seeds, strict=True))
    return held


def _watch(
    blocks: Blocks,
    states: np.ndarray,
    going: np.ndarray,
    limit: int,
    noise: np.random.Generator | None,
    *,
    regions: list[Ellipsoid | None] | None,
    held: Held,
) -> None:
    """Watch states (row, unit), of the machine's states `going`, and note in `held` when each is
    lost."""
    for t in range(0, limit, CHUNK):
        steps = min(CHUNK, limit - t)
        with np.errstate(all="ignore"):  # states may run away: they mean nothing then
            after, outputs = blocks.wait(states, steps, noise)
        wrong = blocks.machine.decoded(outputs) != going
        fallen = wrong.any(axis=0)
        first_wrong = wrong.argmax(axis=0)
        numbers = going[fallen]
        held.lost[numbers] = True
        held.steps[numbers] = t + 1 + first_wrong[fallen]
        left = ~fallen
        if noise is None:
            left &= ~_at_rest(blocks, going, after, regions)
        states = after[left]
        going = going[left]
        if not len(going):
            return


def _at_rest(
    blocks: Blocks,
    going: np.ndarray,
    states: np.ndarray,
    regions: list[Ellipsoid | None] | None,
) -> np.ndarray:
    """Which states (row, unit), of the machine's states `going`, are seen to go on as they are."""
    inside = np.zeros(len(going), bool)
    for row, q in enumerate(going.tolist()):
        region = None if regions is None else regions[q]
        if region is not None:
            inside[row] = region.holds(states[row])
    with np.errstate(all="ignore"):
        following = blocks.step(states)
        unmoved = (following == states).all(axis=1)
    return inside | unmoved
