"""full-FORCE: recurrent weights that make by themselves what a driven network was made to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
from pydantic import Field

from attractory._errors import InvalidSetting
from attractory.kernels import Shards
from attractory.models import Model, Weights
from attractory.rules._float64 import as_bits, from_bits
from attractory.rules._force import KICK, keeping_state
from attractory.rules._least_squares import first_inverse
from attractory.rules._online import Given, Learned, OnlineRun, report, whole_batch
from attractory.rules._rule import Info, Rule, RuleState
from attractory.rules._solved_readout import check_recurrent
from attractory.tasks import Batch

Hints = Callable[[jax.Array, jax.Array], jax.Array]


class FullFORCE(Rule):
    """The full-FORCE rule: recurrent and readout weights by least squares, after a teacher.

    A random network, the teacher, hears the targets (and hints) as further inputs. Beside it runs
    the network that learns, without them: its recurrent weights move until the sums of its units
    are those that the teacher's units get from its recurrent weights, the targets and the hints
    [1]_. So every unit is trained, and needs no feedback. Biases and input weights, which the
    teacher shares, stay as they began.

    The fields are those of every `Rule`, and these.

    Parameters
    ----------
    batch : int
        Trials in one update. They are run one after another, the weights changing all the time.
    alpha : float
        P begins as the unit matrix over alpha; also the ridge of the least squares.
    every : int
        Steps of the network between two changes.
    teacher_gain : float
        The teacher's recurrent weights have a standard deviation of teacher_gain / √units.
    target_gain : float
        From the targets and hints to the teacher's units lead weights that are drawn uniformly from
        -target_gain to target_gain.
    hints : callable, optional
        What the teacher hears beside the targets: of a trial's inputs (time, input) and targets
        (time, output) it makes hints (time, hint), in JAX operations. The network that learns never
        hears them.
    carry : bool
        Whether trials are pieces of one signal; see `FORCE`.

    Notes
    -----
    With r the rates of the network, r_D those of the teacher, f the targets and h the hints, the
    errors are W_rec r - W_D r_D - u_f f - u_h h and W_out r - f; all rows share one P, as in
    `FORCE`, whose notes on precision, mask and what is reported hold here. The published code makes
    a change at a step with probability 1/2; here it is one every `every` steps. The teacher hears
    the targets of a step at the next, when the units of the network hear one another.

    References
    ----------
    .. [1] DePasquale, Cueva, Rajan, Escola & Abbott (2018), PLoS ONE 13:e0191527.
    """

    in_words: ClassVar[str] = "full-FORCE learning"
    picture_of_history: ClassVar[str] = "force_learning"

    batch: int = Field(default=1, ge=1)
    alpha: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    every: int = Field(default=2, ge=1)
    teacher_gain: float = Field(default=1.5, gt=0, allow_inf_nan=False)
    target_gain: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    hints: Hints | None = None
    carry: bool = False

    @classmethod
    def paper(cls, **changes: Any) -> Self:
        """The published protocol (DePasquale et al. 2018, and its code), on one signal.

        alpha 1, a teacher of gain 1.5, a change at every second step. Its network is CurrentRNN(
        units=300, tau=10, dt=1, recurrent_gain=0). How long it learns is not taken from there: 60
        trials.

        Parameters
        ----------
        **changes : settings
            Single settings that are to be others.

        Returns
        -------
        FullFORCE
            The rule.
        """
        published: dict[str, Any] = {
            "alpha": 1.0,
            "every": 2,
            "teacher_gain": 1.5,
            "target_gain": 1.0,
            "carry": True,
            "steps": 60,
        }
        return cls(**{**published, **changes})

    def adapt(self, model: Model) -> Model:
        check_recurrent("full-FORCE", model, ("recurrent_weights", "output_weights"))
        return keeping_state(model) if self.carry else model

    def init(self, model: Model, weights: Weights, key: jax.Array) -> RuleState:
        recurrent_key, target_key, kick_key = jax.random.split(key, 3)
        n_targets = len(weights["output_weights"]) + self._n_hints(weights)
        recurrent = jax.random.normal(recurrent_key, (model.units, model.units))
        kick = KICK * jax.random.normal(kick_key, (model.state_size,))
        return {
            "inverse": first_inverse(model.units, self.alpha),
            "speed": jnp.ones(()),
            "kick": kick,
            "teacher_state": kick,
            "teacher_recurrent": self.teacher_gain * recurrent / model.units**0.5,
            "teacher_targets": jax.random.uniform(
                target_key, (model.units, n_targets), minval=-self.target_gain,
                maxval=self.target_gain,
            ),
        }  # fmt: skip

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
        first = model.first_state(weights, 1, jnp.float32)[0]
        begin = (first, first)
        if self.carry:
            own = jnp.where(jnp.any(first != 0), first, state["kick"])
            begin = (own, state["teacher_state"])
        with jax.enable_x64(True):
            speed = state["speed"].astype(jnp.float64)
            run = _TaughtRun(model, weights, begin, speed, self.every, self.carry)
            run.taught_by(state, self.hints)
            learned = Learned(from_bits(state["inverse"]), run.solved(), begin)
            last, sums = jax.lax.scan(run.trial, learned, (trials, keys))
            info = report(sums, last, trials)
            changed = {**weights, **run.weights_of(last.solved)}
            state = {**state, "inverse": as_bits(last.inverse)}
        if self.carry:
            changed["initial_state"], state["teacher_state"] = last.state
        return changed, state, info

    def slowed(self, state: RuleState, factor: float | jax.Array) -> RuleState:
        return {**state, "speed": factor * state["speed"]}

    def _n_hints(self, weights: Weights) -> int:
        """Number of hints, from what `hints` makes of a trial of two steps."""
        if self.hints is None:
            return 0
        channels = weights["input_weights"].shape[1], len(weights["output_weights"])
        trial = [jax.ShapeDtypeStruct((2, n), jnp.float32) for n in channels]
        made = jax.eval_shape(self.hints, *trial)
        shape = getattr(made, "shape", None)
        if shape is None or len(shape) != 2 or shape[0] != 2:
            raise InvalidSetting(
                f"hints: it makes something of shape {shape} for a trial of 2 steps; it must be "
                "(time, hint), (2, hint) here"
            )
        return int(shape[1])


class _TaughtRun(OnlineRun):
    """A network that solves for its recurrent and readout weights beside its teacher.

    Its state is that of the network and that of the teacher.
    """

    def taught_by(self, state: RuleState, hints: Hints | None) -> None:
        """Take the teacher from the rule's state."""
        self.hints = hints
        self.recurrent, self.from_targets = state["teacher_recurrent"], state["teacher_targets"]
        into = jnp.concatenate([self.weights["input_weights"], self.from_targets], axis=1)
        own = {"recurrent_weights": self.recurrent, "input_weights": into}
        self.teacher = {**self.weights, **own}

    def solved(self) -> jax.Array:
        rows = [self.weights[name] for name in ("recurrent_weights", "output_weights")]
        return jnp.concatenate(rows).astype(jnp.float64)

    def weights_of(self, solved: jax.Array) -> Weights:
        units = self.model.units
        rows = solved.astype(jnp.float32)
        return {"recurrent_weights": rows[:units], "output_weights": rows[units:]}

    def regressors(self, state: Any) -> jax.Array:
        return self.model.hidden(state[0]).astype(jnp.float64)

    def output(self, solved: jax.Array, state: Any) -> jax.Array:
        readout = solved[self.model.units :]
        return readout @ self.regressors(state) + self.weights.get("output_bias", 0.0)

    def beside(self, trial: Batch) -> jax.Array:
        """Targets and hints of each step, and those of the step before."""
        said = trial.targets
        if self.hints is not None:
            said = jnp.concatenate([said, self.hints(trial.inputs, trial.targets)], axis=1)
        before = jnp.concatenate([said[:1], said[:-1]])
        return jnp.concatenate([said, before], axis=1).astype(jnp.float32)

    def moved(self, weights: Weights, state: Any, at: Given, key: jax.Array | None) -> Any:
        own, teacher = state
        before = at.beside[self.from_targets.shape[1] :]
        heard = jnp.concatenate([at.inputs, before])
        return (
            self.model.step(weights, own, at.inputs, key),
            self.model.step(self.teacher, teacher, heard),
        )

    def wanted(self, state: Any, now: Given) -> tuple[jax.Array, jax.Array]:
        said = now.beside[: self.from_targets.shape[1]]
        sums = self.recurrent @ self.model.hidden(state[1]) + self.from_targets @ said
        outputs = now.targets - self.weights.get("output_bias", 0.0)
        counted = jnp.concatenate([jnp.ones_like(sums), now.mask > 0])
        wanted = jnp.concatenate([sums, outputs])
        return wanted.astype(jnp.float64), counted.astype(jnp.float64)
