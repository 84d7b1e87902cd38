"""Many states of a network in noisy blocks of its task's machine, and in silence."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from attractory._cores import spread
from attractory.analysis.dynamics._step import NetworkStep, RateStep
from attractory.kernels import compiled
from attractory.models import Model, Network, Weights
from attractory.tasks import Machine

ROWS = 512  # simulated states that a thread takes at a time
MODEL_ROWS = 64  # the same where the whole block is kept in memory


class Blocks(Protocol):
    """What a network does in blocks: the machine's inputs with their noise, and the network's own.

    States are (row, unit), units those of the whole state: in float32 through blocks, which are
    short; in float64 where they wait, for what is lost slowly is lost by less than float32 tells.
    """

    machine: Machine
    units: int

    @property
    def step(self) -> NetworkStep: ...

    def run(
        self, states: np.ndarray, inputs: np.ndarray, seed: int, extra: np.ndarray | None = None
    ) -> np.ndarray:
        """States (row, unit) after a noisy block of each row's input, and `extra` (row,) more
        steps of noisy silence."""

    def wait(
        self, states: np.ndarray, steps: int, rng: np.random.Generator | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The states after so many steps of silence, and the read-out (step, row, output) after
        each; float64. Without rng there is no noise."""

    def outputs(self, states: np.ndarray) -> np.ndarray:
        """The readout (row, output) in float64."""


def blocks_of(step: NetworkStep, machine: Machine, network: Network) -> Blocks:
    """Blocks of a network with this step."""
    if isinstance(step, RateStep):
        return _RateBlocks(step, machine, step.noise)
    return _ModelBlocks(step, machine, network)


