"""Every public figure shows itself, goes where the caller wants it, and follows the settings."""

from __future__ import annotations

import inspect
import pickle
import struct
import subprocess
import sys
from functools import cache

import matplotlib
import numpy as np
import pytest
from contracts.examples_of_figures import EXAMPLES, NO_DRAWING, TURNING, history
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from attractory import InvalidSetting, figures

PNG = b"\x89PNG\r\n\x1a\n"


def named(example):
    return f"{example.function}-{example.panels}"


def like(example):
    """Examples with as many panels, flat ones or solid ones, are laid out by the same code."""
    return min(example.panels, 4), bool(example.solid)


FIRSTS = {like(one): named(one) for one in reversed(EXAMPLES)}
each = pytest.mark.parametrize("example", EXAMPLES, ids=named)
# placing a figure takes longest: the first of its like, and the others among the slow tests
each_placed = pytest.mark.parametrize(
    "example",
    [
        pytest.param(
            one, id=named(one), marks=() if named(one) in FIRSTS.values() else pytest.mark.slow
        )
        for one in EXAMPLES
    ],
)
layouts = pytest.mark.parametrize("layout", [None, "constrained"])


def plain(example):
    """The figure as it is without further arguments: to look at, not to change."""
    return drawn(EXAMPLES.index(example))


@cache
def drawn(place):
    return EXAMPLES[place].draw()


def panels_of(figure):
    return [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]


def bounds(artist):
    return artist.get_tightbbox() or artist.get_window_extent()


