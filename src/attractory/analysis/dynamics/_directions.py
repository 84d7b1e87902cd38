"""The directions in which a network leaves a fixed point."""

from __future__ import annotations

import numpy as np

from attractory.analysis.dynamics._step import Step

ITERATIONS = 3  # of the inverse iteration: it starts within rounding of the eigenvalue
BESIDE = 1e-7  # the shift lies so far beside the eigenvalue that the equations have a solution


def eigenvectors(
    step: Step,
    state: np.ndarray,
    values: np.ndarray,
) -> np.ndarray:
    """Unit vectors (direction, unit): those of eigenvalues of the Jacobian at a state.

    A complex value gives the real and the imaginary part of its vector. By inverse iteration, as
    the eigenvalues are known: a solution of linear equations each instead of the decomposition of
    a whole Jacobian.
    """
    jacobian = step.jacobians(state[None])[0]
    rng = np.random.default_rng(0)  # a start of its own each: one eigenvalue may come twice
    found: list[np.ndarray] = []
    for value in values:
        vector = _eigenvector(jacobian, value, rng)
        if value.imag == 0:
            found.append(vector)
        else:
            found.append(vector.real)
            found.append(vector.imag)
    vectors = np.array(found).reshape(-1, len(jacobian))
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / lengths


def _eigenvector(
    jacobian: np.ndarray,
    value: complex,
    rng: np.random.Generator,
) -> np.ndarray:
    n = len(jacobian)
    real = value.imag == 0
    eigenvalue = value.real if real else value
    dtype = jacobian.dtype if real else complex
    shift = eigenvalue * (1 + BESIDE)
    system = jacobian - shift * np.eye(n)
    start = rng.normal(size=n)
    vector = start.astype(dtype)
    for _ in range(ITERATIONS):
        vector = np.linalg.solve(system, vector)
        length = np.linalg.norm(vector)
        vector = vector / length
    return vector
