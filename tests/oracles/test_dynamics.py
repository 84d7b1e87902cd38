"""Linear models of dynamics and their angle beside dsa-metric.

What is the same: the delays side by side, the leading left singular vectors, least squares from one
step to the next within a trial, and the angle between two models after a rotation or reflection.

What is not: here states are centred and reduced to 10 principal components first, which it leaves
to the user; directions of next to no variance are dropped, of which it keeps as many as `rank`
says; models of unequal sizes are filled up with zeros, where it goes over to eigenvalues; and the
search begins from eight places, ends when it has settled, and is in float64, where it takes a given
number of steps of Adam from two places. Its default is the distance of eigenvalues, not this angle.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from attractory._cores import one_blas_thread
from attractory.population import find_distance
from attractory.population.distances import _vector_fields
from attractory.population.distances._vector_fields import DELAYS, RANK, linear_model


@pytest.fixture(scope="module")
def peer():
    return pytest.importorskip("DSA")


@pytest.fixture(scope="module")
def subjects(networks, pairs):
    return [*networks, *pairs[0]]


def their_model(peer, subject):
    """Of the states that ours is fitted to: centred, along their leading components."""
    components = _vector_fields._components(subject)
    fitted = peer.DMD(components, n_delays=DELAYS, rank=RANK, lamb=0)
    fitted.fit()
    return fitted.A_v.numpy()


def test_the_linear_model_is_theirs_up_to_the_signs_of_its_directions(
    peer, subjects, torch_in_float64
):
    for subject in subjects:
        ours, theirs = linear_model(subject), their_model(peer, subject)
        signs = np.sign(ours[0] * theirs[0])  # of each direction relative to that of the first
        np.testing.assert_allclose(signs[:, None] * theirs * signs, ours, atol=1e-6)


@one_blas_thread
def test_the_angle_is_their_score_at_our_rotation(peer, subjects, torch_in_float64, monkeypatch):
    import torch

    turned = _vector_fields._turned
    turns = []

    def watched(*given):
        found = turned(*given)
        turns.append((given[:2], found[1]))
        return found

    monkeypatch.setattr(_vector_fields, "_turned", watched)
    scored = peer.SimilarityTransformDist(score_method="angular")
    for one, other in pairwise(subjects):
        found = find_distance("dsa").function(linear_model(one), linear_model(other))
        (a, b), rotation = turns[-1]
        scored.C_star = torch.from_numpy(rotation)
        theirs = scored.score(torch.from_numpy(a), torch.from_numpy(b))
        assert found == pytest.approx(float(theirs), abs=1e-6)


def their_angle(peer, a, b, iters):
    """By their search, which is in float32."""
    import torch

    torch.manual_seed(0)
    search = peer.SimilarityTransformDist(iters=iters, lr=5e-3, score_method="angular")
    return float(search.fit_score(a.astype(np.float32), b.astype(np.float32)))


@one_blas_thread
def test_their_search_finds_no_smaller_angle(peer, networks):
    models = [linear_model(each) for each in networks[:2]]
    near = models[0] + 1e-3 * np.random.default_rng(0).normal(size=models[0].shape)
    for a, b in (models, (models[0], near)):
        assert find_distance("dsa").function(a, b) <= their_angle(peer, a, b, 500) + 1e-5


@one_blas_thread
def test_both_find_the_angle_of_symmetric_models(peer):
    """Their best rotation joins the sorted eigenvalues (Hoffman & Wielandt)."""
    rng = np.random.default_rng(0)
    values = np.sort(rng.uniform(0.2, 1, size=(2, 4)), axis=1)
    turns = [np.linalg.qr(rng.normal(size=(4, 4)))[0] for _ in range(2)]
    a, b = (turn @ np.diag(own) @ turn.T for turn, own in zip(turns, values, strict=True))
    cosine = values[0] @ values[1] / np.prod(np.linalg.norm(values, axis=1))
    ours = find_distance("dsa").function(a, b)
    assert ours == pytest.approx(np.arccos(cosine), abs=1e-6)
    assert their_angle(peer, a, b, 1500) == pytest.approx(ours, abs=1e-3)
