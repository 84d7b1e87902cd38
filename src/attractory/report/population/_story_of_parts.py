"""What pages say first of a battery, and of what networks are like through learning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from attractory.population import Battery, Learning, PointsThroughLearning

MOST_NAMED = 6  # measures, axes or groups that a sentence lists
LEARNED = 0.95  # of the signs, or of the trials: what counts as learned in a sentence
WORDS = {"correct": "of the trials correct", "accuracy": "of the signs correct"}


def listed(names: list[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def what_was_tried(battery: Battery) -> str:
    """How many networks on how many axes, and what was left out."""
    groups = f" in {len(battery.groups)} groups" if battery.groups else ""
    count = f"{len(battery)} network{'s' * (len(battery) > 1)}{groups}"
    axes = f"{len(battery.curves)} {'axis' if len(battery.curves) == 1 else 'axes'}"
    said = [f"{count} on {axes}, {battery.trials} trials at each value."]
    if battery.skipped:
        said.append(f"Not tried: {', '.join(battery.skipped)}.")
    if battery.left_out:
        said.append(f"Networks that diverged in training: {', '.join(battery.left_out)}.")
    return " ".join(said)


def where_they_fail(battery: Battery) -> str:
    """On which axes half of all networks fall below the level, and on which they do not."""
    rows = replace(battery, group=()).thresholds().to_dict("records")
    if not rows:
        return "There are no thresholds: the values of no axis are numbers."
    below, fail, hold = [], [], []
    for row in rows:
        where = f"{row['axis'].replace('_', ' ')} ({row['side']})"
        if 2 * row["below_from_start"] > row["networks"]:
            below.append(where)
        elif np.isfinite(row["median"]):
            fail.append(f"{where} {row['median']:.3g}")
        else:
            hold.append(where)
    level = f"{100 * battery.level:.3g} % {WORDS[battery.score]}"
    if len(below) == len(rows):
        return f"More than half are below {level} from the start, on every axis."
    said = [
        (f"Half of the networks are below {level} at", fail),
        (f"More than half never fall below {level} on", hold),
        (f"More than half are below {level} from the start on", below),
    ]
    return " ".join(f"{words} {listed(names)}." for words, names in said if names)


def when_it_is_learned(learning: Mapping[str, Learning]) -> str:
    """How many networks do the task at last, and since when, by run; "" without a score."""
    scores = [score for score in WORDS if all(score in each.names for each in learning.values())]
    if not scores:
        return ""
    said = []
    for run, each in learning.items():
        reached = each.reached(scores[0], LEARNED)
        steps = reached[~np.isnan(reached)]
        when = f" (from step {np.median(steps):g} on, median)" if len(steps) else ""
        said.append(f"{run}{run and ' '}{len(steps)} of {len(reached)} networks{when}")
    return f"{100 * LEARNED:g} % {WORDS[scores[0]]} at the last step: {listed(said)}."


def what_changes(learning: Mapping[str, Learning]) -> str:
    """The means of the measures at the first and at the last step, by run."""
    said = []
    for run, each in learning.items():
        changes = [
            f"{row['measure'].replace('_', ' ')} {row['first']:.3g} to {row['last']:.3g}"
            for row in each.first_and_last().to_dict("records")
            if np.isfinite([row["first"], row["last"]]).all()
        ]
        whose = f"{run}, from" if run else "From"
        first, last = each.steps[[0, -1]]
        said.append(f"{whose} step {first:g} to {last:g} (means): {listed(changes)}.")
    return " ".join(said)


def what_becomes_of_points(points: PointsThroughLearning) -> str:
    """How many there are at both ends, and births and losses in between."""
    said = points.summary()
    born = said["born_at_folds"] + said["born_at_pitchforks"]
    lost = said["lost_at_folds"] + said["lost_at_pitchforks"]
    unknown = said["unexplained_before"] + said["unexplained_after"]
    words = (
        f"Network {points.net} has {said['first']} at step {points.steps[0]:g} and {said['last']} "
        f"at step {points.steps[-1]:g}. On the straight lines between the kept weights {born} "
        f"{'pair is' if born == 1 else 'pairs are'} born and {lost} lost"
    )
    return f"{words}; {unknown} points are not explained." if unknown else f"{words}."
