"""The rate network: description, weights, equation."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
from pydantic import Field

from attractory.kernels import (
    Precision,
    RateWeights,
    activation_of,
    rate_network,
    rate_outputs,
)
from attractory.models._cell import Weights
from attractory.models._connected import Connected
from attractory.models._equation import Equation, leaking
from attractory.models._feedback import FEEDBACK, fed_back
from attractory.models._rate_form import RateForm
from attractory.models._registry import register


@register
class RateRNN(Connected):
    """A rate network with a linear readout (Jarne 2024, equations 6 and 7).

        h(t+dt) = (1 - dt/tau) h(t) + (dt/tau) phi(W_rec h(t) + W_in x(t) + b + noise)
        z(t)    = W_out h(t) + c + noise

    The state starts at 0. With dt = tau and no noise it is Keras's SimpleRNN followed by Dense.

    Parameters
    ----------
    units : int
        Number of units.
    tau, dt : float
        Time constant and step, in the same unit; 0 < dt <= tau.
    activation : str or callable
        The function phi: "tanh", "relu", "softplus", "sigmoid", another name, or a function.
    bias, output_bias : bool
        Whether there is a recurrent bias b, and a readout bias c (both start at 0).
    recurrent_noise : float
        Standard deviation of the private noise of a unit; it enters phi scaled by √(2 tau/dt), so
        that its effect does not depend on dt [1]_.
    output_noise : float
        Standard deviation of white noise on the outputs.
    recurrent_init : str or array (unit, unit)
        "orthogonal", "normal" (standard deviation 1/√units), "glorot", "identity", each times
        recurrent_gain; or an array; with a rank see `LowRankRNN`.
    recurrent_gain : float
        See recurrent_init.
    input_init, output_init : str or array
        "glorot" (uniform), "normal" (standard deviation 1/√from), or an array; of the readout also
        "zeros".
    input_gain : float
        What drawn input weights are multiplied by, those of an array are not.
    constraints : Constraints, optional
        Signs, zeros, blocks, bounds of the weights; see `Constraints`.
    rank : int, optional
        See `LowRankRNN`; None: every entry of W_rec is a weight of its own.
    trained_start : bool
        Whether the state at the start is a weight, "initial_state" (unit,), that starts at 0 and is
        trained; else it is 0.
    feedback : bool
        Whether the outputs come back to the units: W_fb z(t) is added inside of phi. W_fb,
        "feedback_weights" (unit, output), is drawn uniformly from -feedback_gain to feedback_gain.
    feedback_gain : float
        See feedback.
    trainable : tuple of str, optional
        The weights that a learning rule may change; the others stay as they began; None: all of
        them.

    References
    ----------
    .. [1] Song, Yang & Wang (2016), PLoS Comput. Biol. 12:e1004792, equation 5.
    """

    form: ClassVar[Literal["rates", "currents"] | None] = "rates"
    newer_fields: ClassVar[tuple[str, ...]] = (
        "rank",
        "trained_start",
        "input_gain",
        "feedback",
        "feedback_gain",
    )

    def step(
        self, weights: Weights, state: jax.Array, x: jax.Array, key: jax.Array | None = None
    ) -> jax.Array:
        drive = self.recurrent_weights(weights) @ state + weights["input_weights"] @ x
        if "bias" in weights:
            drive = drive + weights["bias"]
        if FEEDBACK in weights:
            drive = drive + fed_back(weights, state)
        if key is not None:
            drive = drive + self._noise(key, drive.shape, drive.dtype)
        return (1.0 - self.leak) * state + self.leak * activation_of(self.activation)(drive)

    def _noise(self, key: jax.Array, shape: tuple[int, ...], dtype: Any) -> jax.Array:
        scale = self.recurrent_noise * (2.0 * self.tau / self.dt) ** 0.5
        return scale * jax.random.normal(key, shape, dtype)

    def rate_form(self, weights: Weights) -> RateForm | None:
        weights, zero = self.closed_loop(weights), np.zeros(self.units)
        return RateForm(
            recurrent=self.recurrent_weights(weights),
            input_weights=weights["input_weights"],
            bias=weights.get("bias", zero),
            activation=activation_of(self.activation),
            leak=self.leak,
            noise=self.recurrent_noise * (2.0 / self.leak) ** 0.5,
            state="rates",
            shift=zero,
        )

    def equation(self) -> Equation:
        bias = " + b" if self.bias else ""
        bias += r" + W_\mathrm{fb}\,z(t)" if self.feedback else ""
        noise = r" + \xi(t)" if self.recurrent_noise > 0 else ""
        phi = rf"\phi(\,W_\mathrm{{rec}}\,h(t) + W_\mathrm{{in}}\,x(t){bias}{noise}\,)"
        lines = (*leaking("h", phi, self.leak), *self.rank_in_words())
        return Equation(lines, in_words=r"h(t), recurrent through $W_\mathrm{rec}$")

    def cell_states(
        self,
        weights: Weights,
        inputs: jax.Array,
        initial_state: jax.Array,
        key: jax.Array | None = None,
        window: int | None = None,
    ) -> jax.Array:
        weights = self.closed_loop(weights)
        readout = jnp.zeros((1, self.units), inputs.dtype)
        arguments = self._sequence({**weights, "output_weights": readout}, inputs, key)
        return rate_network(**arguments, initial_state=initial_state, window=window)[0]

    def run(
        self,
        weights: Weights,
        inputs: jax.Array,
        key: jax.Array | None = None,
        initial_state: jax.Array | None = None,
        precision: Precision = "float32",
        window: int | None = None,
    ) -> tuple[jax.Array, jax.Array]:
        cell_key, output_key = self.noise_keys(key)
        inputs = jnp.asarray(inputs).swapaxes(0, 1)
        if initial_state is None:
            initial_state = self.first_state(weights, inputs.shape[1], inputs.dtype)
        weights = self.closed_loop(weights)
        arguments = self._sequence(weights, inputs, cell_key)
        states, readouts = rate_network(
            **arguments, initial_state=initial_state, precision=precision, window=window
        )
        return states, self.readout(weights, readouts, output_key)

    def outputs(
        self,
        weights: Weights,
        inputs: jax.Array,
        key: jax.Array | None = None,
        precision: Precision = "float32",
        window: int | None = None,
    ) -> jax.Array:
        if window is not None:  # gradients are cut between states
            return self.run(weights, inputs, key, precision=precision, window=window)[1]
        cell_key, output_key = self.noise_keys(key)
        inputs = jnp.asarray(inputs).swapaxes(0, 1)
        initial_state = self.first_state(weights, inputs.shape[1], inputs.dtype)
        weights = self.closed_loop(weights)
        arguments = self._sequence(weights, inputs, cell_key)
        readouts = rate_outputs(**arguments, initial_state=initial_state, precision=precision)
        return self.readout(weights, readouts, output_key)

    def sum_slopes(
        self,
        weights: Weights,
        inputs: Any,
        before: Any,
        after: Any,
        key: jax.Array | None = None,
    ) -> Any:
        phi = activation_of(self.activation)
        # a product of matrices less; the rounding of the rates must not decide about a kink
        if phi.slope_from_value is not None and not phi.kinks:
            rates = (after - (1.0 - self.leak) * before) / self.leak
            return self.leak * phi.slope_from_value(rates)
        sums = self._sums(self.closed_loop(weights), inputs, before, key)
        return self.leak * jax.jvp(phi, (sums,), (jnp.ones_like(sums),))[1]

    def _sums(self, weights: Weights, inputs: Any, before: Any, key: jax.Array | None) -> jax.Array:
        """What the units sum (time, trial, unit), of weights without feedback."""
        sums = jnp.einsum("tbv,uv->tbu", before, self.recurrent_weights(weights))
        sums = sums + jnp.einsum("tbi,ui->tbu", inputs, weights["input_weights"])
        if "bias" in weights:
            sums = sums + weights["bias"]
        cell_key, _ = self.noise_keys(key)
        return sums if cell_key is None else sums + self._noise(cell_key, sums.shape, sums.dtype)

    def _sequence(
        self, weights: Weights, inputs: jax.Array, key: jax.Array | None
    ) -> dict[str, Any]:
        """What the kernel gets for inputs (time, trial, input), but for the initial state."""
        from_inputs = weights["input_weights"]
        shape = (*inputs.shape[:2], self.units)
        if "bias" in weights:  # the weights of one more input, which is always 1
            inputs = jnp.concatenate([inputs, jnp.ones_like(inputs[..., :1])], axis=-1)
            from_inputs = jnp.concatenate([from_inputs, weights["bias"][:, None]], axis=1)
        drive = None
        if key is not None:
            drive = self._noise(key, shape, inputs.dtype)
        return {
            "activation": activation_of(self.activation),
            "leak": self.leak,
            "weights": RateWeights(
                self.recurrent_weights(weights), from_inputs, weights["output_weights"]
            ),
            "inputs": inputs,
            "drive": drive,
        }


@register
class LowRankRNN(RateRNN):
    """A rate network whose recurrent weights have a low rank: W_rec = Σ_r m_r n_rᵀ / units.

    The vectors m and n are what is trained. It is `RateRNN` with a rank of 2 unless another is
    said; any cell with a field `rank` can have one.

    Parameters
    ----------
    rank : int
        Number of pairs of vectors.
    recurrent_init : str
        "normal", the entries of m and n are independent; "aligned", n starts as m, so that W_rec
        has `rank` eigenvalues of about recurrent_gain² and begins with a memory.
    recurrent_gain : float
        Standard deviation of the initial entries of m and n.

    References
    ----------
    Mastrogiuseppe & Ostojic (2018), Neuron 99:609; Dubreuil et al. (2022), Nat. Neurosci. 25:783.
    """

    newer_fields: ClassVar[tuple[str, ...]] = (
        "trained_start",
        "input_gain",
        "feedback",
        "feedback_gain",
    )

    recurrent_init: Any = "normal"
    rank: int | None = Field(default=2, ge=1)
