"""The psychometric function, fitted to choices by maximum likelihood.

The search is over shift, slope and lapse of lapse + (1 - 2 lapse) Φ(shift + slope x), with the
evidence x scaled to -1 … 1: without lapses this likelihood has one maximum, and a flat curve is no
special case (slope 0).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import ndtr, ndtri, xlogy

THRESHOLD = float(ndtri(0.75))  # in spreads
MOST_LAPSE = 0.2
AS_GOOD = 1e-3  # log likelihoods that differ by less do not tell two curves apart
TINY = 1e-12


class Fit(NamedTuple):
    """The fields of the same names of `PsychometricFit`."""

    bias: float
    spread: float
    lapse: float
    bias_error: float
    spread_error: float
    lapse_error: float
    status: str
    converged: bool


class Choices(NamedTuple):
    """Scaled evidence (level,), how often the first option was chosen there, of how many."""

    x: np.ndarray
    firsts: np.ndarray
    counts: np.ndarray


def probability(evidence: np.ndarray, bias: float, spread: float, lapse: float) -> np.ndarray:
    """The psychometric function."""
    return lapse + (1 - 2 * lapse) * ndtr((evidence - bias) / spread)


def fit_choices(evidence: np.ndarray, first: np.ndarray) -> Fit:
    """The best curve for the choices (trial,), 1 where the first option was taken, 0 elsewhere."""
    nan = np.nan
    levels, inverse = np.unique(evidence, return_inverse=True)
    if len(levels) < 2 or first.min() == first.max():
        return Fit(nan, nan, nan, nan, nan, nan, "no fit", converged=False)
    middle, half = float(levels[0] + levels[-1]) / 2, float(levels[-1] - levels[0]) / 2
    steepest = half / max(float(np.diff(levels).min()) / 6, half / 500)
    choices = Choices((levels - middle) / half, np.bincount(inverse, first), np.bincount(inverse))
    centre = (float(np.quantile(evidence, 1 - first.mean())) - middle) / half
    starts = [(-slope * centre, slope, lapse) for slope in (1.0, 5.0, 25.0) for lapse in (0, 0.05)]
    best, loss, converged = _search(choices, starts, 0.0, steepest)
    if _flat_loss(first) - loss < AS_GOOD:
        return Fit(nan, np.inf, nan, nan, nan, nan, "flat", converged)
    shift, slope, lapse = best
    start = (shift * steepest / slope, steepest, lapse)  # the same bias
    limit, limit_loss, _ = _search(choices, [start], steepest, steepest)
    steep = limit_loss - loss < AS_GOOD
    shift, slope, lapse = limit if steep else best
    bias_error, spread_error, lapse_error = (nan, nan, nan) if steep else _errors(best, choices)
    return Fit(
        bias=middle - half * shift / slope,
        spread=half / slope,
        lapse=lapse,
        bias_error=half * bias_error,
        spread_error=half * spread_error,
        lapse_error=lapse_error,
        status="steep" if steep else "fitted",
        converged=converged,
    )


def _flat_loss(first: np.ndarray) -> float:
    """The loss of the same probability everywhere."""
    share = first.mean()
    return -len(first) * float(xlogy(share, share) + xlogy(1 - share, 1 - share))


def _search(
    choices: Choices, starts: list[tuple[float, float, float]], least: float, most: float
) -> tuple[list[float], float, bool]:
    """Best (shift, slope, lapse) with a slope in that range, its loss, and whether it converged."""
    most_lapse = MOST_LAPSE if len(choices.x) > 2 else 0.0
    low, high = [-np.inf, least, 0.0], [np.inf, most, most_lapse]
    found = [
        minimize(
            _loss,
            np.clip(start, low, high),
            args=(choices,),
            jac=True,
            method="TNC",  # L-BFGS-B takes 100 times as long on several cores (SciPy 1.17's BLAS)
            bounds=list(zip(low, high, strict=True)),
            options={"ftol": 1e-13, "gtol": 1e-7, "maxfun": 1000},
        )
        for start in starts
    ]
    best = min(found, key=lambda each: each.fun)
    total = int(choices.counts.sum())
    as_good = [each for each in found if total * (each.fun - best.fun) < AS_GOOD]
    return best.x.tolist(), total * float(best.fun), any(each.success for each in as_good)


def _loss(parameters: Sequence[float], choices: Choices) -> tuple[float, np.ndarray]:
    """Negative log likelihood a trial, and its gradient."""
    share, gradient = _curve(parameters, choices.x)
    others = choices.counts - choices.firsts
    total = choices.counts.sum()
    loss = -(choices.firsts * np.log(share) + others * np.log1p(-share)).sum()
    by_share = others / (1 - share) - choices.firsts / share
    return loss / total, gradient @ by_share / total


def _curve(parameters: Sequence[float], x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The probability (level,), kept from 0 and 1, and its gradient (parameter, level)."""
    shift, slope, lapse = parameters
    reached = shift + slope * x
    normal = ndtr(reached)
    density = (1 - 2 * lapse) * np.exp(-(reached**2) / 2) / np.sqrt(2 * np.pi)
    share = np.clip(lapse + (1 - 2 * lapse) * normal, TINY, 1 - TINY)
    return share, np.stack([density, density * x, 1 - 2 * normal])


def _errors(parameters: Sequence[float], choices: Choices) -> list[float]:
    """Standard errors of bias and spread (scaled) and lapse; NaN for a lapse at its limit."""
    shift, slope, lapse = parameters
    share, gradient = _curve(parameters, choices.x)
    free = [0, 1, 2] if 1e-6 < lapse < MOST_LAPSE - 1e-6 else [0, 1]
    weighted = gradient[free] * choices.counts / (share * (1 - share))
    information = weighted @ gradient[free].T
    if np.linalg.cond(information) > 1e12:
        return [np.nan] * 3
    covariance = np.linalg.inv(information)
    to_bias = np.array([-1 / slope, shift / slope**2])
    variances = [
        to_bias @ covariance[:2, :2] @ to_bias,
        covariance[1, 1] / slope**4,
        covariance[2, 2] if len(free) == 3 else np.nan,
    ]
    return np.sqrt(variances).tolist()
