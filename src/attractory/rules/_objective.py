"""What is trained: a loss and penalties together, and their gradient in one backward pass."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from attractory.kernels import Precision, Shards, at_once, window_argument
from attractory.models import Model, Weights
from attractory.rules._gradient_growth import gradient_growth
from attractory.rules._loss import loss_of_trials, mean_over_shards
from attractory.rules._losses import Loss
from attractory.rules._penalty import OF_TRIALS, SIZES, Term
from attractory.tasks import Batch

Values = dict[str, jax.Array]  # of the loss, "loss", and of each penalty by its label


class Objective(NamedTuple):
    """A loss and penalties, in what precision networks run, and how far gradients go back.

    window: steps; None: to the beginning of the trial.
    """

    loss: Loss
    terms: tuple[Term, ...]
    precision: Precision
    window: int | None = None

    def gradients(
        self,
        model: Model,
        weights: Weights,
        trained: Weights,
        trials: Batch,
        key: jax.Array,
        shards: Shards,
        kept: jax.Array | None = None,
        begin: jax.Array | None = None,
    ) -> tuple[Values, Weights, jax.Array | None]:
        """The values over the whole batch, and the gradients of the weights that are trained.

        kept (all_units,): what each unit's sending is multiplied by; None: by 1. begin (shard,
        trial, state): where trials begin, and the third result is where they end; None: in the
        network's own state, and it is None.
        """

        def of_shard(given: tuple[jax.Array, Batch, jax.Array | None]) -> Any:
            index, own, start = given
            noise = jax.random.fold_in(key, index)

            def total(chosen: Weights) -> tuple[jax.Array, Any]:
                used = {**weights, **chosen}
                used = used if kept is None else model.with_sent(used, kept)
                return self.of_trials_from(start, model, used, own, noise)

            gradients, (values, end) = jax.grad(total, has_aux=True)(trained)
            return (values, gradients), jnp.sum(own.mask), end

        sums, counted, ends = shards.each(of_shard, (shards.indices(), trials, begin))
        values, gradients = mean_over_shards(sums, counted, shards)
        if not self._of_weights:
            return values, gradients, ends
        # once, not for each shard
        more, others = jax.grad(
            lambda chosen: self.of_weights(model, {**weights, **chosen}), has_aux=True
        )(trained)
        return {**values, **others}, jax.tree.map(jnp.add, gradients, more), ends

    def of_trials(
        self, model: Model, weights: Weights, trials: Batch, key: jax.Array
    ) -> tuple[jax.Array, Values]:
        """Loss and the penalties that need trials, and each by its label: sums over the trials.

        A trial's penalty weighs as much as the trial does in the loss, by the sum of its mask: so
        both are means over the same trials, whichever shards these are in.
        """
        total, (values, _) = self.of_trials_from(None, model, weights, trials, key)
        return total, values

    def of_trials_from(
        self,
        begin: jax.Array | None,
        model: Model,
        weights: Weights,
        trials: Batch,
        key: jax.Array,
    ) -> tuple[jax.Array, tuple[Values, jax.Array | None]]:
        """The same of trials that begin in these states (trial, state), and where they end.

        None: they begin in the network's own state, and where they end is None.
        """
        terms = [term for term in self.terms if term.penalty.needs in OF_TRIALS]
        # one window as long as the trial is none: the same program, and the same last bits
        window = self.window if (self.window or 0) < trials.inputs.shape[1] else None
        if not terms and begin is None:  # no states are kept but those that a gradient needs
            loss = loss_of_trials(self.loss, model, weights, trials, key, self.precision, window)
            return loss, ({"loss": loss}, None)
        kinds = list(dict.fromkeys(term.penalty.needs for term in terms))
        outputs, needed, end = self._run(kinds, begin, model, weights, trials, key, window)
        loss = self.loss(outputs, trials.targets, trials.mask)
        if not terms:
            return loss, ({"loss": loss}, end)
        own, counts = own_steps(trials.mask), jnp.sum(trials.mask, axis=(1, 2))

        def penalties(counts: jax.Array, own: jax.Array, *given: jax.Array) -> jax.Array:
            of = dict(zip(needed, given, strict=True))
            of |= {kind: SIZES[kind](of["rates"]) for kind in kinds if kind not in of}
            over_trials = [jax.vmap(t, in_axes=(1, 1))(of[t.penalty.needs], own) for t in terms]
            return jnp.stack([jnp.sum(counts * values) for values in over_trials])

        found = at_once(penalties)(counts, own, *needed.values())
        weighted = jnp.sum(jnp.array([term.weight for term in terms], found.dtype) * found)
        by_label = {term.label: found[i] for i, term in enumerate(terms)}
        return loss + weighted, ({"loss": loss, **by_label}, end)

    def of_weights(self, model: Model, weights: Weights) -> tuple[jax.Array, Values]:
        """The penalties that need weights alone, weighted and summed, and each by its label."""
        values = {term.label: term.of_weights(model, weights) for term in self._of_weights}
        weighted = [term.weight * values[term.label] for term in self._of_weights]
        return jnp.sum(jnp.stack(weighted)), values

    @property
    def _of_weights(self) -> list[Term]:
        return [term for term in self.terms if term.penalty.needs not in OF_TRIALS]

    def _run(
        self,
        kinds: list[str],
        begin: jax.Array | None,
        model: Model,
        weights: Weights,
        trials: Batch,
        key: jax.Array,
        window: int | None,
    ) -> tuple[jax.Array, dict[str, jax.Array], jax.Array | None]:
        """Outputs, what penalties of these kinds need, and where trials end (see above).

        Sizes come with the outputs where nothing else needs the states and the model has them so;
        else the rates are there, of which they are made.
        """
        how: Any = {"precision": self.precision, **window_argument(window)}
        sizes_alone = begin is None and any(kind in SIZES for kind in kinds)
        if sizes_alone and all(kind in SIZES or kind == "outputs" for kind in kinds):
            made = model.outputs_and_sizes(weights, trials.inputs, key, **how)
            if made is not None:
                outputs, sizes = made
                found = {kind: sizes[..., i] for i, kind in enumerate(SIZES)}
                found["outputs"] = outputs.swapaxes(0, 1)
                return outputs, {kind: found[kind] for kind in kinds}, None
        states, outputs = model.run(weights, trials.inputs, key, begin, **how)
        sources = dict.fromkeys("rates" if kind in SIZES else kind for kind in kinds)
        needed = {
            needs: self._needed(needs, model, weights, trials, states, outputs, begin)
            for needs in sources
        }
        return outputs, needed, None if begin is None else states[-1]

    def _needed(
        self,
        needs: str,
        model: Model,
        weights: Weights,
        trials: Batch,
        states: jax.Array,
        outputs: jax.Array,
        begin: jax.Array | None,
    ) -> jax.Array:
        """What a penalty needs, (time, trial, …)."""
        if needs == "rates":
            rates: jax.Array = model.rates(weights, states)
            return rates
        if needs == "states":
            return states
        if needs == "outputs":
            return outputs.swapaxes(0, 1)
        of_outputs = jax.grad(lambda z: self.loss(z, trials.targets, trials.mask))(outputs)
        inputs = trials.inputs.swapaxes(0, 1)
        return gradient_growth(model, weights, inputs, states, of_outputs, begin)


def own_steps(mask: jax.Array) -> jax.Array:
    """1 up to the last step of a trial that its mask counts, 0 after it: (time, trial).

    A trial that counts nothing has all steps: its penalties weigh 0, and must be numbers.
    """
    counted = jnp.any(mask > 0, axis=2).T
    own = jax.lax.cummax(counted.astype(mask.dtype), axis=0, reverse=True)
    return jnp.where(jnp.any(counted, axis=0), own, 1.0)
