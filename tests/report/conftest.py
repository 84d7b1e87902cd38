"""What tests of pages share: short curves, and a real browser, for the page as a reader sees it."""

from __future__ import annotations

import shutil

import pytest

FLAGS = (
    "--headless=new --no-sandbox --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --use-angle=swiftshader "
    "--enable-unsafe-swiftshader --window-size=1200,1000 --host-resolver-rules=MAP*~NOTFOUND"
)


@pytest.fixture(autouse=True, scope="module")
def short_curves(few_conditions):
    """Pages of a few points a curve are made like those of many."""


@pytest.fixture(scope="module")
def browser():
    webdriver = pytest.importorskip("selenium.webdriver")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("chromium and chromedriver are not installed (Debian: chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in FLAGS.split():
        options.add_argument(flag.replace("MAP*~NOTFOUND", "MAP * ~NOTFOUND"))
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield started
    started.quit()
