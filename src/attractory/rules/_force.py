"""FORCE learning: the readout by recursive least squares while the network runs on its feedback."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple, Self

import jax
import jax.numpy as jnp
from pydantic import Field

from attractory._errors import InvalidSetting
from attractory.kernels import Shards
from attractory.models import Model, Weights
from attractory.rules._least_squares import after_sample, as_bits, from_bits, with_pending
from attractory.rules._rule import Info, Rule, RuleState
from attractory.tasks import Batch

# samples between two writes of P: it is read for each; a write costs as much as two reads, and its
# product as many operations a sample however many there are
SAMPLES_OF_BLOCK = 32
KICK = 0.5  # standard deviation of the random state that begins a signal, as in the published code


class FORCE(Rule):
    """FORCE learning: the readout is changed while the network runs on its own feedback.

    Every few steps the readout weights move by recursive least squares, so that the output is near
    the target from the first trials on, and what comes back to the units is nearly the target: the
    network learns in the state in which it will run [1]_. All readouts share one matrix P. The
    recurrent, input and feedback weights stay as they began.

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

    Beside the loss, that of the outputs as they were made, an update reports "error_before" and
    "error_after", the root mean squared errors right before and after each change,
    "weight_change", the mean norm of the changes, and "trace", that of P.

    References
    ----------
    .. [1] Sussillo & Abbott (2009), Neuron 63:544, figure 1A and equations 4 and 5.
    """

    in_words: ClassVar[str] = "FORCE learning"

    batch: int = Field(default=1, ge=1)
    alpha: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    every: int = Field(default=2, ge=1)
    feedback: bool = True
    carry: bool = False

    @classmethod
    def paper(cls, **changes: Any) -> Self:
        """The published protocol (Sussillo & Abbott 2009, figure 2, and its code).

        One signal without a break, alpha 1, a change every 2 steps; twice as long as published. Its
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
        # networks is still off by some thousandths: too much for ten periods with frozen weights
        published: dict[str, Any] = {"alpha": 1.0, "every": 2, "carry": True, "steps": 24}
        return cls(**{**published, **changes})

    def adapt(self, model: Model) -> Model:
        made = model.with_feedback() if self.feedback else model
        if not made.may_train("output_weights"):
            raise InvalidSetting(
                f"model: trainable = {made.trainable} leaves FORCE nothing to train; allowed: "
                "None, or with 'output_weights' in it"
            )
        limits = made.weight_constraints
        if limits is not None and (limits.excitatory_readout or limits.output_areas is not None):
            raise InvalidSetting(
                "model: FORCE solves for a readout of all units, of any sign; allowed: constraints "
                "without excitatory_readout and output_areas"
            )
        return _keeping_state(made) if self.carry else made

    def init(self, model: Model, weights: Weights, key: jax.Array) -> RuleState:
        with jax.enable_x64(True):
            size = model.units + _with_bias(model, weights)
            inverse = as_bits(jnp.eye(size, dtype=jnp.float64) / self.alpha)
        kick = KICK * jax.random.normal(key, (model.state_size,), jnp.float32)
        return {"inverse": inverse, "speed": jnp.ones(()), "kick": kick}

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
        if shards is not None:
            trials = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), shards.all(trials))
        keys = jax.random.split(key, len(trials.inputs))
        begin = model.first_state(weights, 1, jnp.float32)[0]
        if self.carry:
            begin = jnp.where(jnp.any(begin != 0), begin, state["kick"])
        with jax.enable_x64(True):
            run = _Run(self, model, weights, begin, state["speed"].astype(jnp.float64))
            first = run.learned(from_bits(state["inverse"]))
            last, sums = jax.lax.scan(run.trial, first, (trials, keys))
            info = _report(sums, last, trials)
            changed = {**weights, **run.weights_of(last)}
            inverse = as_bits(last.inverse)
        if self.carry:
            changed["initial_state"] = last.state
        return changed, {**state, "inverse": inverse}, info

    def slowed(self, state: RuleState, factor: float | jax.Array) -> RuleState:
        return {**state, "speed": factor * state["speed"]}


class _Learned(NamedTuple):
    """What one trial hands on to the next.

    inverse: P (regressor, regressor), readout (output, regressor), both float64. state (state,).
    """

    inverse: jax.Array
    readout: jax.Array
    state: jax.Array


class _Sums(NamedTuple):
    """Of what happened, over steps and changes of the readout; all are numbers."""

    loss: jax.Array
    before: jax.Array
    after: jax.Array
    change: jax.Array
    errors: jax.Array
    samples: jax.Array


class _Given(NamedTuple):
    """A trial step by step; alive: 0 of steps that only fill up the last block."""

    inputs: jax.Array
    targets: jax.Array
    mask: jax.Array
    times: jax.Array
    alive: jax.Array


