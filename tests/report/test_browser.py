"""The page in a real browser: no error, the 3-D plot drawn, something to see."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest

import attractory as at
from attractory.report import study, write
from attractory.runs import Run


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A report of a small untrained network."""
    task = at.tasks.FlipFlop(steps=120, first_onset=(5, 20), pulse=5, delay=5)
    model = at.models.RateRNN(units=20)
    rows = [{"net": 0, "seed": [0, 0], "status": "finished", "step": 0}]
    source = {"file": "none", "sha256": "none"}
    run = Run(task, model, [model.build(3, 3)], rows, source=source)
    return write(run, tmp_path_factory.mktemp("page") / "report.html", study(run, n=4))


@pytest.fixture(scope="module")
def opened(browser, page):
    browser.get(page.as_uri())
    deadline = time.monotonic() + 60
    drawn = "return document.querySelectorAll('#turn canvas').length > 0"
    while not browser.execute_script(drawn) and time.monotonic() < deadline:
        time.sleep(0.2)
    time.sleep(2.0)  # WebGL draws after the canvas is there
    return browser


def pixels(png):
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def test_console_has_no_error(opened):
    entries = opened.get_log("browser")
    assert [entry for entry in entries if entry["level"] == "SEVERE"] == []


def test_nothing_is_fetched_from_outside(opened):
    asked = [
        entry["message"]
        for entry in opened.get_log("performance")
        if "Network.requestWillBeSent" in entry["message"]
    ]
    assert any("file:///" in message for message in asked)
    for message in asked:
        assert '"url":"http' not in message, message[:300]


def test_the_3d_plot_is_drawn(opened):
    """Its canvas shows the colours of several memory states, and no WebGL complaint."""
    plot = opened.find_element("id", "turn")
    opened.execute_script("arguments[0].scrollIntoView({block: 'center'})", plot)
    time.sleep(1.0)
    assert "WebGL is not supported" not in plot.text
    traces = opened.execute_script(
        "return document.getElementById('turn').data.map(t => t.type + ':' + (t.x || []).length)"
    )
    assert sum(trace.startswith("scatter3d") for trace in traces) >= 8
    canvas = plot.find_element("css selector", "canvas")
    image = pixels(canvas.screenshot_as_png).reshape(-1, 3)
    saturated = image[(image.max(1) - image.min(1)) > 80]
    assert len(saturated) > 50
    assert len(np.unique(saturated // 64, axis=0)) >= 3


def test_the_plot_turns_with_the_mouse(opened):
    from selenium.webdriver import ActionChains

    plot = opened.find_element("id", "turn")
    canvas = plot.find_element("css selector", "canvas")
    before = pixels(canvas.screenshot_as_png)
    ActionChains(opened).move_to_element(canvas).click_and_hold().move_by_offset(
        120, 40
    ).release().perform()
    time.sleep(1.0)
    after = pixels(canvas.screenshot_as_png)
    assert (np.abs(after - before).max(axis=2) > 40).mean() > 0.002


def test_the_page_is_not_blank_and_its_figures_have_a_size(opened):
    opened.execute_script("window.scrollTo(0, 0)")
    image = pixels(opened.get_screenshot_as_png())
    assert (image.min(axis=2) < 128).mean() > 0.005
    sizes = opened.execute_script(
        "return [...document.images].map(i => [i.complete, i.naturalWidth, i.clientWidth])"
    )
    assert len(sizes) >= 8
    for complete, natural, shown in sizes:
        assert complete
        assert natural > 200
        assert shown > 200


def test_nothing_runs_out_of_a_narrow_window(opened):
    opened.set_window_size(420, 900)
    time.sleep(1.5)  # the plot follows the window's size in its own time
    wide = opened.execute_script(
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    opened.set_window_size(1200, 1000)
    assert wide <= 0


def test_figures_are_as_wide_as_they_are_printed(opened):
    """96 pixels of a page are an inch, whatever the screen: all letters have their size."""
    widths = opened.execute_script(
        "return [...document.querySelectorAll('.figures img')].map(i => [i.clientWidth, "
        "i.naturalWidth])"
    )
    assert len(widths) >= 8
    for shown, printed in widths:
        assert shown == pytest.approx(printed, abs=1)


@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_scrolls_sideways(opened, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    opened.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    time.sleep(1.5)  # the plot follows the window's size in its own time
    wide = opened.execute_script(
        "return [...document.querySelectorAll('html, body *:not(.js-plotly-plot *)')].filter("
        "e => e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1).map("
        "e => e.tagName + ' ' + e.textContent.slice(0, 80))"
    )
    opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert wide == []


def test_the_story_stands_on_the_first_screen(opened):
    opened.execute_script("window.scrollTo(0, 0)")
    end = opened.execute_script(
        "return document.querySelector('.story').getBoundingClientRect().bottom"
    )
    assert len(opened.find_elements("css selector", ".story dt")) == 5
    assert end < 800
