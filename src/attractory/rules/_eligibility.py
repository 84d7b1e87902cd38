"""Gradients by eligibility traces: what reaches the loss through a unit's own state alone."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import jax
import jax.numpy as jnp
from pydantic import Field

from attractory.models import Model, Weights
from attractory.rules._estimate import (
    Estimate,
    Keys,
    before_each_step,
    check_synapses,
    of_readout,
    of_synapses,
)
from attractory.rules._losses import Loss
from attractory.rules._rule import Info, RuleState
from attractory.tasks import Batch


class Traced(Estimate):
    """A rule of errors that are fed back and of eligibility traces: the base of RFLO and e-prop.

    Parameters
    ----------
    feedback_gain : float
        Of random feedback weights B (unit, output): they are normal, with a standard deviation of
        feedback_gain / √outputs.
    """

    feedback_gain: float = Field(default=1.0, gt=0, allow_inf_nan=False)

    @property
    @abstractmethod
    def _symmetric(self) -> bool:
        """Whether errors are fed back by the weights of the readout, as they are now."""

    def adapt(self, model: Model) -> Model:
        check_synapses(type(self).__name__, model, others=("initial_state",))
        return model

    def init(self, model: Model, weights: Weights, key: jax.Array) -> RuleState:
        state = super().init(model, weights, key)
        if self._symmetric:
            return state
        readout = weights["output_weights"].T
        scale = self.feedback_gain / readout.shape[1] ** 0.5
        drawn = scale * jax.random.normal(key, readout.shape, readout.dtype)
        return {**state, "error_feedback": drawn}

    def _of_trials(
        self, model: Model, weights: Weights, state: RuleState, trials: Batch, keys: Keys
    ) -> tuple[jax.Array, Weights]:
        feedback = weights["output_weights"].T if self._symmetric else state["error_feedback"]
        return traced_gradients(self.loss_function, model, weights, trials, feedback, keys.noise)

    def _reported(self, weights: Weights, state: RuleState) -> Info:
        if self._symmetric:
            return {}
        readout = weights["output_weights"].T
        return {"feedback_alignment": alignment(state["error_feedback"], readout)}


def traced_gradients(
    loss: Loss, model: Model, weights: Weights, trials: Batch, feedback: Any, key: jax.Array
) -> tuple[jax.Array, Weights]:
    """The loss, and the sums over steps and trials of fed-back error times eligibility trace.

    feedback (unit, output): by which the derivatives of the loss reach the units.

    A trace is the filtered product of what a synapse sends and of the slope of the unit that it
    sends to, Σ_s (1 - leak)^(t-s) slope(s) sent(s). Its sum with the errors at all t is the sum
    over s of slope(s) sent(s) times the errors after s, filtered by the same factors: so the traces
    need not be made, which are a matrix for each trial and step.
    """
    inputs = trials.inputs.swapaxes(0, 1)
    states, outputs = model.run(weights, trials.inputs, key)
    before = before_each_step(model, weights, states)
    value, of_outputs = jax.value_and_grad(loss)(outputs, trials.targets, trials.mask)
    errors = jnp.einsum("bto,uo->tbu", of_outputs, feedback)
    (of_states,) = jax.vjp(model.hidden, states)[1](errors)
    to_come = filtered_backwards(of_states, 1.0 - model.leak)
    of_sums = model.sum_slopes(weights, inputs, before, states, key) * to_come
    return value, {
        **of_synapses(model, weights, inputs, before, of_sums),
        "initial_state": (1.0 - model.leak) * jnp.sum(to_come[0], axis=0),
        **of_readout(model, states, of_outputs),
    }


def filtered_backwards(signal: jax.Array, keep: float) -> jax.Array:
    """Σ_{t ≥ s} keep^(t-s) signal(t), (time, …)."""

    def earlier(later: jax.Array, now: jax.Array) -> tuple[jax.Array, jax.Array]:
        made = now + keep * later
        return made, made

    return jax.lax.scan(earlier, jnp.zeros_like(signal[0]), signal, reverse=True)[1]


def alignment(first: jax.Array, second: jax.Array) -> jax.Array:
    """The cosine of the angle between two matrices; 0 where one of them is 0."""
    lengths = jnp.linalg.norm(first) * jnp.linalg.norm(second)
    return jnp.sum(first * second) / jnp.where(lengths > 0, lengths, 1.0)
