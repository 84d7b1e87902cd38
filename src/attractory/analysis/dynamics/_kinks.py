"""Fixed points on a kink: where phi' jumps there is no Jacobian, only one for each side."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import optimize

from attractory._result import Result
from attractory.analysis.dynamics._certificate import NOTHING, Certificate
from attractory.analysis.dynamics._coordinates import Coordinates
from attractory.analysis.dynamics._determinant import approximate_inverses
from attractory.analysis.dynamics._exact import is_exact
from attractory.analysis.dynamics._rate_errors import RateErrors
from attractory.analysis.dynamics._rays import Rays, gap, outside_of_span
from attractory.analysis.dynamics._rounding import SLACK
from attractory.analysis.dynamics._step import CurrentStep, RateStep, Step

NEAR = 1e-9  # a drive this near to a kink (relative to its terms) may be on it: round-off decides
JUMP = 1e-4  # Jacobians NEAR to each other that differ by more (relative) lie on two sides of one
PROBES = 8  # directions in which that is looked at
MOST_SIDES = 6  # units on a kink, whose sides are all looked at: 64 Jacobians
MOST_REGULAR = 14  # the same where it is only asked whether the map keeps a direction there
MOST_WORK = 10**9  # operations for that
TOGETHER = 64  # sides whose systems are inverted at a time
DECIMALS = 12  # a state on a kink may be a short number that Newton's method has just missed


@dataclass(frozen=True, repr=False)
class Side(Result):
    """The linear dynamics on one side of a fixed point on kinks.

    Attributes
    ----------
    units : array (kinked,)
        The units whose drive is on a kink.
    above : array of bool (kinked,) or None
        On which side of it their drive is; None where the sides are not known unit by unit.
    jacobian : array (unit, unit)
        The Jacobian on this side, [to, from].
    eigenvalues : complex array (unit,)
        Its eigenvalues, largest modulus first.
    time_constants : array (unit,)
        The time constant |dt / ln|λ|| of each, in the unit of dt.
    """

    units: np.ndarray
    above: np.ndarray | None
    jacobian: np.ndarray
    eigenvalues: np.ndarray
    time_constants: np.ndarray


def units_on_kinks(
    step: RateStep | CurrentStep,
    state: np.ndarray,
) -> np.ndarray:
    """Of which units what enters phi is on a kink, or too near to one to tell, (unit,)."""
    kinks = np.array(step.activation.kinks)
    if not len(kinks):
        return np.zeros(step.units, bool)
    argument, terms = step.arguments(state)
    distance = np.abs(argument[:, None] - kinks).min(axis=1)
    furthest_kink = float(np.abs(kinks).max())
    size = np.maximum(terms, max(1.0, furthest_kink))
    near = distance <= NEAR * size
    return near & step.felt


def on_kink(step: Step, state: np.ndarray) -> bool:
    """Is there no one Jacobian at this state (unit,)?

    A network of one known activation: by what enters it. Any other map: by whether its Jacobian
    jumps in the nearest neighbourhood, which no smooth map's does.
    """
    if isinstance(step, (RateStep, CurrentStep)) and step.activation.curvature is not None:
        kinked = units_on_kinks(step, state)
        return bool(kinked.any())
    return len(_jacobians_around(step, state)) > 1


def sides(step: Step, state: np.ndarray) -> list[Side]:
    """The Jacobians on the sides of a state (unit,) on kinks that states next to it are on.

    Of a network of one activation with at most 6 units on a kink all of them, otherwise those that
    were met in 8 directions.
    """
    if not isinstance(step, (RateStep, CurrentStep)):
        return _sides_around(step, state)
    units = np.flatnonzero(units_on_kinks(step, state))
    if not 0 < len(units) <= MOST_SIDES:
        return _sides_around(step, state)
    beside = _slopes_beside(step, state)
    rows = step.moves(units)
    made = []
    for choice in product([False, True], repeat=len(units)):
        upper = np.array(choice)
        if not _reachable(rows, upper):
            continue
        slopes = beside.below.copy()
        slopes[units] = np.where(
            upper,
            beside.above[units],
            beside.below[units],
        )
        jacobian = step.jacobian_with(slopes)
        side = _side(step, units, upper, jacobian)
        made.append(side)
    return made


def _sides_around(
    step: Step,
    state: np.ndarray,
) -> list[Side]:
    nothing = np.empty(0, int)
    jacobians = _jacobians_around(step, state)
    return [_side(step, nothing, None, each) for each in jacobians]


def certify_on_kink(
    step: RateStep,
    state: np.ndarray,
) -> tuple[np.ndarray, Certificate]:
    """The fixed point on kinks of a piecewise linear phi next to `state`, where there is one.

    It is checked in exact arithmetic: W h + c is on the kinks and phi of it is h, for h the state
    or a short number next to it. In its neighbourhood the map is linear on each side of the kinks;
    it is alone up to the next kink where h + d = phi(...) has no solution d but 0 there, in the few
    coordinates of the network (`gap`) or on each side (`approximate_inverses`).
    """
    if not step.activation.piecewise_linear or not np.isfinite(state).all():
        return state, NOTHING
    short = np.round(state, DECIMALS) + 0.0  # no -0
    for candidate in (short, state):
        kinked = units_on_kinks(step, candidate)
        if not kinked.any() or not is_exact(step, candidate, kinked):
            continue
        if not _isolated(step, candidate, kinked):
            return candidate, NOTHING
        alone = _to_next_kinks(step, candidate, kinked)
        certificate = Certificate(
            alone > 0,
            0.0,
            alone,
            0,
            0.0,
        )
        return candidate, certificate
    return state, NOTHING


def _side(
    step: Step,
    units: np.ndarray,
    above: np.ndarray | None,
    jacobian: np.ndarray,
) -> Side:
    eigenvalues = np.linalg.eigvals(jacobian).astype(complex)
    moduli = np.abs(eigenvalues)
    order = np.lexsort((-eigenvalues.imag, -moduli.round(12)))
    with np.errstate(divide="ignore"):
        growth = np.log(moduli[order])
        time_constants = np.abs(step.dt / growth)
    return Side(
        units=units,
        above=above,
        jacobian=jacobian,
        eigenvalues=eigenvalues[order],
        time_constants=time_constants,
    )


def _jacobians_around(
    step: Step,
    state: np.ndarray,
) -> list[np.ndarray]:
    """The different Jacobians at the state and right next to it, in a few directions."""
    found: list[np.ndarray] = []
    for row in _right_beside(state):  # one at a time: the program for one state is compiled already
        jacobian = step.jacobians(row[None])[0]
        largest = float(np.abs(jacobian).max())
        allowed = JUMP * max(1.0, largest)
        distances = [np.abs(jacobian - other).max() for other in found]
        if all(distance > allowed for distance in distances):
            found.append(jacobian)
    return found


def _right_beside(state: np.ndarray) -> np.ndarray:
    """States (probe, unit) right next to this one: in random directions, and all units alike."""
    rng = np.random.default_rng(0)
    largest = float(np.abs(state).max())
    size = NEAR * max(1.0, largest)
    directions = rng.normal(size=(PROBES, len(state)))
    alike = np.ones((1, len(state)))
    away = np.concatenate([directions, -directions, alike, -alike])
    lengths = np.abs(away).max(axis=1, keepdims=True)
    return state + size * away / lengths


@dataclass(frozen=True)
class _Slopes:
    """phi' of each unit just below and just above what enters phi, (unit,) each."""

    below: np.ndarray
    above: np.ndarray


