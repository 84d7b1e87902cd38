"""How well networks do their task."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from attractory._arguments import optional, takes, whole
from attractory._errors import InvalidSetting
from attractory._result import Result
from attractory.evaluation._networks import Networks, check_net
from attractory.evaluation._responses import Responses, as_responses
from attractory.tasks import Task, Trials, as_task_or_trials


@dataclass(frozen=True, repr=False)
class Scores(Result):
    """Scores over `n` trials; one number for one network, arrays (net,) for several.

    Attributes
    ----------
    n : int
        Number of trials.
    mse : float or array (net,)
        Mean squared error over the points that the mask counts, weighted by it.
    distance : float or array (net,)
        Frobenius norm of output - target (masked) over (time, output), mean over trials.
    accuracy : float or array (net,)
        Share of the counted points with a target other than 0 where the output has its sign.
    correct : float or array (net,)
        Share of the trials that are answered correctly, as the task has it (`Task.correct`), of
        those that have a correct answer; NaN where none has.
    mse_by_output, distance_by_output, accuracy_by_output : array (output,) or (net, output)
        The same for each output channel (each bit of a memory).

    References
    ----------
    Jarne (2024), section 5.1; sign accuracy as in its data's description.
    """

    n: int
    mse: np.ndarray
    distance: np.ndarray
    accuracy: np.ndarray
    correct: np.ndarray
    mse_by_output: np.ndarray
    distance_by_output: np.ndarray
    accuracy_by_output: np.ndarray

    @takes(net=whole())
    def of_network(self, net: int) -> Scores:
        """The scores of one of several networks.

        Parameters
        ----------
        net : int
            Index of the network.

        Returns
        -------
        Scores
            Without an axis of networks.
        """
        if self.mse.ndim == 0:
            raise InvalidSetting(f"net = {net} is not allowed: these are scores of one network")
        check_net(net, len(self.mse))
        return Scores(self.n, *(getattr(self, field.name)[net] for field in fields(self)[1:]))

    def table(self) -> pd.DataFrame:
        """The scores as a table.

        Returns
        -------
        pandas.DataFrame
            A row for each network and each output channel, and one over all channels ('all').
            Trials are correct or wrong as a whole: `correct` is NaN in the rows of single channels.
        """
        nets = np.atleast_1d(self.mse)
        names = ("mse", "distance", "accuracy")
        rows = []
        for net in range(len(nets)):
            whole = {name: np.atleast_1d(getattr(self, name))[net] for name in names}
            correct = np.atleast_1d(self.correct)[net]
            rows.append({"net": net, "output": "all", **whole, "correct": correct})
            for output in range(self.mse_by_output.shape[-1]):
                single = {
                    name: np.atleast_2d(getattr(self, f"{name}_by_output"))[net, output]
                    for name in names
                }
                rows.append({"net": net, "output": str(output), **single})
        return pd.DataFrame(rows)


@takes(task=optional(as_task_or_trials))
def evaluate(networks: Networks, task: Task | None = None, n: int = 512, seed: int = 0) -> Scores:
    """Scores of networks on `n` fresh trials of a task.

    Parameters
    ----------
    networks : Network, sequence of Network, Run, or Responses
        All get the same trials. Responses bring their own, and n and seed are not looked at.
    task : Task, optional
        None: the task of the run, or of the responses.
    n : int
        Number of trials.
    seed : int
        Of the trials and of the networks' own noise.

    Returns
    -------
    Scores
        Numbers for one network, arrays (net,) for several.

    Raises
    ------
    InvalidSetting
        When a network does not fit the task.
    """
    answers = as_responses(networks, task, n, seed)
    scores = score(answers)
    return scores.of_network(0) if answers.alone else scores


def score(answers: Responses) -> Scores:
    """Scores with an axis of networks, however many there are."""
    rows = [_score(outputs, answers) for outputs in answers]
    return Scores(len(answers.trials), *(np.stack(column) for column in zip(*rows, strict=True)))


def short_scores(outputs: np.ndarray, answers: Responses) -> tuple[float, float, float]:
    """`mse`, `accuracy` and `correct` alone, of outputs (trial, time, output)."""
    trials = answers.trials
    errors = trials.mask * np.square(outputs.astype(np.float64) - trials.targets)
    agreeing, asked = sign_agreement(outputs, trials)
    return (
        errors.sum() / max(float(trials.mask.sum()), 1e-12),
        agreeing.sum() / max(asked.sum(), 1),
        float(_share_correct(answers.task.correct(outputs, trials))),
    )


def _score(outputs: np.ndarray, answers: Responses) -> tuple[np.ndarray, ...]:
    """mse, distance, accuracy, correct; then the first three by output."""
    task, trials = answers.task, answers.trials
    outputs = outputs.astype(np.float64)
    errors = trials.mask * np.square(outputs - trials.targets)
    by_output = errors.sum((0, 1)) / np.maximum(trials.mask.sum((0, 1)), 1e-12)
    agreeing, asked = sign_agreement(outputs, trials)
    distance_by_output = np.sqrt(errors.sum(1)).mean(0)
    return (
        errors.sum() / max(float(trials.mask.sum()), 1e-12),
        np.sqrt(errors.sum((1, 2))).mean(),
        agreeing.sum() / max(asked.sum(), 1),
        _share_correct(task.correct(outputs, trials)),
        by_output,
        distance_by_output,
        agreeing.sum((0, 1)) / np.maximum(asked.sum((0, 1)), 1),
    )


def _share_correct(correct: np.ndarray) -> np.ndarray:
    """The mean over trials (trial,), NaN left out."""
    answered = correct[~np.isnan(correct)]
    return np.asarray(answered.mean() if len(answered) else np.nan)


def sign_agreement(outputs: np.ndarray, trials: Trials) -> tuple[np.ndarray, np.ndarray]:
    """(trial, time, output) each: where the sign is correct, and where one is asked for."""
    asked = (trials.targets != 0) & (trials.mask > 0)
    return asked & (np.sign(outputs) == np.sign(trials.targets)), asked
