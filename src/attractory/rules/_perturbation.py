"""Learning from what random perturbations of weights, or of units, do to the loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Literal

import jax
import jax.numpy as jnp
from pydantic import Field

from attractory.models import Model, Weights
from attractory.rules._descent import trained_weights
from attractory.rules._estimate import (
    Estimate,
    Keys,
    before_each_step,
    check_synapses,
    of_readout,
    of_synapses,
)
from attractory.rules._rule import RuleState
from attractory.tasks import Batch


class WeightPerturbation(Estimate):
    """Weights move against random directions as far as these raise the loss.

    The loss is measured with the weights W, and with W + size · ψ, for ψ normal and independent
    in every weight; in place of the gradient is

        (L(W + size ψ) - L(W)) / size · ψ

    whose mean is the gradient, up to size, and whose variance grows with the number of weights
    [1]_. The network is only run forward. Every cell can be trained so.

    The fields are those of every rule that descends a gradient (`Descent`), and these.

    Parameters
    ----------
    loss : str
        Its name, as for `BPTT`.
    optimizer : str or dict
        That of `Descent`.
    size : float
        Standard deviation of the perturbation of a weight.
    perturbations : int
        How many directions an update tries and takes the mean over, each on all trials of the
        batch.

    Notes
    -----
    Trials and the network's own noise are the same in the runs that are compared. Weights that a
    mask holds at 0, or that are fixed, are not perturbed; signs and bounds hold for the weights
    between updates, not for those that are tried.

    References
    ----------
    .. [1] Werfel, Xie & Seung (2005), Neural Comput. 17:2699. With two losses on opposite sides:
       Cauwenberghs (1993), NIPS 5:244; Spall (1992), IEEE Trans. Automat. Contr. 37:332.
    """

    in_words: ClassVar[str] = "weight perturbation"

    # of weights of about 1 / √units: the loss is nearly linear so near by, and the difference of
    # losses well above the rounding of float32
    size: float = Field(default=1e-3, gt=0, allow_inf_nan=False)
    perturbations: int = Field(default=1, ge=1)

    def _of_trials(
        self, model: Model, weights: Weights, state: RuleState, trials: Batch, keys: Keys
    ) -> tuple[jax.Array, Weights]:
        loss = self.error(model, weights, trials, keys.noise)
        trained = trained_weights(model, weights)

        def along(key: jax.Array) -> Weights:
            direction = self._direction(model, weights, trained, key)
            moved = {name: w + self.size * direction[name] for name, w in trained.items()}
            there = self.error(model, {**weights, **moved}, trials, keys.noise)
            slope = (there - loss) / self.size
            return {name: slope * array for name, array in direction.items()}

        return loss, mean_over_keys(along, keys.common, self.perturbations)

    def _direction(
        self, model: Model, weights: Weights, trained: Weights, key: jax.Array
    ) -> Weights:
        own = jax.random.split(key, len(trained))
        drawn = {
            name: jax.random.normal(each, trained[name].shape, trained[name].dtype)
            for each, name in zip(own, sorted(trained), strict=True)
        }
        # nothing pushes against a bound: weights that may not change at all stay
        unpushed = {name: jnp.zeros_like(array) for name, array in drawn.items()}
        return model.allowed_changes(drawn, weights, unpushed)


class NodePerturbation(Estimate):
    """Units are perturbed at every step; synapses change by what they sent then and by the loss.

    A trial is run twice, the second time with a perturbation size · ξ_i(t) of what each unit sums,
    normal and independent at every step. With ΔL the difference of its losses,

        ΔW_ij ∝ - ΔL / size · Σ_t ξ_i(t) r_j(t-1)

    where r_j is what unit j sends: the sum is the synapse's eligibility, and ΔL the one number that
    all of them are told [1]_ [2]_. Input weights and bias have the inputs and 1 for r. The mean is
    the gradient of the loss of the network with these perturbations. The variance grows with the
    number of units times that of steps; that of weight perturbation with the number of weights
    [3]_.

    The fields are those of every rule that descends a gradient (`Descent`), and these.

    Parameters
    ----------
    loss : str
        Its name, as for `BPTT`.
    optimizer : str or dict
        That of `Descent`.
    size : float
        Standard deviation of the perturbation of a unit's sum.
    perturbations : int
        How often an update perturbs each trial; it takes the mean over them.
    readout : "delta" or "perturbed"
        How the readout learns: "delta", by the delta rule; or "perturbed", as the units do, the
        outputs being perturbed as well. Neither knows of outputs that come back to the units.

    Notes
    -----
    Trials and the network's own noise are the same in the runs that are compared. It trains
    `RateRNN` and `CurrentRNN`.

    References
    ----------
    .. [1] Werfel, Xie & Seung (2005), Neural Comput. 17:2699.
    .. [2] Fiete & Seung (2006), Phys. Rev. Lett. 97:048104.
    .. [3] Züge, Klos & Memmesheimer (2023), Phys. Rev. X 13:021006.
    """

    in_words: ClassVar[str] = "node perturbation"

    # of sums of about 1: small against where phi bends, and well above the rounding of float32
    size: float = Field(default=1e-2, gt=0, allow_inf_nan=False)
    perturbations: int = Field(default=1, ge=1)
    readout: Literal["delta", "perturbed"] = "delta"

    def adapt(self, model: Model) -> Model:
        check_synapses("NodePerturbation", model)
        return model

    def _of_trials(
        self, model: Model, weights: Weights, state: RuleState, trials: Batch, keys: Keys
    ) -> tuple[jax.Array, Weights]:
        states, outputs = model.run(weights, trials.inputs, keys.noise)
        losses = self._by_trial(outputs, trials)

        def perturbed(key: jax.Array) -> Weights:
            return self._perturbed(model, weights, trials, losses, keys.noise, key)

        gradients = mean_over_keys(perturbed, keys.own, self.perturbations)
        if self.readout == "delta":
            errors = jax.grad(self.loss_function)(outputs, trials.targets, trials.mask)
            gradients |= of_readout(model, states, errors)
        return jnp.sum(losses), gradients

    def _perturbed(
        self,
        model: Model,
        weights: Weights,
        trials: Batch,
        losses: jax.Array,
        noise: jax.Array,
        key: jax.Array,
    ) -> Weights:
        """The estimate from one perturbation of each trial, whose losses are known without it."""
        of_units, of_outputs = jax.random.split(key)
        shape, dtype = (*trials.inputs.shape[:2], model.units), trials.inputs.dtype
        pushes = jax.random.normal(of_units, shape, dtype)
        states, outputs = model.run(*with_pushes(weights, trials.inputs, self.size, pushes), noise)
        jitter = jax.random.normal(of_outputs, outputs.shape, outputs.dtype)
        if self.readout == "perturbed":
            outputs = outputs + self.size * jitter
        slopes = ((self._by_trial(outputs, trials) - losses) / self.size)[:, None, None]
        before = before_each_step(model, weights, states)
        inputs, of_sums = trials.inputs.swapaxes(0, 1), (slopes * pushes).swapaxes(0, 1)
        return {
            **of_synapses(model, weights, inputs, before, of_sums),
            **of_readout(model, states, slopes * jitter),
        }

    def _by_trial(self, outputs: jax.Array, trials: Batch) -> jax.Array:
        """The loss of each trial, (trial,)."""

        def of_one(*of_trial: jax.Array) -> jax.Array:
            return self.loss_function(*(array[None] for array in of_trial))

        return jax.vmap(of_one)(outputs, trials.targets, trials.mask)


def with_pushes(
    weights: Weights, inputs: jax.Array, size: float, pushes: jax.Array
) -> tuple[Weights, jax.Array]:
    """Weights and inputs of a network whose units are pushed, by inputs of their own.

    pushes (trial, time, unit): what is added to each sum, over size.
    """
    units = pushes.shape[-1]
    own = size * jnp.eye(units, dtype=pushes.dtype)
    widened = jnp.concatenate([weights["input_weights"], own], axis=1)
    given = jnp.concatenate([inputs, pushes], axis=-1)
    return {**weights, "input_weights": widened}, given


def mean_over_keys(made: Callable[[jax.Array], Weights], key: jax.Array, count: int) -> Weights:
    """The mean of what is made with `count` keys, one after the other."""
    keys = jax.random.split(key, count)
    nothing = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), jax.eval_shape(made, keys[0]))

    def another(total: Weights, own: jax.Array) -> tuple[Weights, None]:
        return jax.tree.map(jnp.add, total, made(own)), None

    total, _ = jax.lax.scan(another, nothing, keys)
    return {name: array / count for name, array in total.items()}
