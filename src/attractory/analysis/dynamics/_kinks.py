"""Fixed points on a kink: where phi' jumps there is no Jacobian, only one for each side."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product

import numpy as np
from scipy import optimize

from attractory._result import Result
from attractory.analysis.dynamics._certificate import NOTHING, Certificate, RateErrors
from attractory.analysis.dynamics._coordinates import Coordinates
from attractory.analysis.dynamics._determinant import approximate_inverses
from attractory.analysis.dynamics._rays import Rays, gap, outside_of_span
from attractory.analysis.dynamics._rounding import SLACK
from attractory.analysis.dynamics._step import CurrentStep, RateStep, Step

NEAR = 1e-9  # a drive this near to a kink (relative to its terms) may be on it: round-off decides
JUMP = 1e-4  # Jacobians NEAR to each other that differ by more (relative) lie on two sides of one
PROBES = 8  # directions in which that is looked at
MOST_EXACT = 40_000  # weights that are added up as fractions
MOST_SIDES = 6  # units on a kink, whose sides are all looked at: 64 Jacobians
MOST_REGULAR = 14  # the same where it is only asked whether the map keeps a direction there
MOST_WORK = 10**9  # operations for that
DECIMALS = 12  # a state on a kink may be a short number that Newton's method has just missed


@dataclass(frozen=True, repr=False)
class Side(Result):
    """The linear dynamics on one side of a fixed point on kinks.

    units (kinked,): the units whose drive is on a kink. above (kinked,): on which side of it their
    drive is; None where the sides are not known unit by unit. jacobian (unit, unit), [to, from].
    eigenvalues (unit,), largest modulus first. time_constants (unit,): |dt / ln|λ||, in the unit of
    dt.
    """

    units: np.ndarray
    above: np.ndarray | None
    jacobian: np.ndarray
    eigenvalues: np.ndarray
    time_constants: np.ndarray


def units_on_kinks(step: RateStep | CurrentStep, state: np.ndarray) -> np.ndarray:
    """Of which units what enters phi is on a kink, or too near to one to tell, (unit,)."""
    kinks = np.array(step.activation.kinks)
    if not len(kinks):
        return np.zeros(step.units, bool)
    argument, terms = step.arguments(state)
    distance = np.abs(argument[:, None] - kinks).min(axis=1)
    near = distance <= NEAR * np.maximum(terms, max(1.0, float(np.abs(kinks).max())))
    return near & step.felt


def on_kink(step: Step, state: np.ndarray) -> bool:
    """Is there no one Jacobian at this state (unit,)?

    A network of one known activation: by what enters it. Any other map: by whether its Jacobian
    jumps in the nearest neighbourhood, which no smooth map's does.
    """
    if isinstance(step, (RateStep, CurrentStep)) and step.activation.curvature is not None:
        return bool(units_on_kinks(step, state).any())
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
    below, above = _slopes_beside(step, state)
    made = []
    for choice in product([False, True], repeat=len(units)):
        upper = np.array(choice)
        if not _reachable(step.moves(units), upper):
            continue
        slopes = below.copy()
        slopes[units] = np.where(upper, above[units], below[units])
        made.append(_side(step, units, upper, step.jacobian_with(slopes)))
    return made


def _sides_around(step: Step, state: np.ndarray) -> list[Side]:
    nothing = np.empty(0, int)
    return [_side(step, nothing, None, each) for each in _jacobians_around(step, state)]


def certify_on_kink(step: RateStep, state: np.ndarray) -> tuple[np.ndarray, Certificate]:
    """The fixed point on kinks of a piecewise linear phi next to `state`, where there is one.

    It is checked in exact arithmetic: W h + c is on the kinks and phi of it is h, for h the state
    or a short number next to it. In its neighbourhood the map is linear on each side of the kinks;
    it is alone up to the next kink where h + d = phi(...) has no solution d but 0 there, in the few
    coordinates of the network (`gap`) or on each side (`approximate_inverses`).
    """
    if not step.activation.piecewise_linear or not np.isfinite(state).all():
        return state, NOTHING
    for candidate in (np.round(state, DECIMALS) + 0.0, state):
        kinked = units_on_kinks(step, candidate)
        if not kinked.any() or not _is_exact(step, candidate, kinked):
            continue
        if not _isolated(step, candidate, kinked):
            return candidate, NOTHING
        alone = _to_next_kinks(step, candidate, kinked)
        return candidate, Certificate(alone > 0, 0.0, alone, 0, 0.0)
    return state, NOTHING


def _side(step: Step, units: np.ndarray, above: np.ndarray | None, jacobian: np.ndarray) -> Side:
    eigenvalues = np.linalg.eigvals(jacobian).astype(complex)
    moduli = np.abs(eigenvalues)
    order = np.lexsort((-eigenvalues.imag, -moduli.round(12)))
    with np.errstate(divide="ignore"):
        time_constants = np.abs(step.dt / np.log(moduli[order]))
    return Side(units, above, jacobian, eigenvalues[order], time_constants)


def _jacobians_around(step: Step, state: np.ndarray) -> list[np.ndarray]:
    """The different Jacobians at the state and right next to it, in a few directions."""
    rng = np.random.default_rng(0)
    size = NEAR * max(1.0, float(np.abs(state).max()))
    away = rng.normal(size=(PROBES, step.units))
    away = np.concatenate([away, -away, np.ones((1, step.units)), -np.ones((1, step.units))])
    near = state + size * away / np.abs(away).max(axis=1, keepdims=True)
    found: list[np.ndarray] = []
    for row in near:  # one at a time: the program for one state is compiled already
        jacobian = step.jacobians(row[None])[0]
        allowed = JUMP * max(1.0, float(np.abs(jacobian).max()))
        if all(np.abs(jacobian - other).max() > allowed for other in found):
            found.append(jacobian)
    return found


def _slopes_beside(
    step: RateStep | CurrentStep, state: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """phi' just below and just above what enters phi, of each unit."""
    drive = step.arguments(state)[0]
    kinks = np.array(step.activation.kinks)
    nearest = kinks[np.abs(drive[:, None] - kinks).argmin(axis=1)]
    kinked = units_on_kinks(step, state)
    drive = np.where(kinked, nearest, drive)
    away = np.where(kinked, 1e-6 * np.maximum(1.0, np.abs(drive)), 0.0)
    return step.activation.slope(drive - away), step.activation.slope(drive + away)


