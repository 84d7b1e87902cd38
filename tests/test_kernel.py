"""A notebook in a real kernel: every public figure shows itself, every result is a few lines."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from contracts.examples_of_figures import EXAMPLES
from nbclient import NotebookClient

SETUP = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from contracts.examples_of_figures import EXAMPLES
from contracts.test_results import made, memory
results = made(memory())
"""
FIRST_RESULT = 1 + len(EXAMPLES)  # the cell that lists the results; one for each comes after it


pytestmark = pytest.mark.slow  # every figure and result, in a process of its own


@pytest.fixture(scope="module")
def cells():
    """The cells of the notebook after they were run, in a kernel that shares our programs."""
    client = NotebookClient(nbformat.v4.new_notebook(), timeout=120)
    with client.setup_kernel(env=dict(os.environ)):
        run(client, SETUP)
        for number in range(len(EXAMPLES)):
            run(client, f"EXAMPLES[{number}].draw()")
        names = run(client, "print(*results)").outputs[0].text.split()
        for name in names:
            run(client, f"results[{name!r}]")
    return client.nb.cells


def run(client, code):
    """Run one more cell; an error in it is an error of the test."""
    cell = nbformat.v4.new_code_cell(code)
    client.nb.cells.append(cell)
    client.execute_cell(cell, len(client.nb.cells) - 1)
    return cell


def shown(cell):
    """What the value of a cell's last line is shown as, by kind."""
    (output,) = [output for output in cell.outputs if output.output_type == "execute_result"]
    return output.data


def test_every_figure_shows_itself(cells):
    for example, cell in zip(EXAMPLES, cells[1:FIRST_RESULT], strict=True):
        assert len(shown(cell)["image/png"]) > 1000, example.function
        assert len(shown(cell)["text/plain"].splitlines()) == 1, example.function


def test_every_result_is_a_few_lines_and_a_table(cells):
    of_results = cells[FIRST_RESULT + 1 :]
    assert len(of_results) > 10
    for cell in of_results:
        data = shown(cell)
        assert len(data["text/plain"].splitlines()) <= 10, cell.source
        assert "<table" in data["text/html"], cell.source