class _Run:
    """One network that learns while it runs; to be traced with `jax.enable_x64`."""

    def __init__(
        self, rule: FORCE, model: Model, weights: Weights, begin: jax.Array, speed: jax.Array
    ) -> None:
        self.rule, self.model, self.weights = rule, model, weights
        self.begin, self.speed = begin, speed
        self.bias = _with_bias(model, weights)

    def learned(self, inverse: jax.Array) -> _Learned:
        """Where the first trial begins."""
        readout = self.weights["output_weights"]
        if self.bias:
            readout = jnp.concatenate([readout, self.weights["output_bias"][:, None]], axis=1)
        return _Learned(inverse, readout.astype(jnp.float64), self.begin)

    def weights_of(self, learned: _Learned) -> Weights:
        """The readout as weights of the network."""
        readout = learned.readout.astype(jnp.float32)
        if not self.bias:
            return {"output_weights": readout}
        return {"output_weights": readout[:, :-1], "output_bias": readout[:, -1]}

    def trial(self, learned: _Learned, given: tuple[Batch, jax.Array]) -> tuple[_Learned, _Sums]:
        """What is learned in one trial."""
        trial, key = given
        if not self.rule.carry:
            learned = learned._replace(state=self.begin)

        def block(learned: _Learned, now: _Given) -> tuple[_Learned, _Sums]:
            pending = jnp.zeros((len(now.alive), len(learned.inverse)), jnp.float64)
            own = (learned.readout, learned.state, pending)
            places = jnp.arange(len(now.alive))
            (readout, state, pending), sums = jax.lax.scan(
                lambda own, each: self._sample(learned.inverse, key, own, each), own, (now, places)
            )
            inverse = with_pending(learned.inverse, pending)
            return _Learned(inverse, readout, state), _summed(sums)

        learned, sums = jax.lax.scan(block, learned, self._blocks(trial))
        return learned, _summed(sums)

    def _blocks(self, trial: Batch) -> _Given:
        """The trial as (block, sample, step, …)."""
        steps, every = len(trial.inputs), self.rule.every
        samples = min(SAMPLES_OF_BLOCK, -(-steps // every))
        filled = -steps % (samples * every)
        given = _Given(
            trial.inputs, trial.targets, trial.mask, jnp.arange(steps), jnp.ones(steps, bool)
        )

        def cut(array: jax.Array) -> jax.Array:
            whole = jnp.pad(array, [(0, filled), *[(0, 0)] * (array.ndim - 1)])
            return whole.reshape(-1, samples, every, *array.shape[1:])

        return jax.tree.map(cut, given)

    def _sample(self, inverse: jax.Array, key: jax.Array, own: Any, each: Any) -> Any:
        """Some steps of the network, then one change of the readout."""
        readout, state, pending = own
        now, place = each
        weights = {**self.weights, **self.weights_of(_Learned(inverse, readout, state))}

        def step(state: jax.Array, at: _Given) -> tuple[jax.Array, jax.Array]:
            noise = jax.random.fold_in(key, at.times) if self.model.has_cell_noise() else None
            moved = self.model.step(weights, state, at.inputs, noise).astype(state.dtype)
            state = jnp.where(at.alive, moved, state)
            error = self._read(readout, state) - at.targets
            return state, jnp.sum(at.mask * error**2)

        state, losses = jax.lax.scan(step, state, now)
        counted = ((now.mask[-1] > 0) & now.alive[-1]).astype(jnp.float64)
        targets = now.targets[-1] - self._fixed_bias()
        made = after_sample(
            inverse, pending, readout, self._regressors(state), targets, counted, self.speed
        )
        sums = _Sums(
            loss=jnp.sum(losses),
            before=jnp.sum(made.before**2),
            after=jnp.sum(made.after**2),
            change=jnp.linalg.norm(made.readout - readout),
            errors=jnp.sum(counted),
            samples=jnp.max(counted),
        )
        return (made.readout, state, pending.at[place].set(made.factor)), sums

    def _regressors(self, state: jax.Array) -> jax.Array:
        rates = self.model.hidden(state).astype(jnp.float64)
        return jnp.append(rates, 1.0) if self.bias else rates

    def _read(self, readout: jax.Array, state: jax.Array) -> jax.Array:
        return readout @ self._regressors(state) + self._fixed_bias()

    def _fixed_bias(self) -> Any:
        """A readout bias that is not trained."""
        return 0.0 if self.bias else self.weights.get("output_bias", 0.0)


def _summed(sums: _Sums) -> _Sums:
    return jax.tree.map(lambda each: jnp.sum(each, axis=0), sums)


def _report(sums: _Sums, last: _Learned, trials: Batch) -> Info:
    """The numbers of an update, from the sums of each of its trials."""
    total = _summed(sums)
    errors, samples = jnp.maximum(total.errors, 1.0), jnp.maximum(total.samples, 1.0)
    info = {
        "loss": total.loss / jnp.maximum(jnp.sum(trials.mask), 1e-12),
        "error_before": jnp.sqrt(total.before / errors),
        "error_after": jnp.sqrt(total.after / errors),
        "weight_change": total.change / samples,
        "trace": jnp.trace(last.inverse),
    }
    return {name: value.astype(jnp.float32) for name, value in info.items()}


def _with_bias(model: Model, weights: Weights) -> bool:
    """Whether there is a readout bias to be trained."""
    return "output_bias" in weights and model.may_train("output_bias")


def _keeping_state(model: Model) -> Model:
    """The model with its initial state among its weights."""
    if "initial_state" in model.weight_shapes(1, 1):
        return model
    if "trained_start" not in type(model).model_fields:
        raise InvalidSetting(
            f"carry = True: a {type(model).__name__} does not keep an initial state of its own; "
            "allowed: RateRNN, LowRankRNN, CurrentRNN"
        )
    return model.replace(trained_start=True)
