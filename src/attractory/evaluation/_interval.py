"""Confidence of a share."""

from __future__ import annotations

import numpy as np

Z = 1.959964  # of a two-sided interval of 95 %


def wilson_interval(successes: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper end of the 95 % score interval of a share (Wilson 1927, JASA 22:209).

    Without any trial it goes from 0 to 1.
    """
    successes, counts = np.asarray(successes, float), np.asarray(counts, float)
    middle = (successes + Z**2 / 2) / (counts + Z**2)
    variance = successes * (counts - successes) / np.maximum(counts, 1)
    half = Z / (counts + Z**2) * np.sqrt(variance + Z**2 / 4)
    return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)
