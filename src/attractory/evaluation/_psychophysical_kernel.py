"""Psychophysical kernels: which moments of noisy evidence move the choice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from attractory._arguments import optional, refusal, takes
from attractory._errors import InvalidSetting, nearest, shown
from attractory._result import Result
from attractory.evaluation._conditions import condition, in_levels
from attractory.evaluation._networks import Networks, check_fit, networks_of, task_of
from attractory.evaluation._responses import as_responses
from attractory.tasks import EvidenceStream, Task, Trials, aligned, as_task

LEAST_NOISE = 1e-5  # of the inputs' size: what float32 numbers vary by is rounding


@dataclass(frozen=True, repr=False)
class PsychophysicalKernel(Result):
    """How one stream of evidence moves the choices of one network, moment by moment.

    Attributes
    ----------
    net : int
        Index of the network.
    value : float or None
        Of the condition `by`, None without one.
    stream : str
        The condition that the stream is evidence of.
    epoch : str or None
        The epoch in which it is shown; None: the whole trial.
    time_ms : array (time,)
        The end of each step after the beginning of the stream's epoch (ms).
    kernel, sem : array (time,)
        Mean noise of the stream in trials in which the first option was chosen, minus that in which
        another one was, in standard deviations of the noise of one step; its standard error. NaN at
        times at which there are not both.
    trials : int
        Trials with a choice.
    undecided : float
        Share of all trials in which no option was chosen.
    """

    net: int
    value: float | None
    stream: str
    epoch: str | None
    time_ms: np.ndarray
    kernel: np.ndarray
    sem: np.ndarray
    trials: int
    undecided: float

    @property
    def mean(self) -> float:
        """Mean of the kernel over time, each time weighted by how well it is known."""
        return self._mean(np.isfinite(self.kernel))[0]

    @property
    def mean_error(self) -> float:
        """Standard error of that mean."""
        return self._mean(np.isfinite(self.kernel))[1]

    @property
    def halves(self) -> tuple[float, float]:
        """Its means over the first and over the second half of the times."""
        known = np.isfinite(self.kernel)
        early = np.arange(len(known)) < len(known) / 2
        return self._mean(known & early)[0], self._mean(known & ~early)[0]

    @property
    def p_flat(self) -> float:
        """Probability of a scatter as large or larger around the mean of a flat kernel (χ²)."""
        known = np.isfinite(self.kernel)
        if known.sum() < 2:
            return float("nan")
        deviations = (self.kernel[known] - self.mean) / self.sem[known]
        return float(chdtrc(known.sum() - 1, np.square(deviations).sum()))

    def _mean(self, times: np.ndarray) -> tuple[float, float]:
        if not times.any():
            return float("nan"), float("nan")
        weights = self.sem[times] ** -2.0
        return float(np.average(self.kernel[times], weights=weights)), float(weights.sum() ** -0.5)


@dataclass(frozen=True, repr=False)
class PsychophysicalKernels(Result):
    """Psychophysical kernels of one network or several.

    Attributes
    ----------
    option : str
        Name of the first option.
    by : str or None
        The condition that tells the kernels of a network and stream apart.
    kernels : tuple of PsychophysicalKernel
        By network, then by value of `by`, then by stream.
    """

    option: str
    by: str | None
    kernels: tuple[PsychophysicalKernel, ...]

    def table(self) -> pd.DataFrame:
        """The kernels as a table.

        Returns
        -------
        pandas.DataFrame
            A row for each kernel: its trials, its mean with standard error, the means of its first
            and second half, and how probable its scatter is if it is flat.
        """
        rows = []
        for one in self.kernels:
            value = {} if self.by is None else {self.by: one.value}
            trials = {"trials": one.trials, "undecided": one.undecided}
            mean = {"mean": one.mean, "mean_error": one.mean_error}
            first, second = one.halves
            shape = {"first half": first, "second half": second, "p_flat": one.p_flat}
            rows.append({"net": one.net, **value, "stream": one.stream, **trials, **mean, **shape})
        return pd.DataFrame(rows)


def _streams(name: str, value: Any) -> tuple[EvidenceStream, ...]:
    """An argument that must be a stream of evidence, or several."""
    found = [value] if isinstance(value, EvidenceStream) else value
    if not isinstance(found, (list, tuple)) or not found:
        raise InvalidSetting(refusal(name, value, "an EvidenceStream, or a list of them,"))
    for each in found:
        if not isinstance(each, EvidenceStream):
            raise InvalidSetting(refusal(name, each, "an EvidenceStream"))
    return tuple(found)


@takes(task=optional(as_task), streams=optional(_streams))
def psychophysical_kernel(
    networks: Networks,
    task: Task | None = None,
    n: int = 4096,
    seed: int = 0,
    by: str | None = None,
    streams: Sequence[EvidenceStream] | None = None,
) -> PsychophysicalKernels:
    """Which moments of noisy evidence move the choice: reverse correlation.

    Parameters
    ----------
    networks : Network, sequence of Network, Run, or Responses
        All get the same trials. Responses bring their own, and n and seed are not looked at.
    task : Task, optional
        None: the task of the run, or of the responses. Its weakest evidence should be weak: where
        the evidence alone decides, its noise moves nothing.
    n : int
        Number of trials.
    seed : int
        Of the trials and of the networks' own noise.
    by : str, optional
        A condition (such as "context") for each of whose values there are kernels.
    streams : EvidenceStream or sequence of EvidenceStream, optional
        Where the evidence is; the task's own (`Task.evidence_streams`) when None.

    Returns
    -------
    PsychophysicalKernels
        A kernel for each network, value of `by`, and stream.

    Raises
    ------
    InvalidSetting
        For a task without options or streams, an unknown condition, epoch or input, and evidence
        without noise.

    Notes
    -----
    The noise is what is left of a stream where its mean in trials of equal evidence is taken off.
    The kernel is the difference of its means between choices, taken between trials of equal
    evidence (in all streams) and averaged over the evidence, each weighted by how well it is known:
    n₁n₂ / (n₁ + n₂) for n₁ and n₂ choices. Of Gaussian noise that is independent from step to step
    the kernel is proportional to the weights of an observer who chooses by a weighted sum: flat for
    a perfect integrator, rising towards the end for a leaky one. Noise that is correlated over
    steps spreads it. The size of a kernel grows with the share of choices that noise decides; for
    evidence of 0 and no other noise the squares of the kernels of all streams sum up to 8/π, no
    more.

    With several answer epochs the choice is that of the first. Trials in which no option is chosen
    are left out.

    References
    ----------
    Neri & Heeger (2002), Nat. Neurosci. 5:812. Kiani, Hanks & Shadlen (2008), J. Neurosci. 28:3017.
    """
    meant = task_of(networks, task)
    check_fit(networks_of(networks), meant)
    found = _check_streams(meant, streams)  # before anything is simulated
    answers = as_responses(networks, task, n, seed)
    return kernels_of_outputs(answers, answers.task, answers.trials, found, by)


def _check_streams(
    task: Task, streams: Sequence[EvidenceStream] | None
) -> tuple[EvidenceStream, ...]:
    """Those that are meant; InvalidSetting where the task has no such inputs, or no options."""
    if not task.options:
        raise InvalidSetting(
            f"task {shown(task.name)} is not answered by choosing between options; a "
            "psychophysical kernel needs a ChoiceTask, or a task with `options` and chosen()"
        )
    found = task.evidence_streams if streams is None else tuple(streams)
    if not found:
        raise InvalidSetting(
            f"task {shown(task.name)} states no streams of evidence; name them: "
            "streams=[at.tasks.EvidenceStream(condition, epoch, plus, minus)]"
        )
    names = task.input_names[: task.n_inputs]
    for stream in found:
        for name in (stream.plus, stream.minus):
            if name is not None and name not in names:
                raise InvalidSetting(
                    f"streams: {shown(name)} is no input of {task.name}; {nearest(name, names)}"
                )
    return found


def kernels_of_outputs(
    outputs: Iterable[np.ndarray],
    task: Task,
    trials: Trials,
    streams: Sequence[EvidenceStream],
    by: str | None = None,
) -> PsychophysicalKernels:
    """The kernels of outputs (trial, time, output) to the same trials, one for each network."""
    values = np.zeros(len(trials))
    if by is not None:
        values = in_levels(condition("by", by, task, trials))
    names = dict.fromkeys(stream.condition for stream in streams)
    strengths = {name: condition("streams", name, task, trials) for name in names}
    levels = pd.DataFrame({name: in_levels(given) for name, given in strengths.items()})
    equal = levels.groupby(list(levels)).ngroup().to_numpy()  # -1 where one has no value
    noise = {stream: _noise(stream, task, trials, strengths, equal) for stream in streams}
    made = []
    for net, given in enumerate(outputs):
        chosen = task.chosen(given, trials)[:, 0]
        used = (chosen >= 0) & (equal >= 0)
        for value in np.unique(values[~np.isnan(values)]):
            here = values == value
            about = None if by is None else value.item(), float((chosen[here] < 0).mean())
            for stream, (time_ms, array) in noise.items():
                own = here & used
                kernel, sem = _difference(array[own], chosen[own] == 0, equal[own])
                made.append(
                    PsychophysicalKernel(
                        net, about[0], stream.condition, stream.epoch, time_ms, kernel, sem,
                        trials=int(own.sum()), undecided=about[1],
                    )
                )  # fmt: skip
    return PsychophysicalKernels(task.options[0], by, tuple(made))


def _noise(
    stream: EvidenceStream,
    task: Task,
    trials: Trials,
    strengths: dict[str, np.ndarray],
    equal: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Times of the stream (ms), and what of it (trial, time) does not follow from the evidence."""
    laid = aligned(trials, stream.epoch)
    channels = trials.inputs.astype(np.float64)
    evidence = channels[..., task.input_names.index(stream.plus)]
    if stream.minus is not None:
        evidence = evidence - channels[..., task.input_names.index(stream.minus)]
    array = laid.of(evidence)
    array[equal < 0] = np.nan
    strength = np.asarray(strengths[stream.condition], np.float64)
    noise = np.stack([_without(strength, column) for column in array.T], axis=1)
    if np.nanstd(noise) <= LEAST_NOISE * np.nanmax(np.abs(array), initial=1e-300):
        raise InvalidSetting(
            f"streams: the evidence of {shown(stream.condition)} has no noise in these trials; a "
            "kernel needs some"
        )
    return laid.time_ms, noise


