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
        self,
        states: np.ndarray,
        inputs: np.ndarray,
        seed: int,
        extra: np.ndarray | None = None,
    ) -> np.ndarray:
        """States (row, unit) after a noisy block of each row's input, and `extra` (row,) more
        steps of noisy silence."""

    def wait(
        self,
        states: np.ndarray,
        steps: int,
        rng: np.random.Generator | None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The states after so many steps of silence, and the read-out (step, row, output) after
        each; float64. Without rng there is no noise."""

    def outputs(self, states: np.ndarray) -> np.ndarray:
        """The readout (row, output) in float64."""


def blocks_of(
    step: NetworkStep,
    machine: Machine,
    network: Network,
) -> Blocks:
    """Blocks of a network with this step."""
    if isinstance(step, RateStep):
        return _RateBlocks(step, machine, step.noise)
    return _ModelBlocks(step, machine, network)


class _SharedOut:
    """Rows of states dealt out to threads."""

    machine: Machine
    rows: int

    def run(
        self,
        states: np.ndarray,
        inputs: np.ndarray,
        seed: int,
        extra: np.ndarray | None = None,
    ) -> np.ndarray:
        count = len(states)
        n_parts = max(1, -(-count // self.rows))
        parts = np.array_split(np.arange(count), n_parts)
        seeds = np.random.SeedSequence(seed).spawn(n_parts)
        more = np.zeros(count, int) if extra is None else extra

        def run_part(job: tuple[np.ndarray, np.random.SeedSequence]) -> np.ndarray:
            rows, own_seed = job
            rng = np.random.default_rng(own_seed)
            return self._run(states[rows], inputs[rows], more[rows], rng)

        jobs = zip(parts, seeds, strict=True)
        return np.concatenate(spread(run_part, jobs))

    def _run(
        self,
        states: np.ndarray,
        inputs: np.ndarray,
        more: np.ndarray,
        rng: np.random.Generator,
    ) -> np.ndarray:
        raise NotImplementedError

    def _noise(
        self,
        shape: tuple[int, ...],
        rng: np.random.Generator,
        dtype: Any = np.float32,
    ) -> np.ndarray:
        """The task's noise on the inputs, (…, input)."""
        n_inputs = self.machine.pulses.shape[-1]
        drawn = rng.standard_normal((*shape, n_inputs), dtype)
        return dtype(self.machine.noise) * drawn


class _RateBlocks(_SharedOut):
    """Of a rate network, in NumPy."""

    rows = ROWS

    def __init__(
        self,
        step: RateStep,
        machine: Machine,
        recurrent_noise: float,
    ) -> None:
        self.machine = machine
        self.units = step.units
        self.step = step
        self.leak = np.float32(step.leak)
        self.value = step.activation.value
        self.recurrent = np.ascontiguousarray(step.recurrent.T, np.float32)
        self.input_weights = np.ascontiguousarray(step.input_weights.T, np.float32)
        self.bias = step.bias.astype(np.float32)
        self.recurrent_noise = np.float32(recurrent_noise)

    def wait(
        self,
        states: np.ndarray,
        steps: int,
        rng: np.random.Generator | None,
    ) -> tuple[np.ndarray, np.ndarray]:
        step = self.step
        count = len(states)
        outputs = np.empty((steps, count, len(step.output_bias)))
        for t in range(steps):
            drive = step.drive(states)
            if rng is not None:
                shown = self._noise((count,), rng, np.float64)
                drive += shown @ step.input_weights.T
            if rng is not None and self.recurrent_noise:
                drawn = rng.standard_normal(drive.shape)
                drive += self.recurrent_noise * drawn
            rates = step.activation.value(drive)
            states = rates if step.leak == 1 else states + step.leak * (rates - states)
            outputs[t] = step.outputs(states)
        return states, outputs

    def outputs(self, states: np.ndarray) -> np.ndarray:
        exact = np.asarray(states, np.float64)
        return self.step.outputs(exact)

    def _step(
        self,
        states: np.ndarray,
        shown: np.ndarray | None,
        rng: np.random.Generator | None,
    ) -> np.ndarray:
        """The next states; shown (row, input), None for silence; without rng no recurrent noise."""
        drive = states @ self.recurrent
        drive += self.bias
        if shown is not None:
            drive += shown @ self.input_weights
        if rng is not None and self.recurrent_noise:
            drawn = rng.standard_normal(drive.shape, np.float32)
            drive += self.recurrent_noise * drawn
        rates = self.value(drive)
        if self.leak == 1:
            return rates
        return states + self.leak * (rates - states)

    def _run(
        self,
        states: np.ndarray,
        inputs: np.ndarray,
        more: np.ndarray,
        rng: np.random.Generator,
    ) -> np.ndarray:
        states = states.astype(np.float32)
        pulses = self.machine.pulses[inputs].astype(np.float32)
        width = pulses.shape[1]
        lengths = width + self.machine.rest + more
        longest = width + self.machine.rest + int(more.max(initial=0))
        ends = states.copy()
        for t in range(longest):
            shown = self._noise((len(states),), rng)
            if t < width:
                shown += pulses[:, t]
            states = self._step(states, shown, rng)
            done = lengths == t + 1
            ends[done] = states[done]
        return ends


class _ModelBlocks(_SharedOut):
    """Of any model, by its own equation: a whole block is one call."""

    rows = MODEL_ROWS

    def __init__(
        self,
        step: NetworkStep,
        machine: Machine,
        network: Network,
    ) -> None:
        self.machine = machine
        self.units = step.units
        self.step = step
        self.model = network.model
        self.weights = _as(network.weights, np.float32)
        self.exact_weights = _as(network.weights, np.float64)

    def wait(
        self,
        states: np.ndarray,
        steps: int,
        rng: np.random.Generator | None,
    ) -> tuple[np.ndarray, np.ndarray]:
        shape = (steps, len(states))
        n_inputs = self.machine.pulses.shape[-1]
        shown = np.zeros((*shape, n_inputs))
        if rng is not None:
            shown = self._noise(shape, rng, np.float64)
        with jax.enable_x64(True):
            path = self._path(states, shown, rng, np.float64)
        return path[-1], self.step.outputs(path)

    def outputs(self, states: np.ndarray) -> np.ndarray:
        exact = np.asarray(states, np.float64)
        return self.step.outputs(exact)

    def _run(
        self,
        states: np.ndarray,
        inputs: np.ndarray,
        more: np.ndarray,
        rng: np.random.Generator,
    ) -> np.ndarray:
        machine = self.machine
        count = len(states)
        pulses = machine.pulses[inputs]
        width = pulses.shape[1]
        last = width + machine.rest - 1 + more
        steps = int(last.max()) + 1
        if more.any():
            # one length for blocks that are held, whatever the longest hold among them
            steps = max(steps, width + machine.hold)
        shown = self._noise((steps, count), rng)
        shown[:width] += pulses.swapaxes(0, 1).astype(np.float32)
        path = self._path(states, shown, rng)
        return path[last, np.arange(count)]

    def _path(
        self,
        states: np.ndarray,
        shown: np.ndarray,
        rng: np.random.Generator | None,
        dtype: Any = np.float32,
    ) -> np.ndarray:
        """All states (time, row, unit) under inputs (time, row, input)."""
        count = len(states)
        # filled up to a power of two: few programs to compile
        spare = (1 << max(0, count - 1).bit_length()) - count
        padded_inputs = np.pad(shown, ((0, 0), (0, spare), (0, 0)))
        padded_states = np.pad(states, ((0, spare), (0, 0)))
        key = None
        if rng is not None and self.model.has_cell_noise():
            key = jax.random.key(int(rng.integers(2**31)))
        weights = self.weights if dtype == np.float32 else self.exact_weights
        path = _path_of(self.model)(
            weights,
            jnp.asarray(padded_inputs, dtype),
            jnp.asarray(padded_states, dtype),
            key,
        )
        return np.asarray(path)[:, :count]


def _as(weights: dict[str, np.ndarray], dtype: Any) -> Weights:
    with jax.enable_x64(True):
        return {name: jnp.asarray(array, dtype) for name, array in weights.items()}


@lru_cache(maxsize=16)
def _path_of(model: Model) -> Any:
    def path(weights: Weights, inputs: Any, states: Any, key: Any) -> jax.Array:
        return model.cell_states(weights, inputs, states, key)

    return compiled(path)
