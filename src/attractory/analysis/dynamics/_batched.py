"""Products of many small matrices with a vector each, as NumPy runs them side by side."""

from __future__ import annotations

import numpy as np


def times(
    matrices: np.ndarray,
    vectors: np.ndarray,
) -> np.ndarray:
    """Each matrix times its vector: (…, row, column), (…, column) -> (…, row)."""
    columns = vectors[:, :, None]
    return (matrices @ columns)[:, :, 0]
