"""What tests of the commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from attractory import use_cores
from attractory.cli import main


def asked_cores(cores: int | None) -> None:
    """Without a number nothing: settings of the whole process, which other tests run in, too."""
    if cores is not None:
        use_cores(cores)


@pytest.fixture(autouse=True, scope="module")
def short_curves(few_conditions: None) -> None:
    """Commands that make a page of a few points a curve make one of many."""


@pytest.fixture
def in_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run a command as `attractory` does, without a process of its own, which takes seconds to
    start; (exit status, standard output, standard error)."""
    monkeypatch.setattr("attractory.cli._app.use_cores", asked_cores)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setenv("COLUMNS", "160")
        monkeypatch.setattr(sys, "argv", ["attractory", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0, *capsys.readouterr()

    return run
