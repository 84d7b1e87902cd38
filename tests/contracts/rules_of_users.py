"""Three rules as a user would write them: by the gradient, without one, and solved at the end."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from attractory.rules import Rule, mean_over_shards


class GradientDescent(Rule):
    """Plain gradient descent: weights less the gradient times the rate, and nothing else."""

    learning_rate: float = 0.05
    in_words = "plain gradient descent"

    def rate(self, step):
        return self.learning_rate

    def init(self, model, weights, key):
        return {"factor": jnp.ones(())}

    def update(self, model, weights, state, trials, step, key, shards=None):
        def of_shard(given):
            index, own = given
            noise = jax.random.fold_in(key, index)
            error = jax.value_and_grad(lambda w: self.error(model, w, own, noise))
            return error(weights), jnp.sum(own.mask)

        sums, counted = shards.each(of_shard, (shards.indices(), trials))
        loss, gradient = mean_over_shards(sums, counted, shards)
        rate = self.learning_rate * state["factor"]
        changed = {name: weights[name] - rate * gradient[name] for name in weights}
        norm = jnp.sqrt(sum(jnp.sum(g**2) for g in gradient.values()))
        return changed, state, {"loss": loss, "gradient_norm": norm}

    def slowed(self, state, factor):
        return {"factor": factor * state["factor"]}


class RidgeReadout(Rule):
    """Random weights stay; the readout is solved for once all trials were seen (ridge)."""

    ridge: float = 1e-3
    in_words = "a ridge readout"

    def adapt(self, model):
        return model.replace(trainable=("output_weights", "output_bias"))

    def init(self, model, weights, key):
        n, outputs = model.units + 1, len(weights["output_weights"])
        return {"products": jnp.zeros((n, n)), "answers": jnp.zeros((n, outputs))}

    def update(self, model, weights, state, trials, step, key, shards=None):
        def of_shard(own):
            states, outputs = model.run(weights, own.inputs)
            states = states.swapaxes(0, 1)
            columns = jnp.concatenate([states, jnp.ones((*states.shape[:2], 1))], axis=2)
            weighted = columns * own.mask[:, :, :1]
            error = jnp.sum(own.mask * (outputs - own.targets) ** 2)
            products = jnp.einsum("nti,ntj->ij", weighted, columns)
            answers = jnp.einsum("nti,ntj->ij", weighted, own.targets)
            return error, products, answers, jnp.sum(own.mask)

        error, products, answers, counted = shards.sum(shards.each(of_shard, trials))
        state = {
            "products": state["products"] + products,
            "answers": state["answers"] + answers,
        }
        return weights, state, {"loss": error / counted}

    def finish(self, model, weights, state):
        regular = state["products"] + self.ridge * jnp.eye(model.units + 1)
        solved = jnp.linalg.solve(regular, state["answers"]).T
        return {**weights, "output_weights": solved[:, :-1], "output_bias": solved[:, -1]}

    def slowed(self, state, factor):
        return state


class AlongADirection(Rule):
    """Weights move along a random direction as far as it makes the loss fall (Jabri & Flower 1992).

    No gradient is made: the loss is measured with the weights, and with the weights a little
    further along the direction.
    """

    learning_rate: float = 0.02
    size: float = 1e-2
    in_words = "steps along a direction"

    def rate(self, step):
        return self.learning_rate

    def init(self, model, weights, key):
        return {"key": jax.random.key_data(key), "factor": jnp.ones(())}

    def update(self, model, weights, state, trials, step, key, shards=None):
        own = jax.random.fold_in(jax.random.wrap_key_data(state["key"]), step)
        keys = jax.random.split(own, len(weights))
        direction = {
            name: jax.random.normal(each, weights[name].shape)
            for each, name in zip(keys, sorted(weights), strict=True)
        }
        moved = {name: weights[name] + self.size * direction[name] for name in weights}

        def of_shard(given):
            index, part = given
            noise = jax.random.fold_in(key, index)
            errors = [self.error(model, w, part, noise) for w in (weights, moved)]
            return jnp.stack(errors), jnp.sum(part.mask)

        sums, counted = shards.each(of_shard, (shards.indices(), trials))
        before, after = mean_over_shards(sums, counted, shards)
        slope = (after - before) / self.size
        rate = self.learning_rate * state["factor"]
        changed = {name: weights[name] - rate * slope * direction[name] for name in weights}
        return changed, state, {"loss": before, "slope": slope}

    def slowed(self, state, factor):
        return {**state, "factor": factor * state["factor"]}
