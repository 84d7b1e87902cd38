"""Sections of the page: a user's own, what each must keep to, and whose words stand where."""

from __future__ import annotations

import html
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import attractory as at
from attractory.report import Drawing, Section, sections, study, write
from attractory.report.sections._learning import Learning, loss_in_words

FLIP = at.tasks.FlipFlop(bits=1, steps=120, first_onset=(5, 20), pulse=4, delay=4)
TITLES = [
    "Scores",
    "Task and network",
    "Learning",
    "Weights",
    "State space",
    "Robustness",
    "What was run",
]


pytestmark = pytest.mark.usefixtures("registries")  # a user's section is gone after its test


def trained(task, **settings):
    rule = at.rules.BPTT(steps=4, batch=4, optimizer="adam", **settings)
    return at.train(task, at.models.RateRNN(units=8), rule, progress=False)


@pytest.fixture(scope="module")
def run():
    return trained(FLIP)


@pytest.fixture(scope="module")
def results(run):
    return study(run, n=8)


def titles(page):
    return [html.unescape(title) for title in re.findall(r"<h2>(.*?)</h2>", page)]


def histogram(results):
    figure = Figure()
    figure.subplots().hist(results.run.networks[0].weights["recurrent_weights"].ravel())
    return figure


class LargestWeights(Section):
    """A user's own: a figure, a caption, words, tables."""

    def figures(self, study):
        return {"own_weights": Drawing("Weights <of> mine.", lambda: histogram(study))}

    def content(self, study):
        largest = [np.abs(net.weights["recurrent_weights"]).max() for net in study.run.networks]
        table = pd.DataFrame({"net": range(len(largest)), "largest weight": largest})
        return {"text": ["What I saw & heard."], "table": table, "folded": [("Again", table)]}


@pytest.mark.usefixtures("undrawn")
def test_a_users_own_section_stands_in_every_page_from_then_on(run, results, tmp_path):
    at.report.section(LargestWeights)
    page = write(run, tmp_path / "report.html", results).read_text()
    assert titles(page) == [*TITLES[:-1], "Largest weights", TITLES[-1]]
    assert '<a href="#largest-weights">Largest weights</a>' in page
    own = page[page.index('<section id="largest-weights">') :]
    own = own[: own.index("</section>")]
    assert "<figcaption>Weights &lt;of&gt; mine.</figcaption>" in own
    assert "<p>What I saw &amp; heard.</p>" in own
    largest = np.abs(run.networks[0].weights["recurrent_weights"]).max()
    assert own.count(f">{largest:.4f}</td>") == 2
    assert "<summary>Again</summary>" in own
    assert "<th>largest weight</th>" in own
    assert (tmp_path / "figures" / "own_weights.png").exists()
    assert at.report.drawings(results)["own_weights"]().axes[0].patches


@pytest.mark.usefixtures("undrawn")
def test_a_section_stands_where_its_order_says(run, results, tmp_path):
    @at.report.section
    class First(Section):
        order = 1

        def content(self, study):
            return {"text": ["Before all."]}

    page = write(run, tmp_path / "report.html", results).read_text()
    assert titles(page) == ["First", *TITLES]


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("content", [None, {}])
def test_a_section_with_nothing_to_show_is_left_out(content, run, results, tmp_path):
    class Empty(Section):
        def content(self, study):
            return content

    at.report.section(Empty)
    assert titles(write(run, tmp_path / "report.html", results).read_text()) == TITLES


def test_sections_may_be_chosen(run, results, tmp_path):
    page = write(run, tmp_path / "report.html", results, [Learning()], "After X & Y.").read_text()
    assert titles(page) == ["Learning"]
    assert [file.name for file in sorted((tmp_path / "figures").glob("*.svg"))] == [
        "learning_curve.svg",
        "spectral_radius.svg",
    ]
    assert "After X &amp; Y.</p></footer>" in page


