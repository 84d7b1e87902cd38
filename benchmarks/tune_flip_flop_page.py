"""What the benchmark of tunings found, in words and tables, for docs/tune.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

PAGE = Path(__file__).resolve().parents[1] / "docs" / "tune.md"
BEGIN, END = "<!-- worth: made by benchmarks/tune_flip_flop.py -->", "<!-- end of worth -->"
FIELDS = {
    "rule.learning_rate": ("rate", ".2g"),
    "model.recurrent_gain": ("gain", ".2f"),
    "model.tau": ("τ", ".0f"),
}
VALUES = ", ".join(label for label, _ in FIELDS.values())
NAMES = {"tpe": "TPE", "random": "random search"}


def write_page(found: dict[str, Any]) -> None:
    """Put what was found between the marks of docs/tune.md."""
    parts = [machine(found["machine"])]
    if "tunings" in found:
        parts += [studies(found), between(found["differences"])]
    if "timed" in found:
        parts.append(timed(found["timed"], found["machine"]))
        parts.append(of_a_trial(found["timed"]["of_a_trial"]))
    text = "\n\n".join(part for part in parts if part)
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def machine(found: dict[str, Any]) -> str:
    """What it was measured on."""
    versions = found["versions"]
    return (
        f"Measured on {found['cores']} cores of {found['processor']}, {found['date']}, with JAX "
        f"{versions['jax']}. Errors are mean squared ones."
    )


def studies(found: dict[str, Any]) -> str:
    """A row for each study: the best values by each sampler, as chosen and on fresh seeds."""
    head = ["study"]
    for sampler in found["tunings"]:
        head += [f"best by {NAMES[sampler]}: {VALUES}", "chosen", "fresh", "pruned"]
    lines = [_row([*head, f"recipe ({_of_the_recipe(found['setup'])}), fresh"])]
    lines.append("|" + "---|" * (len(head) + 1))
    for place, seed in enumerate(found["seeds"]):
        cells = [str(seed)]
        for tunings in found["tunings"].values():
            cells += _cells(tunings[place])
        lines.append(_row([*cells, _mean(found["recipe"][place])]))
    return "\n".join(lines)


def _cells(tuning: dict[str, Any]) -> list[str]:
    pruned = f"{tuning['status']['pruned']} of {sum(tuning['status'].values())}"
    return [_in_short(tuning["values"]), f"{tuning['chosen']:.5f}", _mean(tuning["fresh"]), pruned]


def _of_the_recipe(setup: dict[str, Any]) -> str:
    parts = [field.partition(".") for field in FIELDS]
    return _in_short({f"{part}.{name}": setup[part][name] for part, _, name in parts})


def _in_short(values: dict[str, float]) -> str:
    return ", ".join(format(values[field], digits) for field, (_, digits) in FIELDS.items())


def _mean(values: list[float]) -> str:
    return f"{np.mean(values):.5f}"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def between(differences: dict[str, Any]) -> str:
    """A row for each comparison."""
    head = ["error of", "ratio (95 % interval)", "difference (95 % interval)", "lower in"]
    lines = [_row(head), "|" + "---|" * len(head)]
    for name, found in differences.items():
        counts = f"{found['better_in']} of {found['of']}"
        ratio, difference = (
            _with_interval(found["ratio"], 3),
            _with_interval(found["difference"], 5),
        )
        lines.append(_row([name, ratio, difference, counts]))
    return "\n".join(lines) if differences else ""


def _with_interval(found: dict[str, float], digits: int) -> str:
    mean, low, high = (f"{found[name]:.{digits}f}" for name in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"


def of_a_trial(found: dict[str, dict[str, float]]) -> str:
    """What a trial's seconds are spent on."""
    head = ["processor seconds of a trial that nothing ends early", *found["new"], "in all"]
    lines = [_row(head), "|" + "---|" * len(head)]
    for name, seconds in found.items():
        cells = [f"{value:.2f}" for value in (*seconds.values(), sum(seconds.values()))]
        lines.append(_row([f"its time constant is {name}", *cells]))
    return "\n".join(lines)


def timed(found: dict[str, Any], machine: dict[str, Any]) -> str:
    """What one whole tuning takes."""
    trials = sum(found["status"].values())
    return (
        f"One tuning of {trials} trials, with the start of its workers, nothing compiled before, "
        f"and the training on fresh seeds: {found['seconds'] / 60:.1f} minutes on "
        f"{machine['cores']} cores (load before: {found['load_before']:.1f})."
    )
