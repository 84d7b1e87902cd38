"""Distances between eigenvalues beside POT, and what dsa-metric's is."""

from __future__ import annotations

import numpy as np
import pytest

from attractory.population import find_distance
from attractory.population.distances._spectra import transport


@pytest.fixture(scope="module")
def ot():
    return pytest.importorskip("ot")


def plane(values):
    return np.column_stack([values.real, values.imag])


def emd(ot, a, b, metric):
    cost = ot.dist(plane(a), plane(b), metric=metric)
    return float(ot.emd2(ot.unif(len(a)), ot.unif(len(b)), cost))


def eigenvalues(seed, count):
    return np.linalg.eigvals(np.random.default_rng(seed).normal(size=(count, count)))


def test_spectra_are_as_far_apart_as_pot_moves_them(ot, networks):
    known = find_distance("spectra")
    of_networks = [known.prepared(each) for each in networks]
    random = [eigenvalues(seed, count) for seed, count in enumerate((40, 40, 31))]
    for made in (random, of_networks):
        for a, b in ((made[0], made[1]), (made[1], made[2])):
            assert known.function(a, b) == pytest.approx(emd(ot, a, b, "euclidean"), abs=1e-6)


def test_dsa_metric_moves_eigenvalues_by_their_squared_distance(ot, torch_in_float64, networks):
    """Its score "wasserstein", the default, is the least mean square; ours the least mean.

    The mean square is no metric: it breaks the triangle inequality. Ours is never above its root.
    """
    simdist = pytest.importorskip("DSA.simdist")
    known = find_distance("dmd_spectra")
    a, b = (known.prepared(each) for each in networks[:2])
    theirs = simdist.SimilarityTransformDist(score_method="wasserstein").fit_score(a, b)
    assert theirs == pytest.approx(emd(ot, a, b, "sqeuclidean"), abs=1e-6)
    ours = known.function(a, b)
    assert ours == pytest.approx(emd(ot, a, b, "euclidean"), abs=1e-6)
    assert ours <= np.sqrt(theirs)


def test_of_unequal_numbers_dsa_metric_adds_zeros_and_ours_are_split(ot, torch_in_float64):
    simdist = pytest.importorskip("DSA.simdist")
    a, b = eigenvalues(0, 5), eigenvalues(1, 8)
    theirs = simdist.SimilarityTransformDist(score_method="wasserstein")
    matrices = (np.diag(a), np.diag(b))
    filled = np.concatenate([a, np.zeros(3)])
    torch = pytest.importorskip("torch")
    score = theirs.fit_score(*map(torch.from_numpy, matrices))
    assert score == pytest.approx(emd(ot, filled, b, "sqeuclidean"), abs=1e-6)
    assert transport(a, b) == pytest.approx(emd(ot, a, b, "euclidean"), abs=1e-6)
