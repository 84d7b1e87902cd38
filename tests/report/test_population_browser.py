"""The page of many networks in a real browser: it sorts, opens a network, and fits the window."""

from __future__ import annotations

import time

import pytest

import attractory as at
from attractory.report import population_study, write_population

HEADS = "return [...document.querySelectorAll('.sortable th')].map(t => t.textContent)"
SIDEWAYS = (
    "return [...document.querySelectorAll('html, body *')].filter(e => e.clientWidth > 0 && "
    "e.scrollWidth > e.clientWidth + 1).map(e => e.tagName + ' ' + e.textContent.slice(0, 80))"
)
ROWS = (
    "return [...document.querySelectorAll('.sortable table')].map(t => [...t.rows].slice(1).map("
    "r => r.cells[0].textContent))"
)
WIDE = ("spectral_radius", "henrici_departure", "numerical_abscissa", "excitatory_share",
        "ei_balance", "share_near_circle", "n_outside", "learning_time")  # fmt: skip


@pytest.fixture(scope="module")
def results():
    """Two groups of two networks, with more measures than one table is wide enough for."""
    task = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 15), pulse=4, delay=4)
    gains = {"weak": (0.8, 0.6), "a strong one": (1.4, 1.7)}
    groups = {
        name: [at.models.RateRNN(units=8, recurrent_gain=gain).build(1, 1) for gain in both]
        for name, both in gains.items()
    }
    return population_study(groups, "spectra", names=WIDE, task=task, progress=False)


@pytest.fixture(scope="module")
def opened(browser, results, tmp_path_factory):
    page = write_population(results, tmp_path_factory.mktemp("page") / "population.html")
    browser.get(page.as_uri())
    return browser


def press(browser, heading, times=1):
    from selenium.webdriver.common.keys import Keys

    button = browser.find_elements("css selector", ".sortable th button")
    for _ in range(times):
        button[browser.execute_script(HEADS).index(heading)].send_keys(Keys.ENTER)


@pytest.mark.parametrize("times", [1, 2])
def test_a_heading_sorts_all_parts_of_the_table_by_the_keyboard(times, opened, results):
    opened.refresh()
    press(opened, "spectral radius", times)
    table = results.table().sort_values("spectral_radius", ascending=times == 1)
    parts = opened.execute_script(ROWS)
    assert len(parts) > 1
    assert parts == [table["net"].tolist()] * len(parts)
    sorted_by = opened.find_element("css selector", "th[aria-sort]")
    assert sorted_by.get_attribute("aria-sort") == ("ascending", "descending")[times - 1]
    assert len(opened.find_elements("css selector", "th[aria-sort]")) == 1


def test_names_are_sorted_as_words(opened, results):
    press(opened, "network")
    assert opened.execute_script(ROWS)[0] == sorted(results.labels)


def test_a_name_opens_the_figures_of_its_network(opened, results):
    link = opened.find_element("link text", "weak 1")
    link.click()
    (panel,) = opened.find_elements("css selector", "details[open]")
    assert panel.find_element("css selector", "summary").text == "network weak 1"
    time.sleep(0.5)  # pictures are decoded once they are seen
    widths = [each.size["width"] for each in panel.find_elements("css selector", "img")]
    assert len(widths) == 2
    assert min(widths) > 200


@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_scrolls_sideways(width, opened):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    opened.execute_script(
        "document.querySelectorAll('details').forEach(d => { d.removeAttribute('name'); "
        "d.open = true })"
    )
    time.sleep(0.5)
    wide = opened.execute_script(SIDEWAYS)
    opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert wide == []


def test_the_console_has_no_error_and_nothing_is_fetched(opened):
    entries = opened.get_log("browser")
    assert [entry for entry in entries if entry["level"] == "SEVERE"] == []
    asked = [e["message"] for e in opened.get_log("performance")]
    asked = [message for message in asked if "Network.requestWillBeSent" in message]
    assert any("file:///" in message for message in asked)
    assert not [message for message in asked if '"url":"http' in message]
