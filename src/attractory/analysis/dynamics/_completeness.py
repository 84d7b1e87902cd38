"""What is known of a list of fixed points as a whole: proved complete, or with what evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from attractory._result import Result
from attractory.analysis.dynamics._point import Point
from attractory.analysis.dynamics._search import Points


@dataclass(frozen=True, repr=False)
class Completeness(Result):
    """Whether the list of fixed points may be complete.

    Attributes
    ----------
    degree_sum : int
        The sum Σ sign det(I - DF) = Σ (-1)^(number of real eigenvalues > 1).
    degree_expected : int or None
        What the sum is when all points are there and none is degenerate: +1 for a map of a ball
        into itself (Brouwer degree), None where that is not known.
    singletons, doubletons : int
        Points that exactly one, two starts led to.
    coverage : float
        Good-Turing's estimate of the chance that another start leads to a known point,
        1 - singletons/arrived [1]_.
    unseen : float
        Chao's estimate (bias-corrected) of how many points no start has led to [2]_.
    starts, arrived, discovered : int
        How many starts there were, how many led to a fixed point, and when the newest was found.
    all_certified : bool
        Every point is proved.
    continuum : bool
        Most of many points found are degenerate: they are samples of a continuum of fixed points.
    all_signs : bool
        Every sign in `degree_sum` is proved, too, and no point is degenerate or on a kink: only
        then a sum other than the expected one says something.
    enclosed : float
        Every fixed point lies within this distance (max norm) of one of the list, which was proved
        by enclosure of the whole state space (where there are few units, recurrent weights of low
        rank, or few linear pieces) and needs none of the above: 0 where the list is complete, inf
        where nothing is proved; in between there is a degenerate point, and beside it there may be
        another that cannot be told from it.

    Notes
    -----
    A pair h, -h of an odd map counts as one here. The estimates take starts for independent draws;
    later ones are drawn around points found, which makes them rough.

    References
    ----------
    .. [1] Good (1953), Biometrika 40:237.
    .. [2] Chao (1984), Scand. J. Statist. 11:265.
    """

    degree_sum: int
    degree_expected: int | None
    singletons: int
    doubletons: int
    coverage: float
    unseen: float
    starts: int
    arrived: int
    discovered: int
    all_certified: bool
    continuum: bool
    all_signs: bool = True
    enclosed: float = np.inf

    @property
    def proved(self) -> bool:
        """Whether it is proved that there is no other fixed point."""
        return self.enclosed == 0.0

    @property
    def level(self) -> Literal["proved", "nothing says that one is missing", "open"]:
        """How much is known of the list being complete, in a word or two."""
        if self.proved:
            return "proved"
        return "nothing says that one is missing" if self.complete else "open"

    @property
    def complete(self) -> bool:
        """Whether it is proved that no point is missing, or nothing says that one is.

        The latter: the degrees add up, every point was found at least twice, and the second half of
        the search found nothing new. Evidence, not a proof: a pair of points whose degrees cancel
        may be missing all the same.
        """
        if self.proved:
            return True
        degrees_add_up = self.degree_expected in (None, self.degree_sum)
        nothing_new = self.starts >= 2 * self.discovered
        return (
            not self.continuum
            and self.arrived > 0
            and degrees_add_up
            and self.singletons == 0
            and nothing_new
        )

    def statement(self) -> str:
        """What is known of the list, in words.

        Returns
        -------
        str
            One or more sentences.
        """
        if self.proved:
            return "These are all of them: proved." if self.arrived else "There is none: proved."
        if np.isfinite(self.enclosed):
            return (
                f"There is no other further than {self.enclosed:.1e} from these: proved. Beside a "
                "degenerate one there may be one that cannot be told from it."
            )
        if not self.arrived:
            return f"None of {self.starts} starts led to a fixed point."
        if self.continuum:
            return (
                "Fixed points fill a continuum (a line, a surface or more): I - DF is singular at "
                "most of those found. The points listed are samples of it, and the search ended "
                "there."
            )
        words = [self._degree()]
        if self.singletons:
            words.append(
                f"{self.singletons} found only once in {self.starts} starts; about "
                f"{self.unseen:.0f} more may be unseen (Chao1)."
            )
        else:
            words.append(
                f"Each was found at least twice in {self.starts} starts, the newest after "
                f"{self.discovered}."
            )
        words.append(
            "Nothing says that one is missing; this is no proof of it."
            if self.complete
            else "The search was not long enough to call the list complete."
        )
        return " ".join(words)

    def _degree(self) -> str:
        if not (self.all_certified and self.all_signs):
            return f"The degrees of the points add up to {self.degree_sum} (not all are proved)."
        if self.degree_expected is None:
            return f"The degrees of the points add up to {self.degree_sum}."
        if self.degree_sum == self.degree_expected:
            return "The degrees of the points add up to +1, as they must when none is missing."
        return (
            f"The degrees of the points add up to {self.degree_sum} instead of +1: this proves "
            "that points are missing."
        )


def completeness_of(points: Points, enclosed: float = np.inf) -> Completeness:
    """What is known of these points; enclosed: see `Completeness`."""
    hits = points.hits[points.classes()]
    once = int((hits == 1).sum())
    twice = int((hits == 2).sum())
    all_certified = all(point.certificate.exists for point in points.all)
    return Completeness(
        degree_sum=sum(_degree(points, point) for point in points.all),
        degree_expected=1 if points.step.bounded else None,
        singletons=once,
        doubletons=twice,
        coverage=1.0 - once / max(1, points.arrived),
        unseen=once * (once - 1) / (2 * (twice + 1)),
        starts=points.starts,
        arrived=points.arrived,
        discovered=points.discovered,
        all_certified=all_certified,
        all_signs=all(point.certificate.orientation for point in points.all),
        continuum=points.continuum,
        # an end that is no certified point is none of those that were enclosed
        enclosed=enclosed if enclosed > 0 or all_certified else np.inf,
    )


def _degree(points: Points, point: Point) -> int:
    """The sign of det(I - DF), proved where it could be; 0 on a kink, where there is none."""
    if point.kinked or point.certificate.orientation:
        return point.certificate.orientation
    jacobian = points.step.jacobians(point.state[None])[0]
    system = np.eye(len(jacobian)) - jacobian
    sign, _ = np.linalg.slogdet(system)
    return int(sign)
