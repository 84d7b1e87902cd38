"""Where a search for fixed points starts from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from attractory._errors import InvalidSetting, shown
from attractory.analysis.dynamics._step import ModelStep, RateStep, Step
from attractory.models import Network
from attractory.tasks import Task, Trials

TRIALS = 48  # trajectories
LENGTH, SETTLING = 160, 200  # of a trajectory, and of the time that it settles, in time constants
SNAPSHOTS = 60  # states kept of each part of a trajectory


class Starts:
    """Starting states from several sources; each call draws new ones.

    pool (state, unit): states that the network comes through; settled (state, unit): where it goes
    from there when it is left alone. Found points are added as the search goes on.
    """

    def __init__(self, step: Step, pool: np.ndarray, settled: np.ndarray) -> None:
        self.step, self.pool, self.settled = step, pool, settled
        self.spread = np.maximum(pool.std(axis=0), 1e-3 * max(1.0, float(np.abs(pool).max())))
        self.found = np.empty((0, step.units))
        self.rarity = np.empty(0)

    def first(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """`n` starts that need no found point."""
        return self._mixture(
            n,
            rng,
            [
                (0.25, self._passed),
                (0.1, self._settled),
                (0.15, self._noisy),
                (0.25, self._midpoints),
                (0.1, self._scaled),
                (0.05, self._random),
                (0.1, self._anywhere),
            ],
        )

    def next(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """`n` starts from around and between the points found, those found rarely more often."""
        if not len(self.found):
            return self.first(n, rng)
        return self._mixture(
            n,
            rng,
            [
                (0.3, self._between),
                (0.2, self._near),
                (0.2, self._departing),
                (0.3, self.first),
            ],
        )

    def learn(self, found: np.ndarray, hits: np.ndarray) -> None:
        """Points found so far (point, unit) and how many starts led to each."""
        self.found = found
        self.rarity = 1.0 / np.maximum(hits, 1) if len(hits) else hits
        self.rarity = self.rarity / self.rarity.sum() if len(hits) else self.rarity

    def _mixture(
        self,
        n: int,
        rng: np.random.Generator,
        parts: list[tuple[float, Callable[[int, np.random.Generator], np.ndarray]]],
    ) -> np.ndarray:
        counts = rng.multinomial(n, np.array([share for share, _ in parts]))
        made = [source(int(k), rng) for k, (_, source) in zip(counts, parts, strict=True) if k]
        return np.concatenate(made)

    def _passed(self, n: int, rng: np.random.Generator) -> np.ndarray:
        return self.pool[rng.integers(len(self.pool), size=n)]

    def _settled(self, n: int, rng: np.random.Generator) -> np.ndarray:
        return self.settled[rng.integers(len(self.settled), size=n)]

    def _noisy(self, n: int, rng: np.random.Generator) -> np.ndarray:
        size = rng.uniform(0.1, 1.0, (n, 1))
        return self._passed(n, rng) + size * self.spread * rng.normal(size=(n, self.step.units))

    def _midpoints(self, n: int, rng: np.random.Generator) -> np.ndarray:
        both = np.concatenate([self._settled(n, rng), self._passed(n, rng)])
        other = both[rng.permutation(2 * n)[:n]]
        share = rng.choice([0.5, 0.25, 0.75], size=(n, 1))
        return share * self._settled(n, rng) + (1 - share) * other

    def _scaled(self, n: int, rng: np.random.Generator) -> np.ndarray:
        return rng.uniform(0, 1.2, (n, 1)) * self._passed(n, rng)

    def _random(self, n: int, rng: np.random.Generator) -> np.ndarray:
        size = rng.uniform(0, 2, (n, 1))
        return size * self.spread * rng.normal(size=(n, self.step.units))

    def _anywhere(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """States that no trajectory need come through: each unit saturated or where phi bends.

        On a saddle between memories some units are in the steep part of phi, whatever their bias
        and gain, and others are not.
        """
        if not isinstance(self.step, RateStep):
            return self._random(n, rng)
        size = 10.0 ** rng.uniform(-1.5, 1.5, (n, self.step.units))
        drives = size * rng.choice([-1.0, 1.0], (n, self.step.units))
        return self.step.activation.value(drives)

    def _chosen(self, n: int, rng: np.random.Generator) -> np.ndarray:
        return self.found[rng.choice(len(self.found), size=n, p=self.rarity)]

    def _between(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Mixtures of two or three found points, a little beyond them too."""
        shares = rng.dirichlet([1.0, 1.0, 1.0], size=n)
        shares[rng.random(n) < 0.5, 2] = 0.0
        shares = shares / shares.sum(1, keepdims=True)
        shares += rng.normal(scale=0.1, size=shares.shape)
        return sum(shares[:, i : i + 1] * self._chosen(n, rng) for i in range(3))

    def _near(self, n: int, rng: np.random.Generator) -> np.ndarray:
        size = 10.0 ** rng.uniform(-1.5, 0.2, (n, 1))
        return self._chosen(n, rng) + size * self.spread * rng.normal(size=(n, self.step.units))

    def _departing(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """On the way from a found point, pushed, to wherever the network goes."""
        states = self._chosen(n, rng)
        states = states + 0.05 * self.spread * rng.normal(size=states.shape)
        leave = rng.integers(5, 150, size=n)
        kept = states.copy()
        for t in range(int(leave.max())):
            states = self.step(states)
            kept[leave == t + 1] = states[leave == t + 1]
        return kept


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
    n_inputs = len(step.inputs)
    if task is None:
        steps = max(1, round(LENGTH / step.leak))
        drive = _random_pulses(TRIALS, steps, n_inputs, max(1, round(20 / step.leak)), rng)
    else:
        drive = (task.sample(TRIALS, seed) if isinstance(task, Task) else task).inputs
        if drive.shape[-1] != n_inputs:
            raise InvalidSetting(f"task has {drive.shape[-1]} inputs; the network has {n_inputs}")
        drive = drive[:TRIALS].astype(np.float64)
    states = np.zeros((len(drive), step.units))
    anywhere = _over_the_range(step, rng)
    given = anywhere if given is None else np.concatenate([given, anywhere])
    every = max(1, drive.shape[1] // SNAPSHOTS)
    passed = []
    for t, inputs in enumerate(np.moveaxis(drive, 1, 0)):
        states = step.driven(states, inputs)
        if t % every == 0:
            passed.append(states)
    passed.append(given)
    states = np.concatenate([states, given])
    return _settling(step, states, passed, round(SETTLING / step.leak))


def plain_starts(step: Step, rng: np.random.Generator, given: np.ndarray | None) -> Starts:
    """Starts for any map: the given states, or random ones, and where the map takes them."""
    states = rng.normal(size=(TRIALS, step.units)) if given is None else given
    return _settling(step, states, [states], SETTLING)


def _settling(step: Step, states: np.ndarray, passed: list[np.ndarray], pause: int) -> Starts:
    every = max(1, pause // SNAPSHOTS)
    with np.errstate(all="ignore"):
        for t in range(pause):
            states = step(states)
            if t % every == 0:
                passed.append(states)
    pool = np.concatenate([*passed, states])
    pool, settled = pool[_tame(pool)], states[_tame(states)]
    return Starts(step, pool, settled if len(settled) else pool)


def _over_the_range(step: RateStep | ModelStep, rng: np.random.Generator) -> np.ndarray:
    """Rates under random drives, weak ones to such as saturate all units, alike and unlike.

    Where the equation has no such drive: random states within ±1, near 0 to in the corners.
    """
    if isinstance(step, ModelStep):
        wide = 10.0 ** rng.uniform(-1, 1, (TRIALS // 2, 1))
        return np.tanh(wide * rng.normal(size=(TRIALS // 2, step.units)))
    size = 10.0 ** rng.uniform(-1, 1, (TRIALS // 2, 1)) * np.abs(step.recurrent).sum(1).max()
    alike = rng.normal(size=(TRIALS // 2, 1)) * rng.choice([0.0, 1.0], (TRIALS // 2, 1))
    drive = size * (alike + rng.normal(size=(TRIALS // 2, step.units)))
    return step.activation.value(drive if step.bounded else np.clip(drive, -10, 10))


def _random_pulses(
    trials: int, steps: int, channels: int, width: int, rng: np.random.Generator
) -> np.ndarray:
    """Pulses of height 1 and random sign at random times, (trial, time, channel)."""
    slots = -(-steps // width)
    heights = rng.choice([-1.0, 0.0, 0.0, 0.0, 1.0], size=(trials, slots, channels))
    return np.repeat(heights, width, axis=1)[:, :steps]


def _tame(states: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.isfinite(states).all(axis=1) & (np.abs(states).max(axis=1) < 1e6)


def checked_states(states: Any, network: Any, units: Any) -> np.ndarray | None:
    """A caller's own starts (state, unit), None where there are none; or InvalidSetting."""
    if states is None:
        return None
    try:
        made = np.atleast_2d(np.asarray(states, np.float64))
    except (TypeError, ValueError):
        raise InvalidSetting(
            f"initial_states = {shown(states)} is not allowed: an array of numbers (state, unit)"
        ) from None
    wanted = network.state_size if isinstance(network, Network) else units
    if made.ndim != 2 or not made.size or (wanted is not None and made.shape[1] != wanted):
        raise InvalidSetting(
            f"initial_states has shape {np.shape(states)}; it must be (state, "
            f"{'unit' if wanted is None else wanted})"
        )
    if not np.isfinite(made).all():
        raise InvalidSetting("initial_states has values that are not finite; all must be")
    return made