def _reachable(rows: np.ndarray, above: np.ndarray) -> bool:
    """Is there a change of state that moves each of these drives to its side? (linear program)"""
    signed = np.where(above, -1.0, 1.0)[:, None] * rows
    made = optimize.linprog(
        np.zeros(rows.shape[1]),
        A_ub=signed,
        b_ub=-np.ones(len(rows)),
        bounds=(None, None),
    )
    return bool(made.status == 0)


def _is_exact(step: RateStep, state: np.ndarray, kinked: np.ndarray) -> bool:
    """Is this a fixed point, with these drives on a kink, in exact arithmetic?"""
    if not state.any() and not step.bias.any() and not step.inputs.any():
        drive = [Fraction(0)] * step.units
    elif step.units * (step.units + len(step.inputs)) <= MOST_EXACT:
        drive = _exact_drives(step, state)
    else:
        return False
    kinks = [Fraction(kink) for kink in step.activation.kinks]
    on = all(drive[k] in kinks for k in np.flatnonzero(kinked))
    return on and all(
        _exact_value(step, u) == Fraction(float(h)) for u, h in zip(drive, state, strict=True)
    )


def _exact_drives(step: RateStep, state: np.ndarray) -> list[Fraction]:
    def fractions(array: np.ndarray) -> list[Fraction]:
        return [Fraction(float(value)) for value in array]

    h, x = fractions(state), fractions(step.inputs)
    drives = []
    for row, own, bias in zip(step.recurrent, step.input_weights, step.bias, strict=True):
        terms = [w * v for w, v in zip(fractions(row), h, strict=True) if v]
        terms += [w * v for w, v in zip(fractions(own), x, strict=True) if v]
        drives.append(sum(terms, Fraction(float(bias))))
    return drives


def _exact_value(step: RateStep, drive: Fraction) -> Fraction:
    """phi of a number: the line of its piece, whose slope and height are exact at whole numbers."""
    kinks = sorted(step.activation.kinks)
    pieces = linear_pieces(step)
    slope, height = pieces[sum(drive > Fraction(kink) for kink in kinks)]
    return Fraction(slope) * drive + Fraction(height)


def linear_pieces(step: RateStep) -> list[tuple[float, float]]:
    """(slope, height at 0) of the lines that a piecewise linear phi is made of, from left."""
    kinks = sorted(step.activation.kinks)
    inside = [(a + b) / 2 for a, b in pairwise(kinks)]
    places = [kinks[0] - 1.0, *inside, kinks[-1] + 1.0] if kinks else [0.0]
    lines = []
    for place in places:
        slope = float(step.activation.slope(np.array(place)))
        lines.append((slope, float(step.activation.value(np.array(place))) - slope * place))
    return lines


def _isolated(step: RateStep, state: np.ndarray, kinked: np.ndarray) -> bool:
    """Does the map that is linear on each side of the kinks keep no direction?"""
    below, above = _slopes_beside(step, state)
    coordinates = Coordinates.of(step)
    if coordinates is not None:
        rays = Rays(below, above)
        return gap(coordinates, rays) > outside_of_span(coordinates, rays)
    units = np.flatnonzero(kinked)
    if len(units) > MOST_REGULAR or step.units**3 << len(units) > MOST_WORK:
        return False
    slopes = np.tile(below, (1 << len(units), 1))
    uppers = np.array(list(product([False, True], repeat=len(units))))
    slopes[:, units] = np.where(uppers, above[units], below[units])
    identity = np.eye(step.units)
    return all(
        approximate_inverses(identity - part[:, :, None] * step.recurrent)[1].max() < 1.0
        for part in np.array_split(slopes, max(1, len(slopes) // 64))
    )


def _to_next_kinks(step: RateStep, state: np.ndarray, kinked: np.ndarray) -> float:
    """How far a state may be (max norm) before another kink is reached."""
    errors = RateErrors(step, state)
    kinks = np.array(step.activation.kinks)
    distances = np.abs(errors.drive[:, None] - kinks)
    nearest = distances.argmin(axis=1)
    distances[np.flatnonzero(kinked), nearest[kinked]] = np.inf
    room = np.maximum(distances.min(axis=1) - errors.drive_error, 0.0) / SLACK
    heard = errors.row_sums > 0
    return float(np.min(room[heard] / errors.row_sums[heard], initial=np.inf))
