"""Text from elsewhere stays text: no script of it runs, and it can be read as it is."""

from __future__ import annotations

import json
import time

import jax
import jax.numpy as jnp
import pytest
from few import few

import attractory as at
from attractory.report import study, write

# each would set window.ran, in another place of a page
SCRIPT = "<script>window.ran=%d</script>"
PIECES = (
    SCRIPT,
    "</script><script>window.ran=%d</script>",
    '"><img src=x onerror=window.ran=%d>',
    "'><svg onload=window.ran=%d>",
    "]]></style></title></td><iframe srcdoc='<script>parent.ran=%d</script>'>",
    "{{ 7*7 }}{%% include 'x' %%}${window.ran=%d}<!--",
)


class Words:
    """Another hostile text at each call; all that were given out."""

    def __init__(self):
        self.given = []

    def __call__(self) -> str:
        number = len(self.given) + 1
        self.given.append(f"t{number} " + PIECES[number % len(PIECES)] % number)
        return self.given[-1]


def hostile_run(word):
    """A run with such text in every string that a task's author or a manifest can bring."""
    epochs, conditions = (word(), word()), {word(): jnp.array(1.0), word(): None}

    class Hostile(at.tasks.Task):
        name = word()
        input_names = (word(),)
        output_names = (word(),)
        note: str = word()
        things: dict = {word(): [word(), {word(): word()}]}  # noqa: RUF012  a field

        @property
        def epoch_names(self):
            return epochs

        def trial(self, key):
            inputs = jax.random.normal(key, (30, 1))
            kind = jax.random.bernoulli(key).astype(float)
            values = {name: kind if value is None else value for name, value in conditions.items()}
            return at.tasks.Trial(inputs, inputs, None, jnp.array([0, 10, 30]), values)

    model = at.models.RateRNN(units=6)
    rows = [
        {
            "net": word(),
            "seed": word(),
            "status": word(),
            "step": word(),
            "events": [
                {"step": word(), "loss": word(), "what": word(), "action": word(), "x": word()},
                word(),
                [word()],
            ],
        },
        {"events": word(), word(): word()},
    ]
    networks = [model.build(1, 1, seed=seed) for seed in (0, 1)]
    source = {"file": word(), "sha256": word(), word(): word()}
    return at.Run(Hostile(), model, networks, rows, rule=at.rules.BPTT(), source=source)


@pytest.fixture(scope="module")
def word():
    return Words()


@pytest.fixture(scope="module")
def page(tmp_path_factory, word):
    run = hostile_run(word)
    folder = tmp_path_factory.mktemp("page") / "<img src=x onerror=window.ran=99>"
    return write(run, folder / "report.html", study(run, n=16))


# what no page shows: a network's own seed and step, fields of an event or a row that are not ours
HIDDEN = ("seed", "step", "x")


def test_no_script_of_it_runs_and_all_of_it_can_be_read(browser, page, word):
    browser.get(page.as_uri())
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    time.sleep(1.0)
    assert browser.execute_script("return window.ran === undefined")
    made = "return document.querySelectorAll('iframe, [onerror], [onload], [srcdoc]').length"
    assert browser.execute_script(made) == 0
    scripts = browser.execute_script("return [...document.scripts].map(s => s.text.slice(0, 200))")
    assert not any("window.ran" in script for script in scripts)
    seen = browser.execute_script("return document.body.textContent")
    table = browser.execute_script(
        "return [...document.querySelectorAll('.settings td')].map(c => c.textContent).join('\\n')"
    )
    run = hostile_run(Words())
    shown = [run.task.name, run.source["file"], run.source["sha256"], run.task.note]
    for row in run.status:
        shown += [row[name] for name in ("net", "status") if name in row]
        for event in row["events"] if isinstance(row["events"], list) else [row["events"]]:
            if isinstance(event, dict):
                shown += [event[name] for name in ("step", "loss", "what", "action")]
            elif isinstance(event, str):
                shown.append(event)
    assert len(shown) >= 12
    for text in shown:
        assert text in seen or text in table, text
    errors = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert errors == []


def test_none_of_it_is_an_element_or_an_attribute(page, word):
    """Without a browser: every angle bracket of it is written as an entity."""
    html = page.read_text()
    for number in range(1, len(word.given) + 1):
        for piece in PIECES:
            made = piece % number
            if "<" in made:
                assert made not in html


@pytest.mark.parametrize(
    "status",
    [
        [{"net": 0}],
        [{"net": None, "status": None, "events": None}],
        [{"status": ["a"], "events": {"what": 1}}],
        [{"status": {"a": 1}, "events": [None, 5, "x", {}, {"step": []}]}],
        [{"status": "\ud800\0\x1b[31m", "events": [{"what": "\udfff"}]}],
    ],
    ids=range(5),
)
@pytest.mark.parametrize("source", few([None, "x", 5, ["a"], {}, {"file": None}], quick=[1, 5]))
@pytest.mark.usefixtures("undrawn")
def test_rows_and_sources_of_odd_kinds_get_a_page(small, status, source, tmp_path):
    run, results = small
    odd = at.Run(run.task, run.model, run.networks, status, source=source)
    page = write(odd, tmp_path / "report.html", at_least(results, odd))
    assert "</html>" in page.read_text()
    at_least(results, odd).save(tmp_path / "analysis")


@pytest.mark.parametrize("status", [5, None, [5], ["x"], [], [{}, {}]], ids=str)
def test_rows_that_are_none_are_refused_in_one_line(small, status):
    run, _ = small
    odd = at.Run(run.task, run.model, run.networks, status)
    with pytest.raises(at.InvalidSetting, match="status") as caught:
        study(odd, n=4)
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def small():
    """A run that is studied once, without figures to draw again for each odd row."""
    task = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 10), pulse=5, delay=5)
    model = at.models.RateRNN(units=2)
    run = at.Run(task, model, [model.build(1, 1)], [{"net": 0, "status": "finished"}])
    return run, study(run, n=4)


def at_least(results, run):
    """The study of another run with the same networks, that draws nothing."""
    import dataclasses

    made = dataclasses.replace(results, run=run)
    object.__setattr__(made, "draw", dict)
    return made


def test_plotly_writes_no_text_that_could_end_a_script():
    """Of its own escapes depends that a name in a figure to turn stays a name."""
    import plotly.graph_objects as go

    body = go.Figure(go.Scatter(x=[1], y=[1], name="</script><script>x")).to_html(full_html=False)
    assert "</script><script>x" not in body
    assert json.dumps("script") not in body.split("newPlot")[-1].split("</script>")[0]
