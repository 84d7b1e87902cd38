"""What networks answer to trials: simulated once, for all that is measured on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from attractory._arguments import optional, takes, whole
from attractory._errors import InvalidSetting, shown
from attractory._shown import Shown
from attractory.evaluation._networks import Networks, check_fit, check_net, networks_of, task_of
from attractory.models import Network
from attractory.tasks import Task, Trials, as_task_or_trials, noise_seed

KEPT = 2**30  # bytes of outputs that are kept; what is beyond is simulated again where needed


@dataclass(frozen=True, repr=False)
class Responses(Shown):
    """The outputs of networks in the same trials, from which scores and curves are computed.

    Each network is simulated when its outputs are first asked for, and once: outputs are kept, up
    to 1 GiB of them.

    Attributes
    ----------
    task : Task
        That tells which answers are correct.
    trials : Trials
        That all networks got.
    networks : tuple of Network
        Those that answer.
    seed : int
        Of the trials, and of the networks' own noise (which all of them get the same of).
    alone : bool
        Whether one network was given, not several: results then have no axis of networks.
    """

    task: Task
    trials: Trials
    networks: tuple[Network, ...]
    seed: int = 0
    alone: bool = False
    _kept: dict[int, np.ndarray] = field(default_factory=dict, repr=False, compare=False)

    @takes(net=whole())
    def of(self, net: int) -> np.ndarray:
        """The outputs of one network.

        Parameters
        ----------
        net : int
            Index of the network.

        Returns
        -------
        array (trial, time, output), float32
            Its outputs, simulated now or kept.
        """
        check_net(net, len(self))
        if net in self._kept:
            return self._kept[net]
        seed = noise_seed(self.seed)
        outputs = self.networks[net].respond(self.trials.inputs, seed)
        if (len(self._kept) + 1) * outputs.nbytes <= KEPT:
            self._kept[net] = outputs
        return outputs

    def __iter__(self) -> Iterator[np.ndarray]:
        """The outputs of one network after the other, (trial, time, output) each."""
        return (self.of(net) for net in range(len(self.networks)))

    def __len__(self) -> int:
        """How many networks there are."""
        return len(self.networks)

    @property
    def outputs(self) -> np.ndarray:
        """All outputs, (net, trial, time, output); without the first axis for one network alone."""
        return self.of(0) if self.alone else np.stack(list(self))

    @takes(n=whole(1))
    def first(self, n: int) -> Responses:
        """The responses to the first n trials.

        Parameters
        ----------
        n : int
            Number of trials.

        Returns
        -------
        Responses
            Of the same networks, with the outputs that are there.
        """
        kept = {net: outputs[:n] for net, outputs in enumerate(self)}
        return replace(self, trials=self.trials.first(n), _kept=kept)

    def with_mask(self, mask: np.ndarray) -> Responses:
        """The same outputs, judged at other points.

        Parameters
        ----------
        mask : array (trial, time, output)
            Which points count, and how much.

        Returns
        -------
        Responses
            With this mask in its trials.
        """
        return replace(self, trials=replace(self.trials, mask=mask), _kept=self._kept)

    def table(self) -> pd.DataFrame:
        """The trials and their answers as a table.

        Returns
        -------
        pandas.DataFrame
            A row a network and trial: net, trial, its conditions, and whether it was correct.
        """
        rows = self.trials.table()
        parts = [
            rows.assign(correct=self.task.correct(outputs, self.trials)).assign(net=net)
            for net, outputs in enumerate(self)
        ]
        whole = pd.concat(parts, ignore_index=True)
        return whole[["net", *rows.columns, "correct"]]


@takes(task=optional(as_task_or_trials))
def responses(
    networks: Networks, task: Task | Trials | None = None, n: int = 512, seed: int = 0
) -> Responses:
    """What networks answer to the same trials, to be scored in one way or several.

    Parameters
    ----------
    networks : Network, sequence of Network, or Run
        Those that answer.
    task : Task or Trials, optional
        A task draws `n` fresh trials from the seed; None: the run's own task. Trials are taken as
        they are, and judged by the usual criterion of a task.
    n : int
        Number of trials.
    seed : int
        Of the trials and of the networks' own noise: the same seed gives the same numbers.

    Returns
    -------
    Responses
        Whose outputs are simulated when they are first asked for.

    Raises
    ------
    InvalidSetting
        Where a network does not fit the task, or there is none.

    Examples
    --------
    >>> answers = at.evaluation.responses(run, n=2048)  # doctest: +SKIP
    >>> at.evaluate(answers).correct, at.evaluation.psychometric(answers)  # doctest: +SKIP
    """
    found = networks_of(networks)
    alone = isinstance(networks, Network)
    if isinstance(task, Trials):
        check_fit(found, task)
        return Responses(Task(dt=task.dt), task, tuple(found), seed, alone)
    meant = task_of(networks, task)
    check_fit(found, meant)
    return Responses(meant, meant.sample(n, seed), tuple(found), seed, alone)


def as_responses(networks: Networks, task: Task | None, n: int, seed: int) -> Responses:
    """Responses as they are; networks as their responses to `n` trials.

    Raises InvalidSetting for responses beside a task that is not their own.
    """
    if not isinstance(networks, Responses):
        return responses(networks, task, n, seed)
    if task is not None and task != networks.task:
        raise InvalidSetting(
            f"task = {shown(task.name)}: the responses are judged by a task of their own, "
            f"{networks.task.name}; leave it out"
        )
    return networks
