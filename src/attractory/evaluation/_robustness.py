"""How well networks do under conditions that they were not trained for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from attractory._arguments import a_name, optional, several, takes, whole
from attractory._errors import InvalidSetting, whole_number
from attractory._result import Result
from attractory.evaluation._axes import Axis, axis_of, check_vary
from attractory.evaluation._networks import Networks, check_fit, networks_of, task_of
from attractory.evaluation._responses import Responses
from attractory.evaluation._scores import short_scores
from attractory.models import Network
from attractory.tasks import Task, Trials, as_task

SCORES = ("mse", "accuracy", "correct")


@dataclass(frozen=True, repr=False)
class RobustnessCurve(Result):
    """Scores as one condition of the task varies.

    Attributes
    ----------
    vary : str
        The condition (a setting of the task, or the name of an axis).
    values : array (value,), or tuple
        Those that it took: a tuple where they are no numbers, such as the ends of a range.
    trained : object
        Its value in the task as given; of an axis the value at which nothing is changed, or None.
    mse, accuracy, correct : array (value,) or (net, value)
        For one network or for several; see `Scores`.
    label : str
        Of the condition on a figure, with its unit; "" where the figure knows it.
    """

    vary: str
    values: np.ndarray | tuple[Any, ...]
    trained: Any
    mse: np.ndarray
    accuracy: np.ndarray
    correct: np.ndarray
    label: str = ""

    def table(self) -> pd.DataFrame:
        """The curve as a table.

        Returns
        -------
        pandas.DataFrame
            A row for each network and value.
        """
        scores = {name: np.atleast_2d(getattr(self, name)) for name in SCORES}
        nets, values = scores["mse"].shape
        return pd.DataFrame(
            {
                "vary": self.vary,
                "value": list(self.values) * nets,
                "net": np.repeat(np.arange(nets), values),
                **{name: each.ravel() for name, each in scores.items()},
            }
        )


@takes(task=optional(as_task), vary=a_name, values=several, repeats=whole(1))
def robustness(
    networks: Networks,
    task: Task | None = None,
    vary: str = "noise",
    values: Sequence[Any] = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5),
    n: int = 128,
    seed: int = 0,
    repeats: int = 1,
) -> RobustnessCurve:
    """Scores of networks as a setting of the task takes other values.

    Parameters
    ----------
    networks : Network, sequence of Network, Run, or Responses
        Responses are those to the task as it is: the point of the curve that is no other condition
        is taken from their first `n` trials, and their seed is the curve's.
    task : Task, optional
        None: the task of the run, or of the responses.
    vary : str
        For a flip-flop, "noise" (standard deviation), "amplitude" (of the pulses), "pulse" (width
        in steps; the answer stays asked for at the same time after onset), any other setting, or
        the name of an axis (`attractory.evaluation.axis`).
    values : sequence
        Of the setting: numbers, or whatever it takes, such as ranges.
    n : int
        Number of trials for each value.
    seed : int
        Of the trials and of the networks' own noise.
    repeats : int
        How often an axis that draws at random draws anew, for each network: scores are the means.
        The trials are the same ones.

    Returns
    -------
    RobustnessCurve
        Mean squared error, sign accuracy and share of correct trials at each value.

    Raises
    ------
    InvalidSetting
        For an unknown setting, or a value that the task does not allow.

    Notes
    -----
    Every value is tried on `n` trials of the same seed, so that neighbouring points of the curve
    differ by the condition alone.
    """
    if len(values) == 0:
        raise InvalidSetting("values is empty; at least one value is needed")
    whole_number("n", n)
    found, meant = networks_of(networks), task_of(networks, task)
    known = networks if isinstance(networks, Responses) else None
    seed = known.seed if known else seed
    check_vary(vary, meant)
    axis = axis_of(vary, meant)
    check_fit(found, meant)
    trials = _OnceSampled(n, seed, known)
    if axis is None:
        tried = [(found, meant.varied(vary, value)) for value in values]
        trained, label = getattr(meant, vary), ""
        by_net = _scores(tried, trials)
    else:
        trained, label = axis.trained, axis.label
        by_net = _scores_on_axis(axis, found, meant, values, trials, repeats)
    if known.alone if known else isinstance(networks, Network):
        by_net = by_net[:, 0]
    mse, accuracy, correct = by_net
    return RobustnessCurve(vary, _as_they_are(values), trained, mse, accuracy, correct, label)


def _as_they_are(values: Sequence[Any]) -> np.ndarray | tuple[Any, ...]:
    """Numbers as an array; what is no number as a tuple, with the ends of ranges as tuples."""
    if all(isinstance(value, (int, float, np.number)) for value in values):
        return np.asarray(values)
    return tuple(tuple(value) if isinstance(value, list) else value for value in values)


def _scores_on_axis(
    axis: Axis,
    networks: list[Network],
    task: Task,
    values: Sequence[Any],
    trials: _OnceSampled,
    repeats: int,
) -> np.ndarray:
    """(score, net, value): means over what an axis draws; where it draws nothing it is tried once.

    What is drawn is the same for all values.
    """
    scores: list[np.ndarray] = []
    for repeat in range(repeats):
        tried, drew = [], False
        for value in values:
            made, changed, random = _changed(axis, networks, task, value, trials.seed, repeat)
            tried.append((made, changed))
            drew |= random
        scores.append(_scores(tried, trials))
        if not drew:
            break
    return scores[0] if len(scores) == 1 else np.mean(scores, axis=0)


def _changed(
    axis: Axis, networks: list[Network], task: Task, value: Any, seed: int, repeat: int
) -> tuple[list[Network], Task, bool]:
    """Networks and task at one value of an axis, and whether anything was drawn for it."""
    made, drew = [], False
    changed = task
    for net, network in enumerate(networks):
        rng = np.random.default_rng([seed, net, repeat] if repeat else [seed, net])
        before = rng.bit_generator.state
        network, changed = axis.function(network, task, value, rng)
        drew |= rng.bit_generator.state != before
        made.append(network)
    return made, changed, drew


def _scores(tried: Sequence[tuple[list[Network], Task]], trials: _OnceSampled) -> np.ndarray:
    """(score, net, value): the scores of `SCORES` under each condition."""
    for networks, task in tried:
        check_fit(networks, task)
    return np.stack([_point(trials.responses(*each)) for each in tried], axis=-1)


def _point(answers: Responses) -> np.ndarray:
    """(score, net): the scores of `SCORES`."""
    return np.array([short_scores(outputs, answers) for outputs in answers]).T


class _OnceSampled:
    """The trials of a curve: those of one task after the other, each sampled once."""

    def __init__(self, n: int, seed: int, known: Responses | None) -> None:
        """known: responses to the task as it is, whose outputs need not be simulated again."""
        self.n, self.seed, self._known = n, seed, known
        self._last: tuple[Task, Trials] | None = None

    def responses(self, networks: list[Network], task: Task) -> Responses:
        """The responses under one condition: those that are known, or to be simulated."""
        known = self._known
        own = known is not None and all(
            a is b for a, b in zip(networks, known.networks, strict=True)
        )
        if known is not None and own and task == known.task and self.n <= len(known.trials):
            return known.first(self.n)
        if self._last is None or self._last[0] != task:
            # each condition is another program that would run once: compiling it costs more than
            # it saves
            self._last = (task, task.sample(self.n, self.seed, compiled=False))
        return Responses(task, self._last[1], tuple(networks), self.seed)
