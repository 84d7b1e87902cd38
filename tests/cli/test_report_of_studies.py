"""`attractory report` on the folder of a sweep or of a tuning."""

from __future__ import annotations

import pytest
from sweeps.made_studies import made_sweep, made_tuning

pytest.importorskip("optuna")


@pytest.mark.parametrize("kind", ["sweep", "tuning"])
def test_the_folder_says_whose_page_it_is(in_process, tmp_path, kind):
    folder = tmp_path / "study"
    if kind == "sweep":
        made_sweep(folder, left=12)
    else:
        made_tuning(folder, [])
    status, said, errors = in_process("report", folder)
    assert (status, errors) == (0, "")
    assert said == f"report: {folder / 'report.html'}\n"
    title = f"<h1>{kind.capitalize()} study: "
    assert title in (folder / "report.html").read_text()
    status, said, errors = in_process("report", folder, "--out", tmp_path / "page.html")
    assert (tmp_path / "page.html").exists()
    status, said, errors = in_process("report", folder, "--fixed-points")
    assert (status, said) == (2, "")
    assert f"--quick are for runs; this is a {kind}" in errors
    assert errors.count("\n") == 1


def test_a_folder_of_nothing_is_one_line(in_process, tmp_path):
    status, said, errors = in_process("report", tmp_path)
    assert (status, said) == (2, "")
    assert errors.count("\n") == 1
