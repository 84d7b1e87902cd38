"""The best trials of a tuning, and what they are worth."""

from __future__ import annotations

from itertools import combinations

import pandas as pd

from attractory import figures
from attractory.report._section import OF_A_TUNING, Content, Drawing, Section, section
from attractory.sweeps._studied import StudiedTuning
from attractory.sweeps.page._story_of_tuning import recipe_in_words
from attractory.sweeps.page._words import count_of, number_in_words, settings_table

MOST = 20  # rows
MOST_OBJECTIVES = 3  # of which all pairs are drawn
WORTH = (
    "What the best seemed worth on the trials it was chosen by, and what networks with its values "
    "come to that were trained with fresh seeds, on trials that no choice has seen. Only the "
    "second is to be reported."
)
FRONT = (
    "The {first} and the {second} of all complete trials. Diamonds are on the Pareto front of all "
    "objectives: no other trial is at least as good in all of them, and better in one."
)


@section
class BestTrials(Section):
    """Their values and their numbers."""

    title = "Best trials"
    page = OF_A_TUNING
    order = 10

    def figures(self, study: StudiedTuning) -> dict[str, Drawing]:
        if not study.complete:
            return {}
        pairs = combinations(study.tried.scores[:MOST_OBJECTIVES], 2)
        return {
            f"front-{first}-{second}": _front(study, (first, second)) for first, second in pairs
        }

    def content(self, study: StudiedTuning) -> Content | None:
        if not study.complete:
            return None
        recipe = recipe_in_words(study)
        text = [f"The task's own recipe has {recipe}"] if recipe else []
        return {"text": [_shown(study), *text], "table": _table(study)}


@section
class WorthOfTheBest(Section):
    """Their numbers as they were chosen, and on fresh seeds and trials."""

    title = "What the best are worth"
    page = OF_A_TUNING
    order = 12

    def content(self, study: StudiedTuning) -> Content | None:
        if not study.best:
            return None
        if not study.optimism["seeds"].any():
            return {"text": ["The best were not trained again, so that this is not known."]}
        return {"text": [WORTH], "table": _worth(study)}


def _front(study: StudiedTuning, pair: tuple[str, str]) -> Drawing:
    caption = FRONT.format(first=pair[0], second=pair[1])
    return Drawing(caption, lambda: figures.pareto_front(study.tried, pair))


def _ordered(study: StudiedTuning) -> pd.DataFrame:
    """Complete trials, the best first; of several objectives those on the front."""
    rows = study.tried.rows[study.tried.rows["state"] == "complete"]
    score, way = next(iter(study.tried.directions.items()))
    if len(study.tried.scores) > 1:
        rows = rows[rows["number"].isin(study.best)]
    return rows.sort_values(score, ascending=way == "minimize", kind="stable")


def _shown(study: StudiedTuning) -> str:
    rows = _ordered(study)
    which = "on the Pareto front" if len(study.tried.scores) > 1 else "by their number"
    first = f"The first {MOST} of " if len(rows) > MOST else ""
    return (
        f"{first}{count_of(len(rows), 'complete trial')} {which}. All trials are in table.csv "
        "beside this page."
    )


def _table(study: StudiedTuning) -> pd.DataFrame:
    rows = _ordered(study).head(MOST)
    made = settings_table(rows[["number", *study.tried.fields]], study.tried.fields)
    made[list(study.tried.scores)] = rows[list(study.tried.scores)]
    return made.rename(columns={"number": "trial"})


def _worth(study: StudiedTuning) -> pd.DataFrame:
    """What the best seemed worth, and what they are worth."""
    rows = []
    for row in study.optimism.head(MOST).to_dict("records"):
        score = str(row["objective"])
        said = {name: number_in_words(score, row[name]) for name in NUMBERS}
        rows.append({"trial": row["trial"], "objective": score, "seeds": row["seeds"], **said})
    return pd.DataFrame(rows).rename(columns=NUMBERS)


NUMBERS = {
    "chosen": "as it was chosen",
    "fresh": "on fresh seeds and trials",
    "standard_error": "its standard error",
    "optimism": "chosen better by",
}
