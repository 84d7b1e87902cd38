"""The best answer that ignores the inputs, for memories of several channels that are alike."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from attractory.tasks._task import Task

VALUES = (-1, 0, 1)  # that a target can have
_POINTS = 2_000_000  # of all trials that are searched in: 16 MB for each value
_FEWEST, _MOST = 256, 4096  # trials that are searched in, and as many others that are scored
# answers that the search looks at, and how many of them it improves: with more of either it finds
# none better for the usual settings
_STARTS, _IMPROVED = 24, 10
_ROUNDS = 12  # of improvement; an answer stays as it is after about five


@lru_cache(maxsize=64)
def best_guess(channel: Task, channels: int) -> float:
    """The share of trials answered correctly by the best fixed answer that a search finds.

    channel: the task with one channel alone, whose targets are -1, 0 and 1; the task in question
    has `channels` independent ones of the kind. A trial is correct where enough points of all
    channels together are; the sum over channels has the distribution of one, folded with itself.

    An answer is improved by giving to each step the value that is correct in most of the trials,
    each weighed by the probability that the other channels leave the decision to this one. What is
    returned was counted in fresh trials, so it is no better than the truth but for chance.
    """
    trials = min(_MOST, max(_FEWEST, _POINTS // channel.n_steps))
    seen = _Channel.drawn(channel, trials, channels, seed=0)
    begun = sorted(seen.starts(), key=seen.correct)[-_IMPROVED:]
    best = max((seen.improved(start) for start in begun), key=seen.correct)
    return _Channel.drawn(channel, trials, channels, seed=1).correct(best)


@dataclass(frozen=True)
class _Channel:
    """Trials of one channel out of several.

    asked (trial, value, time): 1 where that value is asked for and counts. needed (trial,): how
    many points must be correct.
    """

    asked: np.ndarray
    needed: np.ndarray
    channels: int

    @classmethod
    def drawn(cls, task: Task, n: int, channels: int, seed: int) -> _Channel:
        trials = task.sample(n, seed=seed)
        targets, counts = trials.targets[..., 0], trials.mask[..., 0] > 0
        asked = np.stack([(targets == value) & counts for value in VALUES], axis=1)
        return cls(asked.astype(np.float32), task.share_needed * counts.sum(1), channels)

    def starts(self) -> list[np.ndarray]:
        """Answers, (value, time) of 0 and 1: 0, then 1 from some step on; what trials ask for."""
        steps = self.asked.shape[2]
        made = []
        for turn in np.linspace(0, steps, _STARTS // 2, endpoint=False).astype(int):
            later = np.arange(steps) >= turn
            made.append(np.stack([np.zeros(steps), ~later, later]).astype(np.float32))
        return [*made, *self.asked[: _STARTS - len(made)]]

    def correct(self, answer: np.ndarray) -> float:
        """The share of trials that the answer, the same in each channel, meets."""
        return float(self._decides(answer).mean())

    def improved(self, answer: np.ndarray) -> np.ndarray:
        """The answer after rounds of improvement."""
        score = self.correct(answer)
        for _ in range(_ROUNDS):
            weights = self._decides(answer).astype(np.float32)
            votes = np.tensordot(weights, self.asked, axes=1)
            changed = (votes.argmax(0) == np.arange(len(VALUES))[:, None]).astype(np.float32)
            new = self.correct(changed)
            if new <= score:
                break
            answer, score = changed, new
        return answer

    def _decides(self, answer: np.ndarray) -> np.ndarray:
        """(trial,): the probability that this and the other channels have enough correct points."""
        matches = self.asked.reshape(len(self.asked), -1) @ answer.ravel()
        surplus = matches - self.needed
        if self.channels == 1:
            return surplus >= -1e-6
        grid = np.round(10 * surplus).astype(int)  # the share needed is a number of tenths, usually
        lowest = int(grid.min())
        one = np.bincount(grid - lowest) / len(grid)
        others = one
        for _ in range(self.channels - 2):
            others = np.convolve(others, one)
        above = np.append(np.cumsum(others[::-1])[::-1], 0.0)  # by the sum over the others
        asked = -grid - (self.channels - 1) * lowest
        return above[np.clip(asked, 0, len(above) - 1)]