class _SharedOut:
    """Rows of states dealt out to threads."""

    machine: Machine
    rows: int

    def run(
        self, states: np.ndarray, inputs: np.ndarray, seed: int, extra: np.ndarray | None = None
    ) -> np.ndarray:
        parts = np.array_split(np.arange(len(states)), max(1, -(-len(states) // self.rows)))
        seeds = np.random.SeedSequence(seed).spawn(len(parts))
        more = np.zeros(len(states), int) if extra is None else extra

        def run_part(job: tuple[np.ndarray, np.random.SeedSequence]) -> np.ndarray:
            rows, own = job
            return self._run(states[rows], inputs[rows], more[rows], np.random.default_rng(own))

        return np.concatenate(spread(run_part, zip(parts, seeds, strict=True)))

    def _run(
        self, states: np.ndarray, inputs: np.ndarray, more: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        raise NotImplementedError

    def _noise(
        self, shape: tuple[int, ...], rng: np.random.Generator, dtype: Any = np.float32
    ) -> np.ndarray:
        """The task's noise on the inputs, (…, input)."""
        drawn = rng.standard_normal((*shape, self.machine.pulses.shape[-1]), dtype)
        return dtype(self.machine.noise) * drawn


class _RateBlocks(_SharedOut):
    """Of a rate network, in NumPy."""

    rows = ROWS

    def __init__(self, step: RateStep, machine: Machine, recurrent_noise: float) -> None:
        self.machine, self.units, self.step = machine, step.units, step
        self.leak, self.value = np.float32(step.leak), step.activation.value
        self.recurrent = np.ascontiguousarray(step.recurrent.T, np.float32)
        self.input_weights = np.ascontiguousarray(step.input_weights.T, np.float32)
        self.bias = step.bias.astype(np.float32)
        self.recurrent_noise = np.float32(recurrent_noise)

    def wait(
        self, states: np.ndarray, steps: int, rng: np.random.Generator | None
    ) -> tuple[np.ndarray, np.ndarray]:
        step, outputs = self.step, np.empty((steps, len(states), len(self.step.output_bias)))
        for t in range(steps):
            drive = step.drive(states)
            if rng is not None:
                drive += self._noise((len(states),), rng, np.float64) @ step.input_weights.T
            if rng is not None and self.recurrent_noise:
                drive += self.recurrent_noise * rng.standard_normal(drive.shape)
            rates = step.activation.value(drive)
            states = rates if step.leak == 1 else states + step.leak * (rates - states)
            outputs[t] = step.outputs(states)
        return states, outputs

    def outputs(self, states: np.ndarray) -> np.ndarray:
        return self.step.outputs(np.asarray(states, np.float64))

    def _step(
        self, states: np.ndarray, shown: np.ndarray | None, rng: np.random.Generator | None
    ) -> np.ndarray:
        """The next states; shown (row, input), None for silence; without rng no recurrent noise."""
        drive = states @ self.recurrent
        drive += self.bias
        if shown is not None:
            drive += shown @ self.input_weights
        if rng is not None and self.recurrent_noise:
            drive += self.recurrent_noise * rng.standard_normal(drive.shape, np.float32)
        rates = self.value(drive)
        return rates if self.leak == 1 else states + self.leak * (rates - states)

    def _run(
        self, states: np.ndarray, inputs: np.ndarray, more: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        machine = self.machine
        states = states.astype(np.float32)
        pulses = machine.pulses[inputs].astype(np.float32)
        width = pulses.shape[1]
        ends = states.copy()
        for t in range(width + machine.rest + int(more.max(initial=0))):
            shown = self._noise((len(states),), rng)
            if t < width:
                shown += pulses[:, t]
            states = self._step(states, shown, rng)
            done = t + 1 == width + machine.rest + more
            ends[done] = states[done]
        return ends


class _ModelBlocks(_SharedOut):
    """Of any model, by its own equation: a whole block is one call."""

    rows = MODEL_ROWS

    def __init__(self, step: NetworkStep, machine: Machine, network: Network) -> None:
        self.machine, self.units, self.step = machine, step.units, step
        self.model = network.model
        self.weights = _as(network.weights, np.float32)
        self.exact_weights = _as(network.weights, np.float64)

    def wait(
        self, states: np.ndarray, steps: int, rng: np.random.Generator | None
    ) -> tuple[np.ndarray, np.ndarray]:
        shape = (steps, len(states))
        silence = np.zeros((*shape, self.machine.pulses.shape[-1]))
        shown = silence if rng is None else self._noise(shape, rng, np.float64)
        with jax.enable_x64(True):
            path = self._path(states, shown, rng, np.float64)
        return path[-1], self.step.outputs(path)

    def outputs(self, states: np.ndarray) -> np.ndarray:
        return self.step.outputs(np.asarray(states, np.float64))

    def _run(
        self, states: np.ndarray, inputs: np.ndarray, more: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        machine, pulses = self.machine, self.machine.pulses[inputs]
        last = pulses.shape[1] + machine.rest - 1 + more
        # one length for blocks that are held, whatever the longest hold among them
        longest = last.max() + 1 if not more.any() else pulses.shape[1] + machine.hold
        shown = self._noise((max(longest, int(last.max()) + 1), len(states)), rng)
        shown[: pulses.shape[1]] += pulses.swapaxes(0, 1).astype(np.float32)
        return self._path(states, shown, rng)[last, np.arange(len(states))]

    def _path(
        self,
        states: np.ndarray,
        shown: np.ndarray,
        rng: np.random.Generator | None,
        dtype: Any = np.float32,
    ) -> np.ndarray:
        """All states (time, row, unit) under inputs (time, row, input)."""
        count = len(states)
        spare = (1 << max(0, count - 1).bit_length()) - count  # few programs to compile
        key = None
        if rng is not None and self.model.has_cell_noise():
            key = jax.random.key(int(rng.integers(2**31)))
        made = _path_of(self.model)(
            self.weights if dtype == np.float32 else self.exact_weights,
            jnp.asarray(np.pad(shown, ((0, 0), (0, spare), (0, 0))), dtype),
            jnp.asarray(np.pad(states, ((0, spare), (0, 0))), dtype),
            key,
        )
        return np.asarray(made)[:, :count]


def _as(weights: dict[str, np.ndarray], dtype: Any) -> Weights:
    with jax.enable_x64(True):
        return {name: jnp.asarray(array, dtype) for name, array in weights.items()}


@lru_cache(maxsize=16)
def _path_of(model: Model) -> Any:
    def path(weights: Weights, inputs: Any, states: Any, key: Any) -> jax.Array:
        return model.cell_states(weights, inputs, states, key)

    return compiled(path)
