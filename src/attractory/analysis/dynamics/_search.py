"""The search for fixed points: Newton's method from many starts, and what it has found so far."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from attractory._cores import spread
from attractory.analysis.dynamics._newton import Chunk, Ends
from attractory.analysis.dynamics._point import (
    Point,
    inseparable,
    proved_point,
    representatives,
    same,
)
from attractory.analysis.dynamics._step import Step

CHUNK = 16  # starts that a thread takes at a time, at least
CHUNK_SIZE = 2048  # entries of the states of such a chunk, where there are few units
MANY_DEGENERATE = 32  # so many degenerate points are a continuum


def newton(
    step: Step,
    starts: np.ndarray,
    longest: float,
) -> Ends:
    """Newton's method from each start, no step longer than `longest` (2-norm).

    The factors of a Jacobian serve for several steps near a solution, corrected by Broyden's
    formula (Kelley 1995, algorithm brsol). They are in single precision, residuals in double: each
    step still gains digits, and the end is as exact as double precision allows.
    """

    def run(chunk: np.ndarray) -> Ends:
        return Chunk(step, chunk, longest).run()

    size = max(CHUNK, CHUNK_SIZE // step.units)
    chunks = []
    for first in range(0, len(starts), size):
        chunks.append(starts[first : first + size])
    ends = spread(run, chunks)
    return Ends(
        states=np.concatenate([end.states for end in ends]),
        converged=np.concatenate([end.converged for end in ends]),
    )


class Points:
    """The distinct fixed points found so far, and how many starts led to each.

    Where the map is odd, points come in pairs h, -h; a start that leads to one counts for both (its
    mirror image would have led to the other). The list is closed once most of many points are
    degenerate: they are samples of a continuum (`continuum`).
    """

    def __init__(self, step: Step) -> None:
        self.step = step
        self.all: list[Point] = []
        self.hits = np.zeros(0, int)
        self.starts = 0
        self.arrived = 0  # starts that led to a fixed point
        self.discovered = 0  # the start that led to the newest point, counted from 1
        self.lost: list[np.ndarray] = []  # where the other starts ended

    @property
    def continuum(self) -> bool:
        degenerate = sum(point.degenerate for point in self.all)
        many = degenerate >= MANY_DEGENERATE
        most = degenerate > len(self.all) / 2
        return many and most

    def add(self, ends: Ends) -> None:
        """Sort the ends of a round into points: known ones, and new ones."""
        before = self.starts
        self.starts += len(ends.states)
        which = np.flatnonzero(ends.converged)
        found = ends.states[which]
        self.arrived += len(found)
        elsewhere = ends.states[~ends.converged]
        self.lost += list(elsewhere)
        numbers = before + which + 1
        home = self._settled(found, numbers)
        self._count(home)

    def _settled(
        self,
        found: np.ndarray,
        numbers: np.ndarray,
    ) -> np.ndarray:
        """The index of the point that each end is, -1 for none; new points are added.

        found (end, unit); numbers (end,): of the start that led there, counted from 1.
        """
        home = self._home(found)
        while (home < 0).any() and not self.continuum:
            fresh = np.flatnonzero(home < 0)
            apart = representatives(
                found[fresh],
                self.step.odd,
                MANY_DEGENERATE,
            )
            heads = fresh[apart]
            proved = spread(self._proved, found[heads])
            for head, point in zip(heads, proved, strict=True):
                home[head] = self._insert(point, int(numbers[head]))
            rest = home < 0
            known = self._home(found[rest])
            home[rest] = known
        return home

    def _count(self, home: np.ndarray) -> None:
        """Add a round's hits to those of the points, new ones among them."""
        arrived = home[home >= 0]
        counts = np.bincount(arrived, minlength=len(self.all))
        for i, point in enumerate(self.all):
            if point.mirrored:
                of_both = counts[i] + counts[i - 1]
                counts[i] = of_both
                counts[i - 1] = of_both
        new = len(self.all) - len(self.hits)
        self.hits = np.pad(self.hits, (0, new)) + counts

    def states(self) -> np.ndarray:
        states = [point.state for point in self.all]
        return np.array(states).reshape(-1, self.step.units)

    def classes(self) -> np.ndarray:
        """Indices of the points that are no mirror images: what a search can find independently."""
        own = [not point.mirrored for point in self.all]
        return np.flatnonzero(own)

    def _proved(self, state: np.ndarray) -> Point:
        return proved_point(self.step, state)

    def _insert(self, point: Point, start: int) -> int:
        """The index of the point that this start led to; it may have been there already."""
        for i, other in enumerate(self.all):
            if same(point, other) or inseparable(self.step, point, other):
                return i
        self.discovered = max(self.discovered, start)
        if not self.step.odd:
            self.all.append(point)
            return len(self.all) - 1
        mirror = replace(point, state=-point.state, mirrored=True)
        if same(point, mirror):  # it is its own mirror image: 0, exactly
            zero = np.zeros(self.step.units)
            self.all.append(self._proved(zero))
            return len(self.all) - 1
        self.all += [point, mirror]
        return len(self.all) - 2

    def _home(self, states: np.ndarray) -> np.ndarray:
        """The index of the point in whose ball each state lies, -1 for none."""
        home = np.full(len(states), -1)
        for i, point in enumerate(self.all):
            distances = np.abs(states - point.state).max(axis=1)
            near = distances < point.reach
            without_home = home < 0
            home[near & without_home] = i
        return home
