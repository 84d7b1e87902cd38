"""Fixed points of a piecewise linear network in exact arithmetic, as fractions."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np

from attractory.analysis.dynamics._step import RateStep

MOST_EXACT = 40_000  # weights that are added up as fractions


def is_exact(
    step: RateStep,
    state: np.ndarray,
    kinked: np.ndarray,
) -> bool:
    """Is this a fixed point, with these drives on a kink, in exact arithmetic?"""
    drives = _drives_at(step, state)
    if drives is None:
        return False
    kinks = [Fraction(kink) for kink in step.activation.kinks]
    if not all(drives[k] in kinks for k in np.flatnonzero(kinked)):
        return False
    pairs = zip(drives, state, strict=True)
    return all(_exact_value(step, u) == Fraction(float(h)) for u, h in pairs)


def _drives_at(
    step: RateStep,
    state: np.ndarray,
) -> list[Fraction] | None:
    """The exact drives at a state; None where the network is too large to add them up."""
    silent = not step.bias.any() and not step.inputs.any()
    if silent and not state.any():
        return [Fraction(0)] * step.units
    weights = step.units * (step.units + len(step.inputs))
    if weights > MOST_EXACT:
        return None
    return _exact_drives(step, state)


def _exact_drives(
    step: RateStep,
    state: np.ndarray,
) -> list[Fraction]:
    h = _fractions(state)
    x = _fractions(step.inputs)
    drives = []
    for row, own, bias in zip(
        step.recurrent,
        step.input_weights,
        step.bias,
        strict=True,
    ):
        terms = _products(row, h) + _products(own, x)
        drive = sum(terms, Fraction(float(bias)))
        drives.append(drive)
    return drives


def _fractions(array: np.ndarray) -> list[Fraction]:
    return [Fraction(float(value)) for value in array]


def _products(
    weights: np.ndarray,
    values: list[Fraction],
) -> list[Fraction]:
    pairs = zip(
        _fractions(weights),
        values,
        strict=True,
    )
    return [weight * value for weight, value in pairs if value]


def _exact_value(
    step: RateStep,
    drive: Fraction,
) -> Fraction:
    """phi of a number: the line of its piece, whose slope and height are exact at whole numbers."""
    kinks = sorted(step.activation.kinks)
    pieces = linear_pieces(step)
    piece = sum(drive > Fraction(kink) for kink in kinks)
    slope, height = pieces[piece]
    return Fraction(slope) * drive + Fraction(height)


def linear_pieces(step: RateStep) -> list[tuple[float, float]]:
    """(slope, height at 0) of the lines that a piecewise linear phi is made of, from left."""
    lines = []
    for place in _places_between(sorted(step.activation.kinks)):
        argument = np.array(place)
        slope = float(step.activation.slope(argument))
        value = float(step.activation.value(argument))
        height = value - slope * place
        lines.append((slope, height))
    return lines


def _places_between(kinks: list[float]) -> list[float]:
    """A number on each piece that the kinks leave."""
    if not kinks:
        return [0.0]
    inside = [(a + b) / 2 for a, b in pairwise(kinks)]
    before = kinks[0] - 1.0
    after = kinks[-1] + 1.0
    return [before, *inside, after]
