"""FORCE learning: the readout by recursive least squares while the network runs."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
from pydantic import Field

from attractory._errors import InvalidSetting
from attractory.kernels import Shards
from attractory.models import Model, Weights
from attractory.rules._float64 import as_bits, from_bits
from attractory.rules._least_squares import first_inverse
from attractory.rules._online import Given, Learned, OnlineRun, report, whole_batch
from attractory.rules._rule import Info, Rule, RuleState
from attractory.rules._solved_readout import check_readout, check_recurrent, solves_bias
from attractory.tasks import Batch

KICK = 0.5  # standard deviation of the random state that begins a signal, as in the published code


class FORCE(Rule):
    """FORCE learning: the readout is changed while the network runs on its own feedback.

    Every few steps the readout weights move by recursive least squares, so that the output is near
    the target from the first trials on, and what comes back to the units is nearly the target: the
    network learns in the state in which it will run [1]_. All readouts share one matrix P. The
    recurrent, input and feedback weights stay as they began; with `internal` the recurrent weights
    learn, and there is no feedback.

    The fields are those of every `Rule`, and these.

    Parameters
    ----------
    batch : int
        Trials in one update. They are run one after another, the readout learning all the time.
    alpha : float
        P begins as the unit matrix over alpha: the smaller alpha, the larger the first steps. It is
        also the ridge of the least squares.
    every : int
        Steps of the network between two changes of the readout.
    feedback : bool
        Whether a model without feedback of its outputs is given it (see `RateRNN`). False: the
        model stays as it is; without feedback the rule is an online ridge regression.
    internal : bool
        Whether the recurrent weights change with the readout, by the same errors, in place of
        feedback: no model is given it then, and one that has it is refused. The readout begins at
        0 unless `output_init` is an array, and where its bias is learned the units have one, too.
        See Notes.
    carry : bool
        Whether trials are pieces of one signal: each begins in the state in which the one before
        ended, and the first in a random one where the network's own is 0. The model then keeps
        where the signal goes on as its `initial_state`. False: each trial begins anew.

    Notes
    -----
    With r the rates (and a 1, where there is a readout bias), e the errors before the change:
    k = P r, g = 1 / (1 + rᵀk), P -= g k kᵀ, W_out -= g e kᵀ. It is done in float64 whatever the
    network is computed in. A step counts where the mask counts any output, and changes the outputs
    that it counts; how much it counts makes no difference.

    With `internal` all units change as the readouts do, over the rates of all units:
    W_rec -= g U e kᵀ. U (unit, output), the rule's "error_weights", are the weights by which the
    errors of the outputs reach a unit; they are drawn uniformly from -1 to 1, as feedback weights
    are. Of one output and with U of ones it is the published code, force_internal_all2all.m. As
    W_rec and W_out change together, by U ΔW_out and ΔW_out, the network stays the closed loop of
    one with feedback weights U, which learns the same by feedback. A connection that is not there
    would need a P of each unit's own: constraints are refused.

    Beside the loss, that of the outputs as they were made, an update reports "error_before_change"
    and "error_after_change", the root mean squared errors right before and after each change,
    "weight_change", the mean norm of the changes, and "inverse_correlation_trace", that of P.

    References
    ----------
    .. [1] Sussillo & Abbott (2009), Neuron 63:544, figure 1A, with `internal` figure 1C, and
       equations 4 and 5.
    """

    in_words: ClassVar[str] = "FORCE learning"
    newer_fields: ClassVar[tuple[str, ...]] = ("internal",)
    picture_of_history: ClassVar[str] = "force_learning"

    batch: int = Field(default=1, ge=1)
    alpha: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    every: int = Field(default=2, ge=1)
    feedback: bool = True
    internal: bool = False
    carry: bool = False

    @classmethod
    def paper(cls, **changes: Any) -> Self:
        """The published protocol (Sussillo & Abbott 2009, figure 2, and its code).

        One signal without a break, alpha 1, a change every 2 steps, for four times as long. Its
        network is CurrentRNN(units=1000, tau=10, dt=1, bias=False, output_bias=False,
        recurrent_gain=1.5, constraints=Constraints(density=0.1)), and its task
        `SumOfSinusoids(sigma=0)`.

        Parameters
        ----------
        **changes : settings
            Single settings that are to be others.

        Returns
        -------
        FORCE
            The rule.
        """
        # periods of 1200 steps. The published code has 12, after which the frequency of some
        # networks is still off by a thousandth: a tenth of the amplitude in ten periods
        published: dict[str, Any] = {"alpha": 1.0, "every": 2, "carry": True, "steps": 48}
        return cls(**{**published, **changes})

    def adapt(self, model: Model) -> Model:
        if self.internal:
            made = for_internal(model)
        else:
            made = model.with_feedback() if self.feedback else model
        check_readout("FORCE", made)
        return keeping_state(made) if self.carry else made

    def init(self, model: Model, weights: Weights, key: jax.Array) -> RuleState:
        inverse = first_inverse(model.units + solves_bias(model), self.alpha)
        kick = KICK * jax.random.normal(key, (model.state_size,), jnp.float32)
        state: RuleState = {"inverse": inverse, "speed": jnp.ones(()), "kick": kick}
        if self.internal:
            shape = (model.units, len(weights["output_weights"]))
            own = jax.random.fold_in(key, 1)
            state["error_weights"] = jax.random.uniform(own, shape, jnp.float32, minval=-1.0)
        return state

    def update(
        self,
        model: Model,
        weights: Weights,
        state: RuleState,
        trials: Batch,
        step: jax.Array,
        key: jax.Array,
        shards: Shards | None = None,
    ) -> tuple[Weights, RuleState, Info]:
        trials = whole_batch(trials, shards)
        keys = jax.random.split(key, len(trials.inputs))
        begin = model.first_state(weights, 1, weights["output_weights"].dtype)[0]
        if self.carry:
            begin = jnp.where(jnp.any(begin != 0), begin, state["kick"])
        with jax.enable_x64(True):
            speed = state["speed"].astype(jnp.float64)
            kind = partial(_InternalRun, state["error_weights"]) if self.internal else _ReadoutRun
            run = kind(model, weights, begin, speed, self.every, self.carry)
            first = Learned(from_bits(state["inverse"]), run.solved(), begin)
            last, sums = jax.lax.scan(run.trial, first, (trials, keys))
            info = report(sums, last, trials)
            changed = {**weights, **run.weights_of(last.solved)}
            inverse = as_bits(last.inverse)
        if self.carry:
            changed["initial_state"] = last.state
        return changed, {**state, "inverse": inverse}, info

    def slowed(self, state: RuleState, factor: float | jax.Array) -> RuleState:
        return {**state, "speed": factor * state["speed"]}


class _ReadoutRun(OnlineRun):
    """A network that solves for its readout."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.bias = solves_bias(self.model)

    def solved(self) -> jax.Array:
        readout = self.weights["output_weights"]
        if self.bias:
            readout = jnp.concatenate([readout, self.weights["output_bias"][:, None]], axis=1)
        return readout.astype(jnp.float64)

    def weights_of(self, solved: jax.Array) -> Weights:
        readout = solved.astype(self.weights["output_weights"].dtype)
        if not self.bias:
            return {"output_weights": readout}
        return {"output_weights": readout[:, :-1], "output_bias": readout[:, -1]}

    def regressors(self, state: jax.Array) -> jax.Array:
        rates = self.model.hidden(state).astype(jnp.float64)
        return jnp.append(rates, 1.0) if self.bias else rates

    def output(self, solved: jax.Array, state: jax.Array) -> jax.Array:
        return solved @ self.regressors(state) + self._fixed_bias()

    def wanted(self, state: jax.Array, now: Given) -> tuple[jax.Array, jax.Array]:
        return now.targets - self._fixed_bias(), (now.mask > 0).astype(jnp.float64)

    def _fixed_bias(self) -> Any:
        """A readout bias that is not trained."""
        return 0.0 if self.bias else self.weights.get("output_bias", 0.0)