def test_what_is_no_section_is_refused(run, results, tmp_path):
    with pytest.raises(at.InvalidSetting, match=r"no subclass of attractory\.report\.Section"):
        at.report.section(Figure)

    class Weights(Section):
        """Of a title that is taken."""

    with pytest.raises(at.InvalidSetting, match="the name 'Weights' belongs to attractory"):
        at.report.section(Weights)

    @at.report.section
    class Twice(Section):
        def figures(self, study):
            return {"network": Drawing("Again.", lambda: histogram(study))}

    with pytest.raises(at.InvalidSetting, match="section 'Twice' has a figure 'network', as"):
        write(run, tmp_path / "report.html", results)


def test_every_section_is_one_of_a_title_and_a_place():
    known = sections()
    assert len({each.title for each in known}) == len(known) == 12
    assert len({each.order for each in known}) == len(known)


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("name", ["flipflop", "and"])
def test_no_page_but_the_reproductions_has_the_papers_numbers(name, run, results, tmp_path):
    if name != "flipflop":
        run = trained(at.tasks.get(name))
        results = study(run, n=8)
    page = write(run, tmp_path / "report.html", results).read_text()
    text = re.sub(r"<script>.*?</script>|base64,[^\"]*", "", page, flags=re.S)
    for word in ("Jarne", "published network", "figure1", "the paper"):
        assert word not in text
    assert "flip" not in text.replace("flipflop", "") or name == "flipflop"
    for file in (tmp_path / "figures").iterdir():
        assert not re.match(r"figure\d", file.name)
    assert ("test walk" in text) == (name == "flipflop")
    assert ("cube" in text) == (name == "flipflop")
    assert "Trained by backpropagation through time: 4 updates" in text
    for setting, value in run.config["task"]["settings"].items():
        assert f"<td>task.{setting}</td><td>{html.escape(str(value))}</td>" in text


def test_the_axis_of_the_loss_says_what_was_trained(run, results):
    assert loss_in_words(None) == loss_in_words(run.rule) == {}
    curve = at.report.drawings(results)["learning_curve"]()
    assert curve.axes[0].get_ylabel() == "Loss, mean squared error (a.u.²)"


def test_the_picture_of_a_history_is_the_rules_own():
    task = at.tasks.SumOfSinusoids(period=20.0, amplitudes=(1.0,), sigma=0.0)
    run = at.train(task, at.models.RateRNN(units=6), at.rules.FORCE(steps=3), progress=False)
    drawn = Learning().figures(SimpleNamespace(run=run))
    assert "learning_curve" not in drawn
    assert "the trace of P (D)" in drawn["force_learning"].caption
    trace = drawn["force_learning"].draw().axes[3]
    assert "Trace of P" in trace.get_ylabel()
    assert (trace.lines[0].get_ydata() == run.history["inverse_correlation_trace"]).all()
    for name in at.rules.names():
        assert at.rules.find(name).picture_of_history in at.figures.__all__


def absolute_error(outputs, targets, mask): ...


class OfAnotherLoss(at.rules.BPTT):
    """A rule with a loss that is not registered."""

    loss_function = staticmethod(absolute_error)


class OfItsOwnError(at.rules.BPTT):
    """A rule whose error is no loss of outputs against targets."""

    def error(self, model, weights, trials, key):
        return super().error(model, weights, trials, key) ** 2


def test_another_loss_is_called_by_its_name(results):
    assert loss_in_words(OfAnotherLoss()) == {"loss": "absolute error"}
    curve = at.figures.learning_curve(results.run.history, **loss_in_words(OfAnotherLoss()))
    assert curve.axes[0].get_ylabel() == "Loss, absolute error"


def test_an_error_of_a_rules_own_is_not_called_a_squared_one():
    assert loss_in_words(OfItsOwnError()) == {"loss": "as OfItsOwnError defines it"}


def test_a_target_of_squared_errors_stands_beside_no_other_loss(run):
    class Beside(Learning):
        target = (0.0133, "published")

    assert Beside()._beside(OfAnotherLoss()) == {}
    assert Beside()._beside(run.rule) == {"target_mse": 0.0133, "target_label": "published"}
