"""How well the networks do the task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from attractory.report._section import Content, Section, section
from attractory.report._tables import columns

if TYPE_CHECKING:
    from attractory.report._study import Study


@section
class Scores(Section):
    """The main numbers, the scores of each network, and those of channels and conditions."""

    title = "Scores"
    order = 10
    template = "scores.html"

    def content(self, study: Study) -> Content | None:
        if study.scores is None:
            return None
        networks = study.network_table()
        conditions = study.by_condition.items()
        return {
            "facts": _facts(networks),
            "n": study.scores.n,
            "steps_left_out": study.scores_with_last_step is not None,
            "table": columns(networks, "mse", "distance", "accuracy", "correct"),
            "folded": [
                ("Scores of each output channel", study.scores.table()),
                *((f"Trials correct by {name}", scores) for name, scores in conditions),
            ],
        }


def _facts(networks: pd.DataFrame) -> list[tuple[str, str]]:
    """What is said in large letters."""
    median = networks.median(numeric_only=True)
    facts = [("median MSE", f"{median['mse']:.4f}")]
    if networks["correct"].notna().any():
        facts.append(("trials correct, median", f"{100 * median['correct']:.1f} %"))
    facts += [
        ("median sign accuracy", f"{100 * median['accuracy']:.2f} %"),
        ("eigenvalues near the circle", f"{100 * median['spectrum_on_circle']:.0f} %"),
    ]
    if "cube_r_squared" in networks:
        facts.append(("cube R², median", f"{median['cube_r_squared']:.3f}"))
        facts.append(("memories held apart, median", f"{100 * median['cube_separation']:.0f} %"))
    return facts