def _slopes_beside(
    step: RateStep | CurrentStep,
    state: np.ndarray,
) -> _Slopes:
    """The slopes on both sides of a state (unit,); the same two where a unit is on no kink."""
    drive, _ = step.arguments(state)
    kinks = np.array(step.activation.kinks)
    which = np.abs(drive[:, None] - kinks).argmin(axis=1)
    nearest = kinks[which]
    kinked = units_on_kinks(step, state)
    drive = np.where(kinked, nearest, drive)
    size = np.maximum(1.0, np.abs(drive))
    away = np.where(
        kinked,
        1e-6 * size,
        0.0,
    )
    return _Slopes(
        below=step.activation.slope(drive - away),
        above=step.activation.slope(drive + away),
    )


def _reachable(
    rows: np.ndarray,
    above: np.ndarray,
) -> bool:
    """Is there a change of state that moves each of these drives to its side? (linear program)"""
    sign = np.where(above, -1.0, 1.0)
    signed = sign[:, None] * rows
    made = optimize.linprog(
        np.zeros(rows.shape[1]),
        A_ub=signed,
        b_ub=-np.ones(len(rows)),
        bounds=(None, None),
    )
    return bool(made.status == 0)


def _isolated(
    step: RateStep,
    state: np.ndarray,
    kinked: np.ndarray,
) -> bool:
    """Does the map that is linear on each side of the kinks keep no direction?"""
    beside = _slopes_beside(step, state)
    coordinates = Coordinates.of(step)
    if coordinates is not None:
        rays = Rays(beside.below, beside.above)
        return gap(coordinates, rays) > outside_of_span(coordinates, rays)
    units = np.flatnonzero(kinked)
    if len(units) > MOST_REGULAR:
        return False
    operations = step.units**3 << len(units)
    if operations > MOST_WORK:
        return False
    return _all_regular(step, _slopes_of_sides(beside, units))


def _slopes_of_sides(
    beside: _Slopes,
    units: np.ndarray,
) -> np.ndarray:
    """The slopes (side, unit) on each side of the kinks that these units are on."""
    sides_of_units = product([False, True], repeat=len(units))
    upper = np.array(list(sides_of_units))
    slopes = np.tile(beside.below, (len(upper), 1))
    slopes[:, units] = np.where(
        upper,
        beside.above[units],
        beside.below[units],
    )
    return slopes


def _all_regular(
    step: RateStep,
    slopes: np.ndarray,
) -> bool:
    """Is I - S W regular for all slopes (side, unit), proved?"""
    identity = np.eye(step.units)
    parts = np.array_split(slopes, max(1, len(slopes) // TOGETHER))
    for part in parts:
        systems = identity - part[:, :, None] * step.recurrent
        _, defects = approximate_inverses(systems)
        if not defects.max() < 1.0:
            return False
    return True


def _to_next_kinks(
    step: RateStep,
    state: np.ndarray,
    kinked: np.ndarray,
) -> float:
    """How far a state may be (max norm) before another kink is reached."""
    errors = RateErrors(step, state)
    kinks = np.array(step.activation.kinks)
    distances = np.abs(errors.drive[:, None] - kinks)
    nearest = distances.argmin(axis=1)
    on_kinks = np.flatnonzero(kinked)
    distances[on_kinks, nearest[kinked]] = np.inf
    to_nearest = distances.min(axis=1) - errors.drive_error
    room = np.maximum(to_nearest, 0.0) / SLACK
    heard = errors.row_sums > 0
    reach = room[heard] / errors.row_sums[heard]
    return float(np.min(reach, initial=np.inf))
