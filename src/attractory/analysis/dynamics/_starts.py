"""Where a search for fixed points starts from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from attractory._errors import InvalidSetting, shown
from attractory.analysis.dynamics._step import CurrentStep, ModelStep, RateStep, Step
from attractory.models import Network
from attractory.tasks import Task, Trials

TRIALS = 48  # trajectories
LENGTH = 160  # of a trajectory, in time constants
SETTLING = 200  # for so many it settles then
PULSE = 20  # length of a random pulse, in time constants
SNAPSHOTS = 60  # states kept of each part of a trajectory
TAME = 1e6  # a larger state has run away

Source = Callable[[int, np.random.Generator], np.ndarray]  # of so many starts (start, unit)


class Starts:
    """Starting states from several sources; each call draws new ones.

    pool (state, unit): states that the network comes through; settled (state, unit): where it goes
    from there when it is left alone. Found points are added as the search goes on.
    """

    def __init__(
        self,
        step: Step,
        pool: np.ndarray,
        settled: np.ndarray,
    ) -> None:
        self.step = step
        self.pool = pool
        self.settled = settled
        largest = float(np.abs(pool).max())
        least_spread = 1e-3 * max(1.0, largest)
        self.spread = np.maximum(pool.std(axis=0), least_spread)
        self.found = np.empty((0, step.units))
        self.rarity = np.empty(0)

    def first(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """`n` starts that need no found point."""
        shares = [
            (0.25, self._passed),
            (0.1, self._settled),
            (0.15, self._noisy),
            (0.25, self._midpoints),
            (0.1, self._scaled),
            (0.05, self._random),
            (0.1, self._anywhere),
        ]
        return _mixture(n, rng, shares)

    def next(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """`n` starts from around and between the points found, those found rarely more often."""
        if not len(self.found):
            return self.first(n, rng)
        shares = [
            (0.3, self._between),
            (0.2, self._near),
            (0.2, self._departing),
            (0.3, self.first),
        ]
        return _mixture(n, rng, shares)

    def learn(
        self,
        found: np.ndarray,
        hits: np.ndarray,
    ) -> None:
        """Points found so far (point, unit) and how many starts led to each."""
        self.found = found
        if not len(hits):
            self.rarity = hits
            return
        rarity = 1.0 / np.maximum(hits, 1)
        self.rarity = rarity / rarity.sum()

    def _passed(self, n: int, rng: np.random.Generator) -> np.ndarray:
        return self.pool[rng.integers(len(self.pool), size=n)]

    def _settled(self, n: int, rng: np.random.Generator) -> np.ndarray:
        return self.settled[rng.integers(len(self.settled), size=n)]

    def _noisy(self, n: int, rng: np.random.Generator) -> np.ndarray:
        size = rng.uniform(
            0.1,
            1.0,
            (n, 1),
        )
        passed = self._passed(n, rng)
        noise = rng.normal(size=(n, self.step.units))
        return passed + size * self.spread * noise

    def _midpoints(self, n: int, rng: np.random.Generator) -> np.ndarray:
        settled = self._settled(n, rng)
        passed = self._passed(n, rng)
        both = np.concatenate([settled, passed])
        chosen = rng.permutation(2 * n)[:n]
        share = rng.choice([0.5, 0.25, 0.75], size=(n, 1))
        return share * self._settled(n, rng) + (1 - share) * both[chosen]

    def _scaled(self, n: int, rng: np.random.Generator) -> np.ndarray:
        factor = rng.uniform(
            0,
            1.2,
            (n, 1),
        )
        return factor * self._passed(n, rng)

    def _random(self, n: int, rng: np.random.Generator) -> np.ndarray:
        size = rng.uniform(
            0,
            2,
            (n, 1),
        )
        noise = rng.normal(size=(n, self.step.units))
        return size * self.spread * noise

    def _anywhere(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """States that no trajectory need come through: each unit saturated or where phi bends.

        On a saddle between memories some units are in the steep part of phi, whatever their bias
        and gain, and others are not.
        """
        if not isinstance(self.step, RateStep):
            return self._random(n, rng)
        shape = (n, self.step.units)
        size = 10.0 ** rng.uniform(-1.5, 1.5, shape)
        sign = rng.choice([-1.0, 1.0], shape)
        return self.step.activation.value(size * sign)

    def _chosen(self, n: int, rng: np.random.Generator) -> np.ndarray:
        which = rng.choice(
            len(self.found),
            size=n,
            p=self.rarity,
        )
        return self.found[which]

    def _between(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Mixtures of two or three found points, a little beyond them too."""
        shares = rng.dirichlet([1.0, 1.0, 1.0], size=n)
        of_two = rng.random(n) < 0.5
        shares[of_two, 2] = 0.0
        shares = shares / shares.sum(1, keepdims=True)
        shares += rng.normal(scale=0.1, size=shares.shape)
        mixed = np.zeros((n, self.step.units))
        for i in range(3):
            share = shares[:, i : i + 1]
            mixed = mixed + share * self._chosen(n, rng)
        return mixed

    def _near(self, n: int, rng: np.random.Generator) -> np.ndarray:
        size = 10.0 ** rng.uniform(-1.5, 0.2, (n, 1))
        chosen = self._chosen(n, rng)
        noise = rng.normal(size=(n, self.step.units))
        return chosen + size * self.spread * noise

    def _departing(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """On the way from a found point, pushed, to wherever the network goes."""
        states = self._chosen(n, rng)
        noise = rng.normal(size=states.shape)
        states = states + 0.05 * self.spread * noise
        leave = rng.integers(5, 150, size=n)
        kept = states.copy()
        for t in range(int(leave.max())):
            states = self.step(states)
            leaving = leave == t + 1
            kept[leaving] = states[leaving]
        return kept


def _mixture(
    n: int,
    rng: np.random.Generator,
    shares: Sequence[tuple[float, Source]],
) -> np.ndarray:
    """`n` starts of several sources, about in these shares."""
    counts = rng.multinomial(n, np.array([share for share, _ in shares]))
    made = []
    for count, (_, source) in zip(counts, shares, strict=True):
        if count:
            made.append(source(int(count), rng))
    return np.concatenate(made)


def network_starts(
    step: RateStep | ModelStep,
    task: Task | Trials | None,
    seed: int,
    rng: np.random.Generator,
    given: np.ndarray | None,
) -> Starts:
    """Starts from a network's trials of a task, or under random pulses on its inputs.

    After a trial the network settles under the constant input of `step`. given (state, unit):
    further states, which settle too.
    """
    drive, _ = inputs_of_trials(step, task, seed, rng)
    states = np.zeros((len(drive), step.units))
    further = _over_the_range(step, rng)
    if given is not None:
        further = np.concatenate([given, further])
    every = max(1, drive.shape[1] // SNAPSHOTS)
    by_time = np.moveaxis(drive, 1, 0)
    passed = []
    for t, inputs in enumerate(by_time):
        states = step.driven(states, inputs)
        if t % every == 0:
            passed.append(states)
    passed.append(further)
    states = np.concatenate([states, further])
    pause = round(SETTLING / step.leak)
    return _settling(step, states, passed, pause)


def inputs_of_trials(
    step: RateStep | CurrentStep | ModelStep,
    task: Task | Trials | None,
    seed: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """The inputs (trial, time, input) of trials of the task, or random pulses, and the number of
    steps (trial,) after which each trial is over: the rest of it is padding."""
    n_inputs = len(step.inputs)
    if task is None:
        steps = max(1, round(LENGTH / step.leak))
        width = max(1, round(PULSE / step.leak))
        pulses = _random_pulses(
            TRIALS,
            steps,
            n_inputs,
            width,
            rng,
        )
        return pulses, np.full(TRIALS, steps)
    trials = task.sample(TRIALS, seed) if isinstance(task, Task) else task.first(TRIALS)
    channels = trials.inputs.shape[-1]
    if channels != n_inputs:
        raise InvalidSetting(f"task has {channels} inputs; the network has {n_inputs}")
    return trials.inputs.astype(np.float64), trials.lengths


def plain_starts(
    step: Step,
    rng: np.random.Generator,
    given: np.ndarray | None,
) -> Starts:
    """Starts for any map: the given states, or random ones, and where the map takes them."""
    states = given
    if states is None:
        states = rng.normal(size=(TRIALS, step.units))
    return _settling(
        step,
        states,
        [states],
        SETTLING,
    )


def _settling(
    step: Step,
    states: np.ndarray,
    passed: list[np.ndarray],
    pause: int,
) -> Starts:
    every = max(1, pause // SNAPSHOTS)
    with np.errstate(all="ignore"):
        for t in range(pause):
            states = step(states)
            if t % every == 0:
                passed.append(states)
    came_through = np.concatenate([*passed, states])
    pool = came_through[tame(came_through)]
    settled = states[tame(states)]
    if not len(settled):
        settled = pool
    return Starts(step, pool, settled)


def _over_the_range(
    step: RateStep | ModelStep,
    rng: np.random.Generator,
) -> np.ndarray:
    """Rates under random drives, weak ones to such as saturate all units, alike and unlike.

    Where the equation has no such drive: random states within ±1, near 0 to in the corners.
    """
    count = TRIALS // 2
    strength = 10.0 ** rng.uniform(-1, 1, (count, 1))
    if isinstance(step, ModelStep):
        noise = rng.normal(size=(count, step.units))
        return np.tanh(strength * noise)
    largest_row = np.abs(step.recurrent).sum(1).max()
    size = strength * largest_row
    common = rng.normal(size=(count, 1))
    alike = common * rng.choice([0.0, 1.0], (count, 1))
    unlike = rng.normal(size=(count, step.units))
    drive = size * (alike + unlike)
    if not step.bounded:
        drive = np.clip(drive, -10, 10)
    return step.activation.value(drive)


def _random_pulses(
    trials: int,
    steps: int,
    channels: int,
    width: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Pulses of height 1 and random sign at random times, (trial, time, channel)."""
    slots = -(-steps // width)
    heights = rng.choice(
        [-1.0, 0.0, 0.0, 0.0, 1.0],
        size=(trials, slots, channels),
    )
    pulses = np.repeat(heights, width, axis=1)
    return pulses[:, :steps]


def tame(states: np.ndarray) -> np.ndarray:
    """Which states (state, unit) are finite and have not run away."""
    with np.errstate(invalid="ignore"):
        finite = np.isfinite(states).all(axis=1)
        largest = np.abs(states).max(axis=1)
        return finite & (largest < TAME)


def checked_states(
    states: Any,
    network: Any,
    units: Any,
    name: str = "initial_states",
) -> np.ndarray | None:
    """A caller's own starts (state, unit), None where there are none; or InvalidSetting."""
    if states is None:
        return None
    try:
        made = np.atleast_2d(np.asarray(states, np.float64))
    except (TypeError, ValueError):
        raise InvalidSetting(
            f"{name} = {shown(states)} is not allowed: an array of numbers (state, unit)"
        ) from None
    wanted = network.state_size if isinstance(network, Network) else units
    is_matrix = made.ndim == 2 and bool(made.size)
    if not is_matrix or wanted not in (None, made.shape[1]):
        size = "unit" if wanted is None else wanted
        raise InvalidSetting(f"{name} has shape {np.shape(states)}; it must be (state, {size})")
    if not np.isfinite(made).all():
        raise InvalidSetting(f"{name} has values that are not finite; all must be")
    return made
