"""Many networks trained at once: their state stacked on a leading axis, one compiled step."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from attractory.kernels import shards_of
from attractory.models import Model, Weights
from attractory.rules import Report, Rule
from attractory.tasks import Task, random_key
from attractory.training._programs import Keys, PopulationState, mesh_of, programs_of


class Population:
    """The networks of a run: their random streams, and the compiled functions that move them.

    Parameters
    ----------
    task : Task
        What the networks learn.
    model : Model
        What they are.
    rule : Rule
        How they learn.
    nets : int
        Number of networks.
    seed : int
        What all random numbers follow from.
    first : int
        The index of the first network.

    Notes
    -----
    Network i depends on the seed and on i, not on how many others there are, nor on the devices,
    bit for bit. The work is spread over the host's devices (JAX shows one unless
    `jax_num_cpu_devices` says more): first whole networks, then, where networks do not divide
    evenly, shards of the batch.
    """

    def __init__(
        self, task: Task, model: Model, rule: Rule, nets: int, seed: int, first: int = 0
    ) -> None:
        root = random_key(seed)
        self.keys = Keys(
            *jax.vmap(lambda net: jax.random.split(jax.random.fold_in(root, net), 4), out_axes=1)(
                jnp.arange(first, first + nets)
            )
        )
        mesh = mesh_of(nets, shards_of(rule.batch))
        self._numbers = rule.numbers
        self._programs = programs_of(task, model, rule.program_of, mesh)
        # networks and shards of one device: arguments, so that all numbers share their programs
        here = (nets // mesh.shape["net"], shards_of(rule.batch) // mesh.shape["batch"])
        self._counts = jnp.array(here, jnp.int32)
        self._update = self._programs.update

    def initial_state(self, start: Weights | None = None) -> PopulationState:
        """First weights and rule states.

        Parameters
        ----------
        start : dict of arrays (net, …), optional
            The weights to begin with; freshly drawn ones when None.

        Returns
        -------
        PopulationState
            The state before the first update.
        """
        if start is None:
            made = [self._programs.initial(key, self._numbers) for key in self.keys.weights]
        else:
            made = [
                self._programs.begun(
                    {name: array[net] for name, array in start.items()}, key, self._numbers
                )
                for net, key in enumerate(self.keys.weights)
            ]
        return _stacked(made)

    def compile(self, state: PopulationState) -> None:
        """Compile the update, which the first update would do otherwise: for telling the time.

        Parameters
        ----------
        state : PopulationState
            A state of the population.
        """
        nets = len(self.keys.weights)
        self._update = self._programs.compiled_update(
            nets, *self._arguments(state, np.ones(nets, bool), 0)
        )

    def update(
        self, state: PopulationState, active: np.ndarray, step: int
    ) -> tuple[PopulationState, dict[str, np.ndarray]]:
        """One update of the active networks.

        A network that is not active, or whose numbers are no longer finite, keeps its state; its
        loss is NaN where weights would no longer be finite.

        Parameters
        ----------
        state : PopulationState
            The state before the update.
        active : array of bool (net,)
            Which networks are trained on.
        step : int
            The update, counted from 0.

        Returns
        -------
        state : PopulationState
            The new state.
        info : dict of arrays (net,)
            What the rule reports by name, "loss" among it.
        """
        state, info = self._update(*self._arguments(state, active, step))
        return state, {name: np.asarray(values) for name, values in info.items()}

    def _arguments(self, state: PopulationState, active: np.ndarray, step: int) -> tuple[Any, ...]:
        """What the program of an update takes."""
        states = state, jnp.asarray(active)
        return self.keys, states, self._counts, self._numbers, jnp.asarray(step)

    def validate(self, state: PopulationState) -> np.ndarray:
        """Loss of each network on its own held-out trials.

        Parameters
        ----------
        state : PopulationState
            The state of the population.

        Returns
        -------
        array (net,)
            The losses.
        """
        arguments = self.keys, state.weights, self._counts, self._numbers
        return np.asarray(self._programs.validate(*arguments))

    def finished(self, state: PopulationState) -> tuple[Weights, Report]:
        """What comes out of the training: the rule's last word on the weights.

        Parameters
        ----------
        state : PopulationState
            The state after the last update.

        Returns
        -------
        weights : dict of arrays (net, …)
            A network whose numbers would not be finite keeps those that it was trained to.
        report : dict of arrays (net, …)
            What the rule reports of how it found them, by name.
        """
        nets = range(len(self.keys.weights))
        arrays = jax.tree.map(np.asarray, state)
        made = [
            self._programs.finish(jax.tree.map(lambda leaf, i=net: leaf[i], arrays), self._numbers)
            for net in nets
        ]
        weights, report = _stacked(made)
        return weights, report

    def choose(
        self, which: np.ndarray, first: PopulationState, second: PopulationState
    ) -> PopulationState:
        """The state of some networks from one, that of the others from another.

        Parameters
        ----------
        which : array of bool (net,)
            Networks that have the first state.
        first, second : PopulationState
            The two states.

        Returns
        -------
        PopulationState
            `first` for the networks where `which` is true, `second` for the others.
        """
        return self._programs.choose(jnp.asarray(which), first, second)

    def slowed(self, state: PopulationState, factors: np.ndarray) -> PopulationState:
        """The state with further steps scaled by one factor a network.

        Parameters
        ----------
        state : PopulationState
            The state of the population.
        factors : array (net,)
            What the steps are multiplied by.

        Returns
        -------
        PopulationState
            The new state.
        """
        return self._programs.slowed(state, jnp.asarray(factors, jnp.float32), self._numbers)


def _stacked(states: list[Any]) -> Any:
    """States of single networks as one, with a leading net axis. In NumPy: nothing to compile."""
    return jax.tree.map(lambda *leaves: np.stack(leaves), *states)