class _InternalRun(_ReadoutRun):
    """The same, whose recurrent weights change with the readout.

    error_weights (unit, output): by which the errors of the outputs reach the units.
    """

    def __init__(self, error_weights: jax.Array, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.error_weights = error_weights

    def weights_of(self, solved: jax.Array) -> Weights:
        readout = super().weights_of(solved)
        moved = {name: array - self.weights[name] for name, array in readout.items()}
        own = {"output_weights": "recurrent_weights", "output_bias": "bias"}
        return readout | {
            own[name]: self.weights[own[name]] + self.error_weights @ change
            for name, change in moved.items()
        }


def for_internal(model: Model) -> Model:
    """The model as its recurrent weights learn; InvalidSetting where they cannot.

    Its units have a bias where its readout has one to be learned. What is drawn for a readout is
    left out: the recurrent weights would have it, turned round, as a strong part that stays.
    """
    has_bias = solves_bias(model)
    names = ("recurrent_weights", "output_weights", *(("bias",) if has_bias else ()))
    made = model.replace(bias=True) if has_bias and model.takes_feedback else model
    check_recurrent("internal FORCE", made, names)
    return made.replace(output_init="zeros") if isinstance(made.output_init, str) else made


def keeping_state(model: Model) -> Model:
    """The model with its initial state among its weights."""
    if "initial_state" in model.weight_shapes(1, 1):
        return model
    if "trained_start" not in type(model).model_fields:
        raise InvalidSetting(
            f"carry = True: a {type(model).__name__} does not keep an initial state of its own; "
            "allowed: RateRNN, LowRankRNN, CurrentRNN"
        )
    return model.replace(trained_start=True)
