"""The noise of trials: JAX's own generator, and a normal distribution."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.random import threefry_2x32
from scipy import stats

from attractory.tasks import random_key
from attractory.tasks._noise import standard_normal, threefry


def test_words_are_those_of_jaxs_generator():
    key = jax.random.key_data(random_key(7))
    first, second = jnp.arange(50, dtype=jnp.uint32), jnp.arange(50, dtype=jnp.uint32) ** 3
    made = np.concatenate(threefry(key, first, second))
    np.testing.assert_array_equal(made, threefry_2x32(key, jnp.concatenate([first, second])))


def test_numbers_are_normal_and_independent():
    made = np.asarray(jax.jit(jax.vmap(lambda key: standard_normal(key, (21, 2))))(
        jax.random.split(random_key(1), 5000)
    ))  # fmt: skip
    assert made.shape == (5000, 21, 2)
    assert made.dtype == np.float32
    assert np.isfinite(made).all()
    assert stats.kstest(made.ravel(), "norm").pvalue > 0.01
    assert abs(stats.kurtosis(made.ravel())) < 0.05
    flat = made.reshape(5000, -1)
    correlations = np.corrcoef(flat.T)[np.triu_indices(42, 1)]
    assert np.abs(correlations).max() < 5 / np.sqrt(5000)
    assert abs(np.corrcoef(flat[1:, 0], flat[:-1, 0])[0, 1]) < 4 / np.sqrt(5000)


def test_the_ends_of_the_words_give_finite_numbers():
    from attractory.tasks._noise import _as_normal

    ends = np.asarray(
        jax.jit(_as_normal)(jnp.array([0, 2**32 - 1, 2**31, 2**31 - 1], dtype=jnp.uint32))
    )
    assert np.isfinite(ends).all()
    assert abs(ends[0] + ends[1]) < 0.2
    assert 5 < ends[1] < 6
    assert abs(ends[2]) < 1e-6
