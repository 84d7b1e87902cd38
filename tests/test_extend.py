"""The file that docs/extend.md is, used from the commands in processes of their own."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from few import few

PAGE = Path(__file__).resolve().parents[1] / "docs" / "extend.md"


def blocks(kind):
    return re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)


def run(line, folder):
    arguments = shlex.split(line)
    assert arguments[0] == "attractory"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.run(
        [sys.executable, "-m", "attractory", *arguments[1:]],
        cwd=folder,
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("extend")
    (made / "my_parts.py").write_text("\n\n".join(blocks("python")))
    return made


@pytest.mark.slow  # six processes; the code of the page itself runs with the other pages
def test_the_commands_of_the_page_work_one_after_the_other(folder):
    said = {}
    for line in blocks("sh")[0].strip().splitlines():
        done = run(line, folder)
        assert done.returncode == 0, (line, done.stderr)
        said[line] = done.stdout
    assert any("How many of the pulses came" in text for text in said.values())
    assert any("0.3000" in text for text in said.values())  # a value of the axis
    page = (folder / "runs/count/report.html").read_text()
    assert "Trained by backpropagation through time: 30 updates" in page
    for section in SECTIONS_OF_THE_PAGE:
        assert section in page
    assert list((folder / "runs/count/export").glob("*.npz"))
    history = pd.read_csv(folder / "runs/adapting/history.csv")
    assert history["largest_gradient"].notna().all()


SECTIONS_OF_THE_PAGE = ("Robustness", "Rates", "The largest of them is")


@pytest.mark.parametrize(
    ("content", "complaint"),
    few(
        [
            (None, "--import own.py: this file is missing"),
            (
                "import attractory as at\n\nat.tasks.register(3)\n",
                "no subclass of attractory.tasks.Task",
            ),
            ("x = 1\ny = x + undefined\n", "line 2: NameError: name 'undefined' is not defined"),
            ("def broken(:\n", "SyntaxError"),
        ],
        quick=[2],
    ),
)
def test_a_file_that_fails_is_one_line(content, complaint, tmp_path):
    if content is not None:
        (tmp_path / "own.py").write_text(content)
    done = run("attractory --import own.py tasks", tmp_path)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
