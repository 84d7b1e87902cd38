"""The story of a population, for the page's first screen: questions, each with a short answer."""

from __future__ import annotations

from math import comb
from typing import TYPE_CHECKING

import numpy as np

from attractory._errors import one_line
from attractory.report._story import Told
from attractory.report.population._story_of_parts import (
    listed,
    what_changes,
    when_it_is_learned,
    where_they_fail,
)

if TYPE_CHECKING:
    from attractory.population import GroupDifferences
    from attractory.report.population._study import PopulationStudy


def story(study: PopulationStudy) -> list[Told]:
    """What was compared, whether it works, in what groups differ, how far apart networks are."""
    return [
        Told("What was compared?", _what(study)),
        Told("Do they do the task?", _how_well(study)),
        Told("Do the groups differ?", _differences(study)),
        Told("How far apart are they?", _how_far(study)),
        Told("Are there several kinds?", _kinds(study)),
        *_asked_for(study),
        Told("What was left out?", " ".join(left_out(study)) or "Nothing."),
    ]


def _asked_for(study: PopulationStudy) -> list[Told]:
    """What is answered only where a battery, or learning, was asked for."""
    told = []
    if study.battery is not None:
        told.append(Told("How robust are they?", where_they_fail(study.battery)))
    if study.learning:
        learned = when_it_is_learned(study.learning) or what_changes(study.learning)
        told.append(Told("What happens through learning?", learned))
    return told


def _what(study: PopulationStudy) -> str:
    tasks = dict.fromkeys(run.task.name for run in study.runs.values())
    task = f", trained on {listed(list(tasks))}" if tasks else ""
    groups = study.measures.groups
    sizes = [f"{name} ({study.measures.group.count(name)})" for name in groups]
    grouped = f", in {len(groups)} groups by {study.by}: {listed(sizes)}" if groups else ""
    return f"{len(study.labels)} networks{task}{grouped}."


def _how_well(study: PopulationStudy) -> str:
    words = {"correct": "trials are answered correctly", "accuracy": "signs are correct"}
    for name, what in words.items():
        if name in study.measures.names and np.isfinite(study.measures[name]).any():
            shares = 100 * study.measures[name]
            low, high = np.nanmin(shares), np.nanmax(shares)
            return f"{low:.1f} to {high:.1f} % of the {what}, median {np.nanmedian(shares):.1f} %."
    return "Not looked at: no measure of it was asked for, or there is no task."


def _differences(study: PopulationStudy) -> str:
    if study.differences is None:
        return "Not known: there are not two groups of at least two networks."
    return differences_in_words(study.differences)


def differences_in_words(found: GroupDifferences) -> str:
    """How many comparisons differ, and in what."""
    low = np.flatnonzero(found.p_holm < 1 - found.level)
    if not len(low):
        return f"{found.statement}{_too_few(found)}"
    names = list(dict.fromkeys(found.measure[i] for i in low))
    return (
        f"{len(low)} of {len(found)} comparisons differ when all of them count (Holm, "
        f"{1 - found.level:.2g}): in {listed(names)}."
    )


def _too_few(found: GroupDifferences) -> str:
    """That no difference whatever could pass, where groups are so small; "" where one could."""
    sizes = zip(found.n_first.tolist(), found.n_second.tolist(), strict=True)
    known = [pair for pair, p in zip(sizes, found.p, strict=True) if not np.isnan(p)]
    # of two groups of one size, exchanging them is as large a difference
    least = min(((1 + (a == b)) / comb(a + b, a) for a, b in known), default=1.0)
    if least * len(known) <= 1 - found.level:
        return ""
    return (
        f" None could be found: between groups of so few networks a permutation test gives no p "
        f"below {least:.2g}, and {len(known)} comparisons count. Ask for fewer measures, or train "
        "more networks."
    )


def _how_far(study: PopulationStudy) -> str:
    distances = study.distances
    pairs = distances.pairs
    words = (
        f"The median {distances.metric} distance of two is {np.median(pairs):.3g} "
        f"({distances.unit}; {pairs.min():.3g} to {pairs.max():.3g}; 0 is the same)."
    )
    if np.isfinite(distances.position):
        words += (
            f" That is {distances.position:.2f} of the way from one network with itself (0) to "
            "untrained networks (1)."
        )
    return words


def _kinds(study: PopulationStudy) -> str:
    return "Not looked for." if study.clusters is None else study.clusters.statement


def left_out(study: PopulationStudy) -> list[str]:
    """What is missing on the page, and why, a sentence each."""
    said = list(study.omitted)
    if study.measures.left_out:
        said.append(f"Networks that diverged in training: {', '.join(study.measures.left_out)}.")
    said += [
        f"No distances of {name}: {why}."
        for name, why in study.distances.left_out.items()
        if name not in study.measures.left_out
    ]
    for name, reasons in study.measures.reasons.items():
        why = one_line(next(iter(reasons.values())))
        said.append(f"No {name} of {len(reasons)} of {len(study.labels)} networks: {why}.")
    return said