def grid_for(example, layout="constrained"):
    """Axes for the panels of an example in two rows, and what is the caller's own below them."""
    columns = -(-example.panels // 2)
    figure = Figure(figsize=(4 * columns, 10), layout=layout)
    given = [
        figure.add_subplot(3, columns, i + 1, projection="3d" if i in example.solid else None)
        for i in range(example.panels)
    ]
    own = figure.add_subplot(3, 1, 3)
    own.plot([1, 2])
    return figure, given, own


def quarter_for(example, layout):
    """The first axes of four, the caller's own in the others."""
    figure = Figure(figsize=(12, 10), layout=layout)
    solid = example.panels == 1 and example.solid
    ax = figure.add_subplot(2, 2, 1, projection="3d" if solid else None)
    own = [figure.add_subplot(2, 2, i) for i in (2, 3, 4)]
    for axes in own:
        axes.plot([1, 2])
    return figure, ax, own


def test_every_public_figure_has_an_example():
    drawn = {example.function for example in EXAMPLES}
    assert drawn | {*TURNING, *NO_DRAWING} == set(figures.__all__)


@pytest.mark.parametrize("name", sorted({example.function for example in EXAMPLES}))
def test_signature_and_docstring_name_the_common_arguments(name):
    function = getattr(figures, name)
    for argument in ("figsize", "ax", "axes"):
        parameter = inspect.signature(function).parameters[argument]
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
        assert parameter.default is None
        assert f"\n{argument} : " in function.__doc__


def test_a_notebook_shows_a_figure_without_pyplot():
    code = (
        "import sys\n"
        "from attractory import figures, tasks\n"
        "drawn = figures.flip_flop(tasks.FlipFlop())._repr_png_()\n"
        f"assert drawn.startswith({PNG!r})\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("example", EXAMPLES[::5], ids=named)  # in a notebook all are shown
def test_a_figure_shows_itself_and_stays_as_it_is(example):
    figure = example.draw()
    size, dpi, canvas = figure.get_size_inches(), figure.dpi, figure.canvas
    picture = figure._repr_png_()
    assert isinstance(figure, Figure)
    assert picture.startswith(PNG)
    assert abs(struct.unpack(">I", picture[16:20])[0] - 150 * size[0]) <= 1
    assert (figure.dpi, figure.canvas) == (dpi, canvas)
    assert repr(figure).startswith("<Picture of ")
    assert "\n" not in repr(figure)


def test_a_figure_is_pickled_and_saved(tmp_path):
    again = pickle.loads(pickle.dumps(EXAMPLES[0].draw()))
    assert again._repr_png_() == EXAMPLES[0].draw()._repr_png_()
    again.savefig(tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes().startswith(PNG)


@each
def test_figsize_is_the_size_in_inches(example):
    figure = example.draw(figsize=(9, 6))
    assert figure.get_size_inches().tolist() == [9.0, 6.0]
    assert len(figure.axes) == len(plain(example).axes)
    figure.draw_without_rendering()
    box = figure.get_tightbbox()
    assert box.x0 > -0.05
    assert box.x1 < 9.05
    assert box.y0 > -0.05
    assert box.y1 < 6.05


@layouts
@each_placed
def test_ax_is_where_a_figure_is_drawn(example, layout):
    figure, ax, own = quarter_for(example, layout)
    place = bounds(ax)
    before = {id(axes): axes.get_position().bounds for axes in own}
    assert example.draw(ax=ax) is figure
    figure.draw_without_rendering()
    if example.panels == 1:
        assert ax in figure.axes
        assert ax.has_data()
        new = [ax]
    else:
        assert ax not in figure.axes
        new = [axes for axes in panels_of(figure) if axes not in own]
        assert not any(axes in own for axes in new)
    assert len(new) >= min(example.panels, 2)
    if layout is None:
        assert {id(axes): axes.get_position().bounds for axes in own} == before
    if layout is None and example.panels > 1:
        for axes in new:
            inner = bounds(axes)
            assert inner.x0 > place.x0 - 3
            assert inner.x1 < place.x1 + 3 or example.solid  # room is kept around a solid panel
            assert inner.y0 > place.y0 - 3
            assert inner.y1 < place.y1 + 3
    if layout:
        taken = Bbox.union([bounds(axes) for axes in new if axes.name != "3d"] or [ax.bbox])
        for axes in own:
            both = Bbox.intersection(taken, bounds(axes))
            assert both is None or min(both.width, both.height) < 3


@each_placed
def test_axes_are_the_panels(example):
    figure, given, own = grid_for(example)
    assert example.draw(axes=given) is figure
    figure.draw_without_rendering()
    bars = [axes for axes in figure.axes if axes.get_label() == "<colorbar>"]
    assert [axes for axes in figure.axes if axes not in bars] == [*given, own]
    for axes in given:
        assert axes.has_data() or axes.texts
    assert [line.get_ydata().tolist() for line in own.lines] == [[1, 2]]
    assert not figure.legends
    model = plain(example)
    if any(part.legends for part in (model, *model.subfigs)):
        assert any(axes.get_legend() for axes in given)


@each
def test_a_wrong_number_of_axes_is_one_line_and_draws_nothing(example):
    _, given, own = grid_for(example)
    with pytest.raises(InvalidSetting) as caught:
        example.draw(axes=[*given, own])
    wanted = f"axes: {len(given) + 1} given, allowed: {example.panels}, one a panel"
    assert str(caught.value) == wanted
    assert not any(axes.has_data() for axes in given)


@pytest.mark.parametrize("example", [one for one in EXAMPLES if one.solid], ids=named)
def test_a_solid_panel_needs_solid_axes(example):
    _, given, _ = grid_for(example._replace(solid=()))
    with pytest.raises(InvalidSetting, match="projection='rectilinear' given, allowed: '3d'"):
        example.draw(axes=given)


@each
def test_the_users_font_and_lines_appear(example):
    with matplotlib.rc_context({"font.size": 16, "lines.linewidth": 3}):
        large = example.draw()
    for one, other in zip(plain(example).axes, large.axes, strict=True):
        assert other.yaxis.label.get_size() == pytest.approx(2 * one.yaxis.label.get_size())
        widths = [line.get_linewidth() for line in one.lines]
        wide = [line.get_linewidth() for line in other.lines]
        assert np.allclose(wide, 3 * np.array(widths))
        assert [line.get_color() for line in one.lines if isinstance(line.get_color(), str)] == [
            line.get_color() for line in other.lines if isinstance(line.get_color(), str)
        ]


def test_what_cannot_be_is_one_line():
    figure, other = Figure(), Figure()
    one, two = figure.subplots(1, 2)
    gone = figure.add_subplot()
    gone.remove()
    wrong = {
        "ax and axes are given": {"ax": one, "axes": [one]},
        "figsize and ax are given": {"figsize": (2, 2), "ax": one},
        "figsize and axes are given": {"figsize": (2, 2), "axes": [one]},
        "figsize = 3 ": {"figsize": 3},
        r"figsize = \(0, 2\)": {"figsize": (0, 2)},
        r"figsize = \('a', 2\)": {"figsize": ("a", 2)},
        "figsize = .*inf": {"figsize": (float("inf"), 2)},
        "ax: int given": {"ax": 3},
        "ax: list given": {"ax": [one]},
        "ax: axes that are in no figure": {"ax": gone},
        "axes: Axes given": {"axes": one},
        "axes: 0 given": {"axes": []},
        "axes: str given": {"axes": "ab"},
        "axes: int given": {"axes": 2},
        "twice": {"axes": [one, one]},
        "several figures": {"axes": [one, other.subplots()]},
        "axes: 1 given, allowed: 2, one a panel": {"axes": [two]},
    }
    for message, where in wrong.items():
        with pytest.raises(InvalidSetting, match=message) as caught:
            figures.learning_curve(history(), **where)
        assert "\n" not in str(caught.value)
    assert not one.has_data()


def test_a_mistake_in_what_is_drawn_leaves_the_callers_figure_alone():
    figure = Figure()
    ax = figure.subplots()
    with pytest.raises(InvalidSetting, match="history is empty"):
        figures.learning_curve(history()[:0], ax=ax)
    assert figure.axes == [ax]
    assert not figure.subfigs


def test_a_place_stays_when_the_figure_around_it_is_adjusted():
    figure = Figure()
    ax, own = figure.subplots(1, 2)
    figures.learning_curve(history(), ax=ax)
    figure.draw_without_rendering()
    before = [axes.get_position().bounds for axes in figure.axes if axes is not own]
    figure.subplots_adjust(left=0.3, wspace=0.7)
    figure.draw_without_rendering()
    after = [axes.get_position().bounds for axes in figure.axes if axes is not own]
    assert np.allclose(before, after)


def test_the_callers_legend_and_lines_stay_as_they_are():
    figure = Figure()
    ax = figure.subplots()
    (mine,) = ax.plot([0, 40], [1, 1], linewidth=5, label="mine")
    legend = ax.legend()
    with matplotlib.rc_context({"lines.linewidth": 2}):
        next(one for one in EXAMPLES if one.function == "psychometric").draw(ax=ax)
    assert mine.get_linewidth() == 5
    assert legend in ax.artists
    assert ax.get_legend() is not legend


def test_a_legend_stays_on_the_page_whatever_lays_the_figure_out():
    curve = next(one for one in EXAMPLES if one.function == "psychometric")
    for last in (lambda figure: None, Figure.tight_layout, lambda figure: figure.set_dpi(200)):
        figure = Figure(figsize=(8, 6))
        ax = figure.subplots(2, 2)[1, 0]
        curve.draw(ax=ax)
        last(figure)
        figure.draw_without_rendering()
        legend = ax.get_legend().get_window_extent()
        assert legend.y0 > 0
        assert legend.y1 < ax.xaxis.label.get_window_extent().y0


def test_large_letters_of_the_user_leave_no_legend_off_the_page():
    with matplotlib.rc_context({"legend.fontsize": 16}):
        figure = next(one for one in EXAMPLES if one.function == "psychometric").draw()
    figure.draw_without_rendering()
    box = figure.legends[0].get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.width
