"""Distances between dynamics: linear models of the states, seen through delays."""

from __future__ import annotations

import numpy as np
from scipy.linalg import schur
from scipy.optimize import minimize

from attractory._errors import InvalidSetting
from attractory.population._distance import distance
from attractory.population._subject import Subject
from attractory.population.distances._spectra import transport

COMPONENTS = 10  # principal components of the states that are seen
DELAYS = 5  # steps that are seen at once
RANK = 10  # of the linear model: its rotations have 45 angles
LEAST = 1e-4  # of the largest singular value: what is below is rounding, once it is divided by it
GLANCE, LONGEST = 40, 500  # steps of the search from each place, and then from the best of them
# it ends where a step takes less off, or slopes are less: the square of an angle of 0.003 is 1e-5,
# and a thousandth of it has to count
SETTLED = {"ftol": 1e-15, "gtol": 1e-10}
TURNS = 5  # random rotations that the search begins with, beside three that are not
DYNAMICS = "Ostrow, Eisen, Kozachkov & Fiete (2023)"


def linear_model(subject: Subject) -> np.ndarray:
    """The matrix (rank, rank) that best takes delayed states one step on.

    Dynamic mode decomposition with delays: the 10 leading components of the states in 5 successive
    steps, whitened and reduced to 10 dimensions, by least squares. Raises InvalidSetting where
    trials are shorter than that.
    """
    if subject.trials is None:
        raise InvalidSetting("trials = None: dynamics are fitted to states in trials of a task")
    lengths = subject.trials.lengths
    windows = _windows(_components(subject), lengths)
    left, values, _ = np.linalg.svd(windows, full_matrices=False)
    kept = (values > LEAST * values[0])[:RANK]
    seen = left[:, : len(kept)][:, kept]
    ends = np.cumsum(np.maximum(lengths - DELAYS + 1, 0))
    goes_on = np.setdiff1d(np.arange(len(seen)), ends - 1)
    # the sign of a direction is no matter of the network; that of its largest value decides
    largest = np.abs(seen).argmax(axis=0)
    seen = seen * np.sign(seen[largest, np.arange(seen.shape[1])])
    model: np.ndarray = np.linalg.lstsq(seen[goes_on], seen[goes_on + 1], rcond=None)[0].T
    return model


def _components(subject: Subject) -> np.ndarray:
    """The leading components of the states (trial, time, component), minus their mean."""
    centre = subject.samples.mean(axis=0)
    directions = np.linalg.eigh(np.cov(subject.samples.T, ddof=0))[1][:, ::-1][:, :COMPONENTS]
    return (subject.states - centre) @ directions


def _windows(states: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """So many successive states side by side, one trial after the other, its own steps alone."""
    if (lengths <= DELAYS).any():
        raise InvalidSetting(
            f"trials: the shortest has {lengths.min()} steps; {DELAYS + 1} or more are needed to "
            "fit dynamics"
        )
    rows = []
    for trial, length in zip(states, lengths, strict=True):
        seen = [trial[delay : length - DELAYS + 1 + delay] for delay in range(DELAYS)]
        rows.append(np.hstack(seen))
    return np.concatenate(rows)


@distance(
    needs="states",
    source=DYNAMICS,
    invariances=("permutation", "rotation", "scaling"),
    paired=False,
    unit="rad",
    prepare=linear_model,
)
def dsa(a: np.ndarray, b: np.ndarray) -> float:
    """Dynamical similarity analysis: the angle between two vector fields after the best rotation.

    Vector fields are those of linear models of the delayed states. The rotation is the best of a
    search from 8 places, which may end in a local optimum: the triangle inequality is then no
    promise.
    """
    if a.ravel().tolist() > b.ravel().tolist():  # any order: (b, a) has the same search
        a, b = b, a
    size = max(len(a), len(b))
    a, b = _padded(a, size), _padded(b, size)
    tried = [_turned(a, b, start, GLANCE) for start in _starts(a, b)]
    best = min(tried, key=lambda found: found[0])[1]
    chord, _ = _turned(a, b, best, LONGEST)
    return float(2 * np.arcsin(min(1.0, chord / 2)))


def _padded(matrix: np.ndarray, size: int) -> np.ndarray:
    """With further dimensions that do nothing, of Frobenius norm 1."""
    more = size - len(matrix)
    return np.pad(matrix, (0, more)) / np.linalg.norm(matrix)


def _starts(a: np.ndarray, b: np.ndarray) -> list[np.ndarray]:
    """None, a reflection (no rotation leads to it), of Schur's forms onto each other, random."""
    same = np.eye(len(a))
    mirror = np.diag([*np.ones(len(a) - 1), -1.0])
    forms = [schur(matrix, output="real")[1] for matrix in (a, b)]
    rng = np.random.default_rng(0)
    turns = [np.linalg.qr(rng.normal(size=a.shape))[0] for _ in range(TURNS)]
    return [same, mirror, forms[0] @ forms[1].T, *turns]


def _turned(
    a: np.ndarray, b: np.ndarray, start: np.ndarray, steps: int
) -> tuple[float, np.ndarray]:
    """The least ‖A - C B Cᵀ‖ that is found from a rotation in so many steps, and its C."""
    upper = np.triu_indices(len(a), 1)
    same = np.eye(len(a))

    def turn_of(angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(1 + S)⁻¹ (1 - S) with S = -Sᵀ (Cayley), and the inverse in it."""
        skew = np.zeros_like(a)
        skew[upper] = angles
        skew -= skew.T
        inverse = np.linalg.inv(same + skew)
        return inverse @ (same - skew), inverse

    def squared(angles: np.ndarray) -> tuple[float, np.ndarray]:
        """‖A - C B Cᵀ‖² and its slopes."""
        turn, inverse = turn_of(angles)
        c = start @ turn
        rest = a - c @ b @ c.T
        of_c = -2 * (rest @ c @ b.T + rest.T @ c @ b)
        of_skew = -inverse.T @ start.T @ of_c @ (same + turn).T
        return float(np.square(rest).sum()), (of_skew - of_skew.T)[upper]

    known = {"jac": True, "method": "L-BFGS-B", "options": {"maxiter": steps, **SETTLED}}
    found = minimize(squared, np.zeros(len(upper[0])), **known)
    return float(np.sqrt(found.fun)), start @ turn_of(found.x)[0]


def eigenvalues_of_model(subject: Subject) -> np.ndarray:
    eigenvalues: np.ndarray = np.linalg.eigvals(linear_model(subject))
    return eigenvalues


@distance(
    needs="states",
    source=f"eigenvalues of the linear models of {DYNAMICS}, by optimal transport",
    invariances=("permutation", "rotation", "scaling"),
    metric=True,
    paired=False,
    unit="a.u.",
    prepare=eigenvalues_of_model,
)
def dmd_spectra(a: np.ndarray, b: np.ndarray) -> float:
    """The mean distance over which eigenvalues of one network's dynamics are moved to the other's.

    Of the linear models that `dsa` compares: what they have in common whatever the directions.
    """
    return transport(a, b)
