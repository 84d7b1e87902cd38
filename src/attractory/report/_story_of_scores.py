"""What the page's story says of scores: how well the task is done, and where it is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import binomtest

from attractory.evaluation import RobustnessCurve, Scores

if TYPE_CHECKING:
    from attractory.report._levels import Levels
    from attractory.report._study import Study

MISTAKEN = 0.01  # of networks that answer by chance: so many are called better than chance
FALL = 0.1  # of the trials: a condition under which so many more are wrong is named


def how_well(study: Study, chance: float | None) -> str:
    """The scores, and what they are seen beside."""
    levels, scores = study.levels, study.scores
    if levels is None or scores is None:
        return f"Not known: {study.task.missing}."
    error = _error(scores, levels)
    if not levels.answerable:
        return f"The task does not say which of its trials are answered correctly; {error}."
    shares = over_networks(100 * _all(scores.correct), "{:.1f} %")
    said = f"On {scores.n} fresh trials {shares} are answered correctly"
    above = above_chance(study, chance)
    known = [] if levels.ideal is None else [f"an ideal observer: {100 * levels.ideal:.1f} %"]
    if above is None or chance is None:
        return f"{said} ({', '.join([*known, 'chance: not stated by the task'])}); {error}."
    known.append(f"chance: {100 * chance:.1f} %")
    return f"{said} ({', '.join(known)}); {so_many(above, 'better than chance')}."


def above_chance(study: Study, chance: float | None) -> np.ndarray | None:
    """(net,): more trials are correct than by chance, by a binomial test; None: not known."""
    levels, scores = study.levels, study.scores
    if levels is None or scores is None or chance is None or not levels.answerable:
        return None
    trials = levels.answerable
    right = np.rint(trials * _all(scores.correct)).astype(int).tolist()
    tests = [binomtest(k, trials, chance, alternative="greater") for k in right]
    return np.array([test.pvalue < MISTAKEN for test in tests])


def _error(scores: Scores, levels: Levels) -> str:
    """The error beside that of an output which does nothing."""
    mse, constant = _all(scores.mse), levels.constant_mse
    return (
        f"the mean squared error is {over_networks(mse, '{:.3g}')}, that of the best output that "
        f"never changes {constant:.3g}: {so_many(mse < constant, 'better than that')}"
    )


def in_three_dimensions(study: Study) -> str:
    """How much of the states three dimensions hold; of a memory how far its states are apart."""
    shares = [100 * space.explained_variance[:3].sum() for space in study.principal_spaces]
    said = (
        f"Three dimensions hold {over_networks(np.array(shares), '{:.0f} %')} of the variance of "
    )
    said += "the states"
    if study.cubes is None or study.untrained_cube is None:
        return said
    apart = over_networks(100 * np.array([cube.separation for cube in study.cubes]), "{:.0f} %")
    control = f"{100 * study.untrained_cube.separation:.0f} %"
    return (
        f"{said}; of the variance of the states that hold memories {apart} lies between different "
        f"memories (in an untrained network {control})"
    )


def failures_of_scores(study: Study, chance: float | None) -> list[str]:
    """Networks that do not do the task, and the conditions under which the others do not."""
    levels, scores, above = study.levels, study.scores, above_chance(study, chance)
    if levels is None or scores is None:
        return []
    said = []
    if above is not None and not above.all():
        said.append(f"{so_many(~above, 'not better than chance')}")
    elif above is None and not (_all(scores.mse) < levels.constant_mse).all():
        worse = ~(_all(scores.mse) < levels.constant_mse)
        said.append(f"{so_many(worse, 'no better than an output that never changes')}")
    score = "correct" if levels.answerable else "accuracy"
    usual = float(np.median(_all(getattr(scores, score))))
    falls = [fall for curve in study.curves for fall in _falls(curve, score, usual)]
    if falls:
        what = "trials correct" if score == "correct" else "correct signs"
        said.append(f"{what} fall by {100 * FALL:.0f} points or more at {', '.join(falls)}")
    return said


def _falls(curve: RobustnessCurve, score: str, usual: float) -> list[str]:
    """The nearest values tried, on either side of the usual one, at which the score is lost."""
    scores = np.median(np.atleast_2d(getattr(curve, score)), axis=0)
    lost = [v for v, s in zip(curve.values, scores, strict=True) if s <= usual - FALL]
    name = curve.vary.replace("_", " ")
    if not isinstance(curve.values, np.ndarray) or not isinstance(curve.trained, (int, float)):
        return [f"{name} {value}" for value in lost]
    nearest = _nearest(lost, float(curve.trained))
    return [f"{name} {value:g} (trained with {curve.trained:g})" for value in nearest]


def _nearest(values: Sequence[Any], usual: float) -> list[Any]:
    below = [value for value in values if value < usual]
    above = [value for value in values if value > usual]
    return [*sorted(below)[-1:], *sorted(above)[:1]]


def _all(score: np.ndarray) -> np.ndarray:
    """A score of one network or of several, (net,)."""
    return np.atleast_1d(score)


def over_networks(values: np.ndarray, form: str) -> str:
    """One value; of several networks the median, and the smallest and largest."""
    middle, low, high = (form.format(f(values)) for f in (np.median, np.min, np.max))
    return middle if low == high else f"{middle} (median; {low} to {high})"


def so_many(which: np.ndarray, what: str) -> str:
    """Of how many networks something is so."""
    number, count = int(which.sum()), len(which)
    if count == 1:
        return f"the network is {what}" if number else f"the network is not {what}"
    whom = "all" if number == count else number or "none"
    return f"{whom} of the {count} networks {'is' if number == 1 else 'are'} {what}"
