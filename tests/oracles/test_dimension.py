"""The intrinsic dimension beside scikit-dimension."""

from __future__ import annotations

import numpy as np
import pytest

from attractory.analysis import two_nn_dimension


@pytest.mark.parametrize("discarded", [0.1, 0.25])
def test_two_nn_is_scikit_dimensions(networks, discarded):
    """With the fraction that both leave out by default, and another one.

    It has no trials: neighbours of the same trial count there.
    """
    skdim = pytest.importorskip("skdim")
    rng = np.random.default_rng(0)
    clouds = [rng.normal(size=(500, 3)) @ rng.normal(size=(3, 40)), rng.random((800, 2))]
    for states in [*clouds, *(each.samples for each in networks)]:
        theirs = skdim.id.TwoNN(discard_fraction=discarded).fit(states).dimension_
        found = two_nn_dimension(states, discarded=discarded)
        assert found == pytest.approx(theirs, rel=1e-6)
