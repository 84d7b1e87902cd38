"""Distances between shapes beside netrep's definitions and rsatoolbox.

netrep is on no package registry; what it computes is written out here after its code.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes
from scipy.spatial.distance import pdist

from attractory.population import find_distance
from attractory.population.distances._shapes import mean_ranks


def between(name, a, b):
    known = find_distance(name)
    return known.function(known.prepared(a), known.prepared(b))


def widened(a, b):
    units = max(a.shape[1], b.shape[1])
    return [np.pad(each, ((0, 0), (0, units - each.shape[1]))) for each in (a, b)]


def angular_distance(x, y):
    """As netrep.utils has it."""
    cosine = x.ravel() @ y.ravel() / (np.linalg.norm(x) * np.linalg.norm(y))
    return np.arccos(np.clip(cosine, -1, 1))


def test_procrustes_is_netreps_angular_metric(pairs):
    """LinearMetric(alpha=1, center_columns=True, zero_pad=True, score_method="angular")."""
    for a, b in pairs:
        x, y = (each - each.mean(axis=0) for each in widened(a.samples, b.samples))
        theirs = angular_distance(x @ orthogonal_procrustes(x, y)[0], y)
        assert between("procrustes", a, b) == pytest.approx(theirs, abs=1e-6)


def test_cka_is_netreps_angle_between_kernels(pairs):
    """LinearCKA(center_columns=True): the arccos of CKA, not one minus it."""
    for a, b in pairs:
        x, y = (each.samples - each.samples.mean(axis=0) for each in (a, b))
        theirs = angular_distance(x @ x.T, y @ y.T)
        assert between("cka", a, b) == pytest.approx(theirs, abs=1e-6)


@pytest.fixture(scope="module")
def rsatoolbox():
    return pytest.importorskip("rsatoolbox")


def similarity(rsatoolbox, a, b, measure, comparison):
    """rsatoolbox's, of the dissimilarities of all samples of two networks."""
    sets = [rsatoolbox.data.Dataset(samples) for samples in (a, b)]
    rdms = [rsatoolbox.rdm.calc_rdm(each, method=measure) for each in sets]
    return rsatoolbox.rdm.compare(*rdms, method=comparison).item()


def test_cka_is_rsatoolboxs_whitened_cosine_of_squared_distances(rsatoolbox, pairs):
    """Diedrichsen et al. (2020): CKA, by way of dissimilarities. Ours is its arccos."""
    for a, b in pairs:
        theirs = similarity(rsatoolbox, a.samples, b.samples, "euclidean", "cosine_cov")
        assert np.cos(between("cka", a, b)) == pytest.approx(theirs, abs=1e-6)


def compared(subject):
    """The samples whose distances count: up to 256 of them, the same ones of every network."""
    samples = subject.samples
    if len(samples) <= 256:
        return samples
    return samples[np.random.default_rng(1).choice(len(samples), 256, replace=False)]


def test_rsa_is_rsatoolboxs_rank_correlation_of_distances(rsatoolbox, pairs):
    """It squares the distances and divides by the number of units: ranks are the same."""
    for a, b in pairs:
        theirs = similarity(rsatoolbox, compared(a), compared(b), "euclidean", "spearman")
        assert between("rsa", a, b) == pytest.approx(1 - theirs, abs=1e-6)


def test_rsatoolboxs_correlation_distance_is_ours_of_standardised_samples(rsatoolbox, pairs):
    """There a sample first loses its mean over units, and its length; here distances are Euclidean.

    Of samples that are standardised beforehand both have the same ranks.
    """
    for a, b in pairs:
        ranks = []
        for samples in map(compared, (a, b)):
            centred = samples - samples.mean(axis=1, keepdims=True)
            ranks.append(mean_ranks(pdist(centred / np.linalg.norm(centred, axis=1)[:, None])))
        theirs = similarity(rsatoolbox, compared(a), compared(b), "correlation", "spearman")
        assert np.corrcoef(*ranks)[0, 1] == pytest.approx(theirs, abs=1e-6)
