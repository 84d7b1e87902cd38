"""Seeing at once that a network diverges."""

from __future__ import annotations

from typing import Any

import numpy as np

WINDOW = 10  # updates over which a loss is averaged before it is judged
GOOD, BAD = 1.5, 5.0  # times the best average so far
FORGOTTEN = 0.5  # of the loss of a network that says nothing


class DivergenceWatch:
    """Judges each network by its own training losses.

    A network has diverged when its loss is not finite, or when the average of its last 10 losses
    is five times its best such average and at the same time worse than half of what silence
    (output 0) would cost: it has forgotten what it knew. What that would cost is one number, or one
    for each network (net,).
    """

    def __init__(self, nets: int, silent_loss: float | np.ndarray) -> None:
        self.silent_loss = silent_loss
        self.recent = np.full((nets, WINDOW), np.nan)
        self.best = np.full(nets, np.inf)

    def see(self, losses: np.ndarray, active: np.ndarray) -> np.ndarray:
        """Take in one update's losses; which of the active networks have diverged by now."""
        broken = active & ~np.isfinite(losses)
        seen = active & ~broken
        self.recent[seen] = np.roll(self.recent[seen], -1, axis=1)
        self.recent[seen, -1] = losses[seen]
        average = self._average()
        full = ~np.isnan(average)
        self.best = np.where(full & seen, np.fmin(self.best, average), self.best)
        forgot = seen & full & (average > BAD * self.best)
        return broken | (forgot & (average > FORGOTTEN * self.silent_loss))

    def good(self) -> np.ndarray:
        """Which networks are near their best, worth going back to."""
        return self._average() <= GOOD * self.best

    def forgotten(self) -> np.ndarray:
        """Which networks know nothing now: their loss is worse than half of that of silence."""
        counted = np.maximum((~np.isnan(self.recent)).sum(axis=1), 1)
        return np.nansum(self.recent, axis=1) / counted > FORGOTTEN * self.silent_loss

    def forget(self, which: np.ndarray, best_too: bool) -> None:
        """Start the averages of these networks anew, and their best if wanted."""
        self.recent[which] = np.nan
        if best_too:
            self.best[which] = np.inf

    def to_json(self) -> dict[str, Any]:
        """State for the checkpoint; floats come back exactly."""
        return {
            "silent_loss": np.asarray(self.silent_loss).tolist(),
            "recent": self.recent.tolist(),
            "best": self.best.tolist(),
        }

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> DivergenceWatch:
        """The watch that `to_json` wrote."""
        silent_loss = np.asarray(state["silent_loss"])
        watch = cls(len(state["best"]), silent_loss if silent_loss.ndim else float(silent_loss))
        watch.recent, watch.best = np.array(state["recent"]), np.array(state["best"])
        return watch

    def _average(self) -> np.ndarray:
        """Mean of the last losses (net,), nan until there are enough."""
        return self.recent.mean(axis=1)
