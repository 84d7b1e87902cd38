"""What cells of plain units share: one matrix of recurrent weights, and what it must obey."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
from pydantic import Field, model_validator

from attractory._arguments import takes
from attractory.kernels import activation_of, bfloat16_missing
from attractory.models import _initial
from attractory.models._activations import ActivationSetting
from attractory.models._cell import Weights
from attractory.models._constraints import Constraints
from attractory.models._equation import name_of
from attractory.models._feedback import FEEDBACK, closed, drawn_feedback
from attractory.models._from_weights import stored_weights
from attractory.models._model import Model, Network
from attractory.models._projection import FIXED, MASK
from attractory.models._readout import read_out


class Connected(Model):
    """Base of the cells whose units are connected by one matrix W_rec and share one phi.

    Parameters
    ----------
    units : int
        Number of units.
    tau, dt : float
        Time constant and step, in the same unit; 0 < dt <= tau.
    activation : str or callable
        The function phi: "tanh", "relu", "softplus", "sigmoid", another name, or a function.
    bias : bool
        Whether there is a recurrent bias b (it starts at 0).
    recurrent_noise : float
        Standard deviation of the private noise of a unit.
    recurrent_init : str or array (unit, unit)
        "orthogonal", "normal" (standard deviation 1/√units), "glorot", "identity", each times
        recurrent_gain; or an array. With a rank: "normal", the entries of m and n are independent;
        "aligned", n starts as m, so that W_rec has `rank` eigenvalues of about recurrent_gain² and
        begins with a memory.
    recurrent_gain : float
        See recurrent_init; with a rank the standard deviation of the entries of m, n.
    input_init : str or array (unit, input)
        "glorot" (uniform), "normal" (standard deviation 1/√from), or an array.
    input_gain : float
        What drawn input weights are multiplied by, those of an array are not.
    constraints : Constraints, optional
        Signs, zeros, blocks, bounds of the weights; see `Constraints`.
    rank : int, optional
        W_rec = Σ m nᵀ / units of so many pairs of vectors, which are what is trained. None: every
        entry of W_rec is a weight.
    trained_start : bool
        Whether the state at the start is a weight, "initial_state" (unit,), that starts at 0 and is
        trained; else it is 0.
    feedback : bool
        Whether the outputs z, without their noise, come back to the units: W_fb z(t) is added to
        what they sum. W_fb, "feedback_weights" (unit, output), is drawn uniformly from
        -feedback_gain to feedback_gain, and is trained only where `trainable` names it.
    feedback_gain : float
        See feedback.
    """

    symbols: ClassVar[dict[str, str]] = {**Model.symbols, "initial_state": r"$s(0)$"}
    takes_feedback: ClassVar[bool] = True
    fixed_weights: ClassVar[tuple[str, ...]] = (MASK, FIXED)

    tau: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    dt: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    activation: ActivationSetting = "tanh"
    bias: bool = False
    recurrent_noise: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    recurrent_init: Any = "orthogonal"
    recurrent_gain: float = Field(default=1.0, allow_inf_nan=False)
    input_init: Any = "glorot"
    input_gain: float = Field(default=1.0, allow_inf_nan=False)
    constraints: Constraints | None = None
    rank: int | None = Field(default=None, ge=1)
    trained_start: bool = False
    feedback: bool = False
    feedback_gain: float = Field(default=1.0, gt=0, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _start_of_vectors(cls, values: Any) -> Any:
        """Pairs of vectors have initial weights of their own kind."""
        if isinstance(values, dict) and values.get("rank") is not None:
            return {"recurrent_init": "normal", **values}
        return values

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.dt > self.tau:
            raise ValueError(f"dt = {self.dt} is not allowed: at most tau = {self.tau}")
        plain = ("orthogonal", "normal", "glorot", "identity")
        allowed = plain if self.rank is None else ("normal", "aligned")
        _initial.check_init("recurrent_init", self.recurrent_init, allowed)
        _initial.check_init("input_init", self.input_init, ("glorot", "normal"))
        self._check_rank()
        if not isinstance(self.recurrent_init, str):
            _initial.given("recurrent_init", self.recurrent_init, (self.units, self.units))
        if self.constraints is not None:
            known = activation_of(self.activation).nonnegative
            self.constraints.check(self.units, known, self.activation, self.recurrent_init)
        return self

    def _check_rank(self) -> None:
        if self.rank is None:
            return
        if self.rank > self.units:
            raise ValueError(f"rank = {self.rank} is not allowed: at most units = {self.units}")
        if self.constraints is not None:
            raise ValueError("constraints contradict a low rank: its weights follow from vectors")
        if not isinstance(self.recurrent_init, str):
            raise ValueError(
                "recurrent_init is not allowed as an array with a rank: 'normal', 'aligned'; "
                "vectors of your own go into from_weights(left_vectors=..., right_vectors=...)"
            )

    @classmethod
    @takes()
    def from_weights(
        cls,
        recurrent: Any = None,
        input: Any = None,
        output: Any = None,
        output_bias: Any = None,
        bias: Any = None,
        *,
        left_vectors: Any = None,
        right_vectors: Any = None,
        initial_state: Any = None,
        feedback: Any = None,
        **settings: Any,
    ) -> Network:
        """A network of this model from arrays made elsewhere.

        Parameters
        ----------
        recurrent, input, output : array
            (unit, unit), (unit, input), (output, unit), all [to, from].
        output_bias, bias : array, optional
            (output,), (unit,); None where there is none.
        left_vectors, right_vectors : array (unit, rank), optional
            The vectors m and n of W_rec = m nᵀ / units, instead of `recurrent`.
        initial_state : array (unit,), optional
            The state at the start; None where it is no weight.
        feedback : array (unit, output), optional
            From the outputs back to the units; None where there is no feedback.
        **settings : settings
            Other fields of the model: activation, tau, dt, constraints … With neither tau nor dt a
            step replaces the whole state, and has no length of its own (it is one step of whatever
            task the network is tried on).

        Returns
        -------
        Network
            The network. Float64 arrays keep their precision.

        Raises
        ------
        InvalidSetting
            When shapes do not fit, a value is not finite or none in float32, weights break the
            constraints, or `recurrent` has not the rank that is said.
        """
        given = {"input_weights": input, "output_weights": output, "output_bias": output_bias}
        given |= {"bias": bias, "initial_state": initial_state, "recurrent_weights": recurrent}
        given |= {"left_vectors": left_vectors, "right_vectors": right_vectors}
        given[FEEDBACK] = feedback
        return stored_weights(cls, given, settings)

    @property
    def leak(self) -> float:
        """dt / tau: the share of the state that one step replaces."""
        return self.dt / self.tau

    @property
    def weight_constraints(self) -> Constraints | None:
        return self.constraints

    @property
    def recurrent_rank(self) -> int | None:
        return self.rank

    @property
    def stays_bounded(self) -> bool | None:
        # a leaky mean of the state and of bounded rates (or of their weighted sums)
        return True if activation_of(self.activation).bounded else None

    @property
    def has_feedback(self) -> bool:
        return self.feedback

    def with_feedback(self) -> Self:
        return self if self.feedback else self.replace(feedback=True)

    def closed_loop(self, weights: Weights) -> Weights:
        return closed(weights) if FEEDBACK in weights else weights

    def without_feedback(self, weights: Weights) -> Self:
        if not self.feedback:
            return self
        rank = self.rank and weights["left_vectors"].shape[1]
        dropped: dict[str, Any] = {"constraints": None, "trainable": None}
        if not isinstance(self.recurrent_init, str):
            dropped["recurrent_init"] = "normal"
        return self.replace(feedback=False, bias="bias" in weights, rank=rank, **dropped)

    def may_train(self, name: str) -> bool:
        if name == FEEDBACK:
            return self.trainable is not None and name in self.trainable
        return super().may_train(name)

    def recurrent_weights(self, weights: Weights) -> Any:
        if self.rank is None:
            return super().recurrent_weights(weights)
        return weights["left_vectors"] @ weights["right_vectors"].T / self.units

    def with_sent(self, weights: Weights, factors: Any) -> Weights:
        # what reads a unit is its column of W_rec = m nᵀ / units, or its row of n
        name, scale = "recurrent_weights", factors
        if self.rank is not None:
            name, scale = "right_vectors", factors[:, None]
        return read_out({**weights, name: weights[name] * scale}, factors)

    def cell_shapes(self, n_inputs: int) -> dict[str, tuple[int, ...]]:
        shapes: dict[str, tuple[int, ...]] = {}
        if self.rank is None:
            shapes["recurrent_weights"] = (self.units, self.units)
        else:
            shapes |= dict.fromkeys(("left_vectors", "right_vectors"), (self.units, self.rank))
        shapes["input_weights"] = (self.units, n_inputs)
        for name, there in [("bias", self.bias), ("initial_state", self.trained_start)]:
            if there:
                shapes[name] = (self.units,)
        if self.constraints is not None:
            shapes |= self.constraints.shapes(self.units)
        return shapes

    def weight_shapes(self, n_inputs: int, n_outputs: int) -> dict[str, tuple[int, ...]]:
        shapes = super().weight_shapes(n_inputs, n_outputs)
        return {**shapes, FEEDBACK: (self.units, n_outputs)} if self.feedback else shapes

    def cell_init(self, key: jax.Array, input_key: jax.Array, n_inputs: int) -> Weights:
        weights = self._recurrent_init(key)
        made = _initial.projection("input_init", self.input_init, (self.units, n_inputs), input_key)
        gain = self.input_gain if isinstance(self.input_init, str) else 1.0
        weights["input_weights"] = made if gain == 1 else gain * made
        for name, there in [("bias", self.bias), ("initial_state", self.trained_start)]:
            if there:
                weights[name] = jnp.zeros(self.units)
        return weights

    def _recurrent_init(self, key: jax.Array) -> Weights:
        if self.rank is None:
            made = _initial.recurrent(self.recurrent_init, self.recurrent_gain, self.units, key)
            return {"recurrent_weights": made}
        shape = (2, self.units, self.rank)
        left, right = self.recurrent_gain * jax.random.normal(key, shape)
        return {
            "left_vectors": left,
            "right_vectors": left if self.recurrent_init == "aligned" else right,
        }

    def begun(self, weights: Weights, key: jax.Array) -> Weights:
        if self.feedback:
            own, n_outputs = jax.random.fold_in(key, 2), len(weights["output_weights"])
            made = drawn_feedback(own, self.units, n_outputs, self.feedback_gain)
            weights = {**weights, FEEDBACK: made}
        if self.constraints is None:
            return weights
        # a user's own initial weights stay as they are
        radius = abs(self.recurrent_gain) if isinstance(self.recurrent_init, str) else None
        return self.constraints.begin(weights, radius, jax.random.fold_in(key, 1))

    def constrained(self, weights: Weights, before: Weights) -> Weights:
        return weights if self.constraints is None else self.constraints.project(weights, before)

    def allowed_changes(self, changes: Weights, weights: Weights, gradients: Weights) -> Weights:
        if self.constraints is None:
            return changes
        return self.constraints.free(changes, weights, gradients)

    def bfloat16_missing(self) -> str | None:
        return bfloat16_missing(activation_of(self.activation))

    def has_cell_noise(self) -> bool:
        return self.recurrent_noise > 0

    def rank_in_words(self) -> tuple[str, ...]:
        """The line of the equation that says what W_rec is made of; none where it is a weight."""
        if self.rank is None:
            return ()
        return (rf"$W_\mathrm{{rec}} = \sum_r m_r\,n_r^\top / {self.units}$",)

    def terms(self) -> list[tuple[str, str]]:
        """Symbol and value of the settings in the equation."""
        found = [(r"$\phi$", f"{name_of(self.activation)} (activation)")]
        steps = f"{self.dt:g}, {self.tau:g} ms (step, time constant)"
        found.append((r"$\Delta t,\ \tau$", steps))
        if self.recurrent_noise > 0:
            found.append((r"$\xi$", f"noise, s.d. {self.recurrent_noise:g}·{self._noise_scale()}"))
        if self.constraints is not None:
            found += self.constraints.in_words(self.units)
        return found

    def _noise_scale(self) -> str:
        """What a step multiplies recurrent_noise by, in words."""
        return "√(2τ/Δt)"