def _without(strength: np.ndarray, column: np.ndarray) -> np.ndarray:
    """One step of a stream (trial,) without what is linear in the strength of the evidence."""
    known = np.isfinite(column)
    design = np.column_stack([strength[known], np.ones(known.sum())])
    freed = column.copy()
    freed[known] -= design @ np.linalg.lstsq(design, column[known], rcond=None)[0]
    return freed


def _difference(
    noise: np.ndarray, first: np.ndarray, equal: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Kernel and standard error (time,) from noise (trial, time), choices and equal evidence."""
    sums = np.zeros((5, noise.shape[1]))
    for group in np.unique(equal):
        parts = [noise[(equal == group) & (first == side)] for side in (True, False)]
        (one, mean_one, within_one), (two, mean_two, within_two) = map(_moments, parts)
        both = (one > 0) & (two > 0)
        weight = np.where(both, one * two / np.maximum(one + two, 1), 0.0)
        apart = mean_one - mean_two
        within = np.where(both, within_one + within_two, 0.0)
        number = np.where(both, one + two, 0.0)
        sums += [weight * apart, weight, within, within + weight * apart**2, number - 2 * both]
    weighted, weights, within, total, freedom = sums
    known = (freedom > 0) & (total > 0)
    weights, freedom = (np.where(known, each, np.nan) for each in (weights, freedom))
    # the scatter of means is that within choices; the unit is that of the noise as it is shown
    unit = np.sqrt(total / freedom)
    return weighted / weights / unit, np.sqrt(within / freedom / weights) / unit


def _moments(noise: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number, mean (0 without any) and sum of squares about it, at each time."""
    known = np.isfinite(noise)
    count = known.sum(axis=0).astype(float)
    mean = np.where(known, noise, 0.0).sum(axis=0) / np.maximum(count, 1)
    return count, mean, np.where(known, np.square(noise - mean), 0.0).sum(axis=0)
