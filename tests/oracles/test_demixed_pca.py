"""Demixed principal components beside the dPCA package of its authors.

It calls the share of the penalty `regularizer`: λ of the paper over the norm of the averages, since
there the norm is squared before the penalty is. Its decomposition is a random one, which is exact
for as few units as these.
"""

from __future__ import annotations

import numpy as np
import pytest

from attractory.analysis.states._dpca import demixed

COMPONENTS = 2
JOINED = {"at": ["a", "at"], "bt": ["b", "bt"], "abt": ["ab", "abt"]}


@pytest.fixture(scope="module")
def averages():
    """(level of a, level of b, time, unit), of mean 0."""
    made = np.random.default_rng(0).normal(size=(2, 3, 7, 9))
    return made - made.mean(axis=(0, 1, 2))


@pytest.mark.parametrize("ridge", [0.0, 0.1])
def test_decoders_and_encoders_are_those_of_the_package(averages, ridge):
    peer = pytest.importorskip("dPCA.dPCA")
    share = ridge / np.linalg.norm(averages)
    model = peer.dPCA(labels="abt", join=JOINED, n_components=COMPONENTS, regularizer=share)
    model.fit(np.moveaxis(averages, -1, 0))
    ours = demixed(averages, COMPONENTS, ridge)
    for part, name in enumerate(("t", "at", "bt", "abt")):
        own = ours.part == part
        decoders, encoders = model.D[name].T, model.P[name].T
        signs = np.sign((encoders * ours.encoders[own]).sum(axis=1))[:, None]
        np.testing.assert_allclose(signs * encoders, ours.encoders[own], atol=1e-6)
        np.testing.assert_allclose(signs * decoders, ours.decoders[own], atol=1e-6)
