"""Our Muon, shared by devices or not, against Optax's."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.sharding import PartitionSpec
from optax import contrib

from attractory.kernels import Shards
from attractory.rules._muon import muon, orthogonalised

SHAPES = {"square": (160, 160), "odd": (131, 140), "tall": (150, 3), "wide": (3, 150)}


def gradients(seed):
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in SHAPES.items()}


def changes(optimizer, axis):
    """Of three updates, on two devices that share the axis, or on one (None)."""
    parameters = gradients(9)

    update = optimizer.update
    if axis is not None:
        mesh = jax.make_mesh((2,), (axis,))
        nothing = PartitionSpec()
        update = jax.shard_map(
            update, mesh=mesh, in_specs=nothing, out_specs=nothing, check_vma=False
        )
    update = jax.jit(update)
    state = optimizer.init(parameters)
    made = []
    for seed in range(3):
        change, state = update(gradients(seed), state, parameters)
        made.append(change)
    return made


def test_three_updates_are_those_of_optax():
    rate = optax.linear_schedule(0.1, 0.2, 3)
    to_from = contrib.MuonDimensionNumbers(reduction_axis=1, output_axis=0)
    theirs = contrib.muon(rate, muon_weight_dimension_numbers=dict.fromkeys(SHAPES, to_from))
    expected = changes(theirs, None)
    alone = changes(muon(rate, Shards(total=2, here=2)), None)
    for one, other in zip(alone, expected, strict=True):
        for name in SHAPES:
            np.testing.assert_allclose(one[name], other[name], atol=2e-5)
    shared = changes(muon(rate, Shards(total=2, here=1, axis="batch")), "batch")
    for one, other in zip(shared, alone, strict=True):
        for name in SHAPES:
            np.testing.assert_allclose(one[name], other[name], atol=2e-6)


@pytest.mark.parametrize("shape", [(6, 6), (3, 8), (8, 3)])
def test_orthogonalised_has_the_singular_vectors_of_the_matrix(shape):
    matrix = np.random.default_rng(0).normal(size=shape)
    u, _, vt = np.linalg.svd(matrix, full_matrices=False)
    with jax.enable_x64(True):
        found = np.asarray(orthogonalised(jnp.asarray(matrix)))
    inside = u.T @ found @ vt.T
    sizes = np.diag(inside)
    np.testing.assert_allclose(inside, np.diag(sizes), atol=1e-10)
    assert (sizes > 0.6).all()
    assert (sizes < 1.3).all()


def test_a_gradient_of_zero_moves_nothing():
    np.testing.assert_array_equal(orthogonalised(jnp.zeros((4, 4))), 0.0)
