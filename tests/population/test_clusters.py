"""Clusters and maps of points whose clusters and places are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

import attractory as at
from attractory.analysis._clustering import silhouette
from attractory.population import Distances, _clusters


def distances(points):
    matrix = squareform(pdist(points))
    labels = tuple(str(i) for i in range(len(matrix)))
    groups = ("",) * len(matrix)
    return Distances("points", "a.u.", "", (), True, matrix, labels, groups, {}, np.nan, {})


def clouds(sizes, apart, seed, dimensions=3):
    """Normally distributed points about centres on a line, so far apart (s.d. 1)."""
    rng = np.random.default_rng(seed)
    centres = np.repeat(apart * np.arange(len(sizes)), sizes)
    points = rng.normal(size=(sum(sizes), dimensions))
    points[:, 0] += centres
    return points


@pytest.mark.parametrize("sizes", [(8, 6), (6, 5, 4)])
def test_planted_clusters_are_found(sizes):
    found = distances(clouds(sizes, 12, 0)).clusters()
    assert found.count == len(sizes)
    assert found.members.tolist() == np.repeat(np.arange(len(sizes)), sizes).tolist()
    assert found.stability == 1
    assert found.p == 1 / 200
    assert found.statement.startswith(f"{len(sizes)} clusters of {', '.join(map(str, sizes))}")
    assert found.table()["cluster"].tolist() == found.members.tolist()


def test_one_cloud_is_one_cluster_as_often_as_it_says(monkeypatch):
    """At a level of 5 %: of 40 clouds, 6 or more are called several in 1.4 % of the cases."""
    monkeypatch.setattr(_clusters, "CLOUDS", 39)  # enough for that level, and quick
    rng = np.random.default_rng(0)
    several = 0
    for _ in range(40):
        wide = distances(rng.normal(size=(10, 3)) * [3, 1, 1])
        several += wide.clusters(most=4, seed=int(rng.integers(1000))).count > 1
    assert several <= 5


def test_one_cluster_says_so():
    found = distances(clouds([12], 0, 1)).clusters()
    assert found.count == 1
    assert set(found.members) == {0}
    assert np.isnan(found.stability)
    assert found.statement.startswith("One cluster: nothing speaks for several")


def test_silhouettes_are_those_of_rousseeuw():
    points = clouds([4, 3, 1], 3, 2)
    members = np.repeat([0, 1, 2], [4, 3, 1])
    values = []
    for i, point in enumerate(points):
        far = np.linalg.norm(points - point, axis=1)
        own = [far[j] for j in range(8) if members[j] == members[i] and j != i]
        others = [far[members == other].mean() for other in {0, 1, 2} - {members[i]}]
        a, b = np.mean(own) if own else np.nan, min(others)
        values.append((b - a) / max(a, b) if own else 0.0)
    found = silhouette(squareform(pdist(points)), members)
    assert found == pytest.approx(np.mean(values), abs=1e-12)


def test_the_rand_index_counts_pairs():
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 3, size=(2, 12))
    together = np.equal.outer(one, one), np.equal.outer(other, other)
    upper = np.triu_indices(12, 1)
    a, b = (each[upper].astype(float) for each in together)
    chance = a.sum() * b.sum() / len(a)
    expected = ((a * b).sum() - chance) / ((a.sum() + b.sum()) / 2 - chance)
    assert _clusters.adjusted_rand(one, other) == pytest.approx(expected, abs=1e-12)
    assert _clusters.adjusted_rand(one, 2 - one) == 1


def test_too_few_networks_have_no_clusters():
    with pytest.raises(at.InvalidSetting, match="distances of 3 networks have no clusters"):
        distances(np.eye(3)).clusters()
    with pytest.raises(at.InvalidSetting, match="most = 1 is not allowed: a whole number, 2"):
        distances(np.eye(5)).clusters(most=1)


def test_a_map_of_points_in_a_plane_is_exact():
    points = np.random.default_rng(0).normal(size=(9, 2))
    found = distances(points).map()
    assert found.stress < 1e-6
    np.testing.assert_allclose(pdist(found.coordinates), pdist(points), atol=1e-5)
    assert found.coordinates[:, 0].std() >= found.coordinates[:, 1].std()
    assert list(found.table()) == ["net", "group", "x0", "x1"]


def test_the_stress_of_a_map_says_what_it_lacks():
    """Corners of a simplex are not of a plane; with more dimensions a map is never worse."""
    simplex = distances(np.eye(6))
    stresses = [simplex.map(dimensions).stress for dimensions in (1, 2, 3, 5)]
    assert stresses[0] > stresses[1] > stresses[2] > stresses[3]
    assert stresses[3] < 1e-6
    apart = pdist(simplex.map().coordinates)
    expected = np.sqrt(np.square(apart - np.sqrt(2)).sum() / np.square(apart).sum())
    assert simplex.map().stress == pytest.approx(expected, abs=1e-12)


def test_results_are_kept_and_short(tmp_path):
    known = distances(clouds([5, 5], 12, 0))
    for result in (known, known.clusters(), known.map()):
        again = type(result).load(result.save(tmp_path / "result.safetensors"))
        assert repr(again) == repr(result)
        assert len(repr(result).splitlines()) <= 10
        assert result.summary()
        assert len(result.table())
