"""How fast nearby states go apart: Lyapunov exponents with their evidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from attractory._result import Result


@dataclass(frozen=True, repr=False)
class LyapunovExponents(Result):
    """The first Lyapunov exponents of a map h -> F(h, x), largest first.

    Attributes
    ----------
    exponents : array (exponent,)
        Per step, the mean over starts: a disturbance along the first grows as exp(exponent · steps)
        in the long run. Minus infinity where disturbances vanish within a step.
    low, high : array (exponent,)
        Ends of the 95 % interval of that mean, from the spread over starts (Student's t); NaN of
        one start.
    by_start : array (start, exponent)
        Those of each start alone. Where they fall in groups, starts have come to several
        attractors, and their mean is of none.
    steps : array of int (start,)
        Steps that count, of each start.
    washout : int
        Steps before them, in which states come to the attractor and the directions settle.
    dt : float
        Length of a step (ms, usually).
    units : int
        Entries of a state: so many exponents there are in all.
    """

    exponents: np.ndarray
    low: np.ndarray
    high: np.ndarray
    by_start: np.ndarray
    steps: np.ndarray
    washout: int
    dt: float
    units: int

    @property
    def per_time(self) -> np.ndarray:
        """The exponents per unit of dt, (exponent,): per ms where dt is in ms."""
        return self.exponents / self.dt

    @property
    def dimension(self) -> float:
        """The Kaplan-Yorke dimension; NaN where it needs more exponents than are known.

        Of the sums of the first exponents the last that is not negative, of j of them, gives
        j + sum / |exponent j+1|.
        """
        sums = np.cumsum(self.exponents)
        if self.exponents[0] < 0:
            return 0.0
        below = np.flatnonzero(sums < 0)
        if not len(below):
            return float(self.units) if len(sums) == self.units else float("nan")
        count = int(below[0])
        return count + float(sums[count - 1] / -self.exponents[count])

    @property
    def statement(self) -> str:
        """What the largest exponent says, in words."""
        per_step = f"largest Lyapunov exponent {self.exponents[0]:.4g} per step"
        if len(self.by_start) < 2:
            return f"{per_step}; of one start there is no interval."
        between = f"{per_step} (95 % interval {self.low[0]:.4g} to {self.high[0]:.4g})"
        if self.low[0] > 0:
            return f"{between}: nearby states go apart."
        if self.high[0] < 0 or self.exponents[0] == -np.inf:
            return f"{between}: nearby states come together."
        return f"{between}: its sign is not told."

    def summary(self) -> dict[str, float]:
        """The largest exponent, and what follows from all of them.

        Returns
        -------
        dict of float
            The largest per step with its interval, the largest per unit of dt, the sum per step of
            those known, their number, and the Kaplan-Yorke dimension.
        """
        return {
            "largest": float(self.exponents[0]),
            "low": float(self.low[0]),
            "high": float(self.high[0]),
            "largest_per_time": float(self.per_time[0]),
            "sum": float(self.exponents.sum()),
            "exponents": len(self.exponents),
            "dimension": self.dimension,
        }

    def table(self) -> pd.DataFrame:
        """The exponents as a table.

        Returns
        -------
        pandas.DataFrame
            A row for each exponent: its number, per step with the ends of its interval, per unit
            of dt.
        """
        return pd.DataFrame(
            {
                "exponent": np.arange(1, len(self.exponents) + 1),
                "per_step": self.exponents,
                "low": self.low,
                "high": self.high,
                "per_time": self.per_time,
            }
        )
