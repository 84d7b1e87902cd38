"""Bounds of rounding in double precision, for all proofs."""

from __future__ import annotations

import numpy as np

EPS = float(np.finfo(np.float64).eps)
SLACK = 1.0 + 1e-9  # more than the rounding of a bound itself, which adds positive numbers only
TINY = 1e-280  # more than what underflow can lose


def sum_error(n: int) -> float:
    """Bound of the relative error of a sum of n products (Higham 2002, section 3.1)."""
    unit = EPS / 2
    return n * unit / (1 - n * unit)
