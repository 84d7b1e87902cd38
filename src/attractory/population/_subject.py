"""A network in trials, as distances see it: what is costly is computed once, when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from attractory._errors import InvalidSetting
from attractory._shown import Shown
from attractory.analysis import FixedPoints, fixed_points, spectrum
from attractory.models import Network, Trajectory
from attractory.runs import Run, of_network
from attractory.tasks import Task, Trials, noise_seed

MOST_SAMPLES = 4096  # states that are compared: of 100 units 3 MB a network, many times its units
APART = 1000  # between the seeds of repeats: as many may be drawn from each
RECURRENT = "recurrent_weights"

Part = TypeVar("Part")


@dataclass(frozen=True, repr=False, eq=False)
class Subject(Shown):
    """One network of a comparison, in the trials that all of them get.

    Attributes
    ----------
    network : Network
        The network.
    task : Task or None
        That tells which answers are given; None where no distance asks.
    trials : Trials or None
        What the network is given; None where no distance asks.
    seed : int
        Of the network's own noise.
    search_seed : int
        Of the search for its fixed points.
    run : Run or None
        That the network is of, where it came in one: analyses are kept in it.
    net : int
        The network's index there.
    known : Trajectory or None
        What it does in these trials; None: it is simulated when that is asked for.
    shuffle : int or None
        The seed by which each unit is taken from other trials; None: it is not.
    """

    network: Network
    task: Task | None = None
    trials: Trials | None = None
    seed: int = 0
    search_seed: int = 0
    run: Run | None = None
    net: int = 0
    known: Trajectory | None = None
    shuffle: int | None = None

    @cached_property
    def path(self) -> Trajectory:
        """What the network does in the trials, in float64."""
        path = self.known
        if path is None:
            seed = noise_seed(self.seed)
            path = self.network.simulate(self._trials.inputs, seed, precision="float64")
        if self.shuffle is None:
            return path
        rng = np.random.default_rng(self.shuffle)  # repeats are exchanged in the same way
        states, outputs = _exchanged(path.states, rng), _exchanged(path.outputs, rng)
        return replace(path, states=states, outputs=outputs)

    @property
    def states(self) -> np.ndarray:
        """The states (trial, time, unit), float64, also what fills shorter trials up."""
        return self.path.states

    @property
    def outputs(self) -> np.ndarray:
        """The outputs (trial, time, output), float64."""
        return self.path.outputs

    @cached_property
    def samples(self) -> np.ndarray:
        """The states in the trials' own steps (sample, unit), float64.

        At most 4096 of them, drawn at random: the same ones of every network.
        """
        own = np.flatnonzero(self._trials.within)
        if len(own) > MOST_SAMPLES:
            # drawn, not every so many: these might fall on the same steps of each trial
            drawn = np.random.default_rng(0).choice(len(own), MOST_SAMPLES, replace=False)
            own = own[np.sort(drawn)]
        flat: np.ndarray = self.states.reshape(-1, self.states.shape[-1])
        return flat[own]

    @property
    def eigenvalues(self) -> np.ndarray:
        """Eigenvalues (unit,) as `attractory.analysis.spectrum` has them."""
        return self._analysed(spectrum).eigenvalues

    @cached_property
    def points(self) -> FixedPoints:
        """The fixed points without input, as `attractory.analysis.fixed_points` finds them."""
        plain = self.task is None or type(self.task) is Task  # trials came without a task
        met = self.trials if plain else self.task
        return self._analysed(fixed_points, task=met, seed=self.search_seed)

    def problem_of_points(self) -> str:
        """Why its fixed points cannot be compared.

        Returns
        -------
        str
            In words; "" where they can.
        """
        continuum = self.points.completeness.continuum
        return "its fixed points are a continuum, which cannot be counted" if continuum else ""

    def problem_of_states(self) -> str:
        """Why its states cannot be compared.

        Returns
        -------
        str
            In words; "" where they can.
        """
        if not np.isfinite(self.states).all():
            return "its states in these trials are not finite"
        own = self.states[self._trials.within]
        return "" if np.ptp(own, axis=0).any() else "its states do not change in these trials"

    def in_trials(self, which: np.ndarray) -> Subject:
        """The same network in some of the trials, simulated already.

        Parameters
        ----------
        which : array of int (trial,)
            The trials.

        Returns
        -------
        Subject
            In these alone.
        """
        path = self.path
        own = replace(
            path,
            inputs=path.inputs[which],
            states=path.states[which],
            outputs=path.outputs[which],
            trials=None,
        )
        return replace(self, trials=_some(self._trials, which), known=own, shuffle=None)

    def in_other_trials(self, trials: Trials) -> Subject:
        """The same network in other trials, of a task that it may not know.

        Parameters
        ----------
        trials : Trials
            The trials.

        Returns
        -------
        Subject
            Simulated when it is asked.
        """
        return replace(self, trials=trials, known=None)

    def first_steps(self, steps: int) -> Subject:
        """The same network in the beginning of the trials, simulated already.

        Parameters
        ----------
        steps : int
            How many steps; no trial is shorter.

        Returns
        -------
        Subject
            In trials of that length, without epochs.
        """
        path, trials = self.path, self._trials
        cut = {name: getattr(path, name)[:, :steps] for name in ("inputs", "states", "outputs")}
        own = {name: getattr(trials, name)[:, :steps] for name in ("inputs", "targets", "mask")}
        shorter = replace(trials, **own, epochs=None, epoch_names=())
        return replace(self, trials=shorter, known=replace(path, **cut, trials=None), shuffle=None)

    def again(self) -> Subject:
        """The same network in the same trials, with its own noise drawn anew.

        Returns
        -------
        Subject
            Simulated when it is asked.
        """
        return replace(self, seed=self.seed + APART, known=None)

    def repeated(self, count: int) -> Iterator[Subject]:
        """The same network in the same trials so many times, each with noise of its own.

        Parameters
        ----------
        count : int
            How often; at most 1000 times, so that `again` has other noise than all of them.

        Yields
        ------
        Subject
            Simulated when it is asked; the first is this one.
        """
        yield self
        for i in range(1, count):
            yield replace(self, seed=self.seed + i, known=None)

    def with_shuffled_units(self, rng: np.random.Generator) -> Subject:
        """Each unit, and each output, as it is in other trials: no two of them in the same ones.

        Parameters
        ----------
        rng : numpy.random.Generator
            What the trials are exchanged by.

        Returns
        -------
        Subject
            Each unit has the time courses that it had.
        """
        return replace(self, known=self.path, shuffle=int(rng.integers(2**31)))

    def with_shuffled_weights(self, rng: np.random.Generator) -> Subject | None:
        """The network with its recurrent weights in random places.

        Parameters
        ----------
        rng : numpy.random.Generator
            What the places are drawn from.

        Returns
        -------
        Subject or None
            None where the model has no such matrix.
        """
        weights = self.network.weights
        if RECURRENT not in weights:
            return None
        matrix = np.asarray(weights[RECURRENT])
        shuffled = rng.permutation(matrix.ravel()).reshape(matrix.shape)
        network = Network(self.network.model, {**weights, RECURRENT: shuffled})
        return self.with_network(network)

    def with_network(self, network: Network) -> Subject:
        """Another network in the same trials, of no run.

        Parameters
        ----------
        network : Network
            The network.

        Returns
        -------
        Subject
            Simulated when it is asked.
        """
        return replace(self, network=network, known=None, run=None)

    def _analysed(self, function: Callable[..., Part], **settings: Any) -> Part:
        """An analysis of the network; of a run what was kept there, or is kept now."""
        if self.run is not None:
            return of_network(self.run, self.net, function, **settings)
        return function(self.network, **settings)

    @property
    def _trials(self) -> Trials:
        if self.trials is None:
            raise InvalidSetting("trials = None: states and outputs are those in trials of a task")
        return self.trials


def _some(trials: Trials, which: np.ndarray) -> Trials:
    by_trial: dict[str, Any] = {
        name: getattr(trials, name)[which] for name in ("inputs", "targets", "mask")
    }
    epochs = None if trials.epochs is None else trials.epochs[which]
    conditions = {name: values[which] for name, values in trials.conditions.items()}
    return replace(trials, **by_trial, epochs=epochs, conditions=conditions)


def _exchanged(array: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(trial, time, channel): the trials of each channel in an order of its own."""
    orders = rng.permuted(np.tile(np.arange(len(array)), (array.shape[-1], 1)), axis=1).T
    exchanged: np.ndarray = np.take_along_axis(array, orders[:, None, :], axis=0)
    return exchanged
