"""The directions in which a network leaves a fixed point."""

from __future__ import annotations

import numpy as np

from attractory.analysis.dynamics._step import Step

ITERATIONS = 3  # of the inverse iteration: it starts within rounding of the eigenvalue
BESIDE = 1e-7  # the shift lies so far beside the eigenvalue that the equations have a solution


def eigenvectors(step: Step, state: np.ndarray, values: np.ndarray) -> np.ndarray:
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
        found += [vector] if value.imag == 0 else [vector.real, vector.imag]
    vectors = np.array(found).reshape(-1, len(jacobian))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _eigenvector(jacobian: np.ndarray, value: complex, rng: np.random.Generator) -> np.ndarray:
    real = value.imag == 0
    shift = (value.real if real else value) * (1 + BESIDE)
    vector = rng.normal(size=len(jacobian)).astype(jacobian.dtype if real else complex)
    for _ in range(ITERATIONS):
        vector = np.linalg.solve(jacobian - shift * np.eye(len(jacobian)), vector)
        vector = vector / np.linalg.norm(vector)
    return vector
