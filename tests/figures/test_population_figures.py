"""Figures of populations show what the distances are."""

from __future__ import annotations

import numpy as np
import pytest
from contracts.examples_of_figures import population_distances
from matplotlib.colors import to_hex

from attractory import InvalidSetting, figures
from attractory.figures._style import CATEGORIES


@pytest.fixture(scope="module")
def distances():
    return population_distances(True)


def test_the_matrix_has_the_order_of_the_tree(distances):
    tree, nulls, matrix = figures.distances(distances).axes[:3]
    names = [tick.get_text() for tick in matrix.get_yticklabels()]
    assert sorted(names) == sorted(distances.labels)
    assert len({name.split()[0] for name in names[:4]}) == 1  # one group beside the other
    order = [distances.labels.index(name) for name in names]
    image = matrix.get_images()[0]
    np.testing.assert_array_equal(image.get_array(), distances.matrix[np.ix_(order, order)])
    assert image.norm.vmin == 0
    assert tree.get_xlim() == matrix.get_xlim()
    highest = max(line.get_ydata().max() for line in tree.get_lines())
    within = np.kron(np.eye(2), np.ones((4, 4)))  # the last joint: all pairs between the groups
    assert highest == pytest.approx(distances.matrix[within == 0].mean())
    assert "0: the same" in figures.distances(distances).axes[3].get_xlabel()
    colors = [to_hex(tick.get_color()).upper() for tick in matrix.get_yticklabels()]
    assert set(colors) == set(CATEGORIES[:2])
    assert nulls.get_xlabel() == "Distance by procrustes (rad)"


def test_every_pair_and_null_is_a_row_with_its_median(distances):
    panel = figures.distances(distances).axes[1]
    rows = {"between networks": distances.pairs, **distances.nulls}
    names = [tick.get_text().replace("\n", " ") for tick in panel.get_yticklabels()]
    assert names == list(rows)
    drawn = panel.get_lines()
    for row, values in enumerate(rows.values()):
        points, median = drawn[2 * row : 2 * row + 2]
        np.testing.assert_array_equal(points.get_xdata(), values)
        assert np.abs(points.get_ydata() - row).max() < 0.5
        assert set(median.get_xdata()) == {np.median(values)}


def test_a_map_has_its_places_and_groups(distances):
    places = distances.map()
    axes = figures.population_map(places).axes[0]
    drawn = np.concatenate([line.get_xydata() for line in axes.get_lines()])
    np.testing.assert_array_equal(drawn, places.coordinates)
    assert [text.get_text() for text in axes.texts] == [str(i) for i in (0, 1, 2, 3)] * 2
    assert f"stress {places.stress:.2f}" in axes.get_title(loc="right")
    assert axes.get_xlabel() == "Map axis 1 (rad)"


def test_numbers_have_a_bar_and_kinds_a_legend(distances):
    numbers = np.linspace(0, 1, 8)
    numbers[2] = np.nan
    figure = figures.population_map(distances, numbers, "Correct (share)")
    assert figure.axes[1].get_ylabel() == "Correct (share)"
    np.testing.assert_array_equal(
        figure.axes[0].collections[0].get_array(), numbers[np.isfinite(numbers)]
    )
    figure = figures.population_map(distances, np.repeat([0, 1], 4), "Cluster")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["0", "1"]
    assert figure.legends[0].get_title().get_text() == "Cluster"


@pytest.mark.parametrize(
    ("colour", "complaint"),
    [
        ([1, 2], "colour has 2 values, there are 8 networks"),
        (["a", *range(7)], "colour = .* is not allowed: all names, or all numbers"),
        (3, "colour = 3 is not allowed: a value for each network"),
    ],
)
def test_values_that_are_not_of_the_networks_are_one_line(colour, complaint, distances):
    with pytest.raises(InvalidSetting, match=complaint):
        figures.population_map(distances, colour)


def test_a_map_of_three_dimensions_is_not_drawn(distances):
    with pytest.raises(InvalidSetting, match="a map of 3 dimensions; it must be of 2"):
        figures.population_map(distances.map(dimensions=3))
