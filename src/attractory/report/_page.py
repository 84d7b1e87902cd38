"""The page: one HTML file that holds everything and needs nothing from outside."""

from __future__ import annotations

import base64
import platform
from html import escape
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import pandas as pd

from attractory import figures
from attractory._errors import InvalidSetting
from attractory._files import write_text
from attractory.report._dynamics import Dynamics
from attractory.report._study import Study, study
from attractory.runs import Run, package_versions

CAPTIONS = {
    "figure1_flip_flop": "What one bit of the memory does: a positive pulse sets it, a negative "
    "pulse resets it, and without a pulse it stays as it is.",
    "figure2_network": "The network: inputs, recurrent units, linear readout.",
    "figure3_trials": "Three random trials of the task: inputs with their noise, and the targets.",
    "figure4_connectivity": "Recurrent weights of network 0 (rows: to, columns: from; of a gated "
    "cell those of its candidate), their distribution, and the eigenvalues with the unit circle.",
    "figure5_spectra": "Eigenvalues of the recurrent weights of each network.",
    "spectral_radius": "Spectral radius of the recurrent weights of each network during training.",
    "psychometric": "How often the first option is chosen as the evidence for it grows, with the "
    "fitted curves; dashed: chance.",
    "figure6_state_space": "The test walk through all memory states: what network 0 is given, "
    "asked and says, and its states in the three leading dimensions.",
    "figure7_state_spaces": "The same walk seen in the state space of each network.",
    "learning_curve": "Loss of each network during training.",
    "fixed_points": "Fixed points of network 0 in the state space of the test walk, by their "
    "number of unstable dimensions, with unstable directions and ways from saddles to attractors.",
    "connections": "Which attractors of network 0 a saddle with one unstable dimension joins.",
    "jacobian_spectra": "Eigenvalues of the Jacobian at the fixed points of network 0, by the "
    "number of unstable dimensions, with the unit circle.",
    "continuation": "Read-out of the stable points of network 0 as a constant input grows: each "
    "is followed until it meets another fixed point and vanishes (fold), or the input is full.",
    "automaton": "Network 0 as a machine: what each input makes of each state, by the margin of "
    "the read-out at the end of the block, and how long each state holds in silence.",
    "robustness": "Scores under conditions that the networks were not trained for; the dashed line "
    "marks the condition of training.",
}
SECTIONS = {
    "Task and network": ("figure1_flip_flop", "figure2_network", "figure3_trials"),
    "Learning": ("learning_curve", "spectral_radius"),
    "Choices": ("psychometric",),
    "Weights": ("figure4_connectivity", "figure5_spectra"),
    "State space": ("figure6_state_space", "figure7_state_spaces"),
    "Fixed points": ("fixed_points", "connections", "jacobian_spectra", "continuation"),
    "Automaton": ("automaton",),
    "Robustness": ("robustness",),
}
HEADINGS = {
    "net": "network",
    "mse": "MSE",
    "mse_with_last_step": "MSE, all steps",
    "distance": "distance",
    "accuracy": "sign accuracy",
    "correct": "trials right",
    "spectrum_radius": "spectral radius",
    "spectrum_outliers": "|λ| > 1.01",
    "spectrum_on_circle": "within 0.02 of circle",
    "spectrum_nonnormality": "Henrici / norm",
    "spectrum_leading_frequency": "leading mode (cycles/ms)",
    "cube_r_squared": "cube R²",
    "cube_one_bit_apart": "edges one bit apart",
    "points_all": "fixed points",
    "points_stable": "stable",
    "points_certified": "proved",
    "points_degree_sum": "degree sum",
    "automaton_right": "memory transitions right (T0)",
    "automaton_margin": "smallest margin (T0)",
}
PERCENTAGES = ("accuracy", "correct", "spectrum_on_circle", "cube_one_bit_apart", "automaton_right")


def write(run: Run, path: str | Path | None = None, results: Study | None = None) -> Path:
    """Write a run's page, and its figures (PNG and SVG) into a folder `figures` beside it.

    path: the file; `report.html` in the run's folder when None. results: a `Study` of the run when
    there is one already; otherwise it is made. Returns the path. The page works offline.
    """
    if path is None:
        if run.path is None:
            raise InvalidSetting("path = None is not allowed: this run has no folder; name a file")
        path = run.path / "report.html"
    results = study(run) if results is None else results
    page = Path(path)
    drawings = results.draw()
    images = {}
    for name, draw in drawings.items():
        saved = figures.save(draw(), page.parent / "figures", name)
        images[name] = next(file for file in saved if file.suffix == ".svg").read_bytes()
    return write_text(page, _html(results, images))


def _html(results: Study, images: dict[str, bytes]) -> str:
    run = results.run
    sections = {"Scores": _scores(results)}
    for title, names in SECTIONS.items():
        parts = [
            _figure(name, images[name], _caption(results, name)) for name in names if name in images
        ]
        if title == "Choices" and results.choices is not None:
            parts.append(_table(results.choices.table()))
        if title == "Weights":
            parts.append(_weight_tables(results))
        if title == "State space":
            parts += [_turning(results), _state_space_tables(results)]
        if title == "Fixed points" and results.dynamics is not None:
            parts = [_points_summary(results), *parts, _turning_points(results)]
            parts.append(_points_tables(results.dynamics))
        if title == "Automaton" and results.dynamics is not None:
            parts = [*parts, _automaton_tables(results.dynamics)]
        if any(parts):
            sections[title] = "\n".join(parts)
    sections["What was run"] = _settings(run)
    template = Template(resources.files("attractory.report").joinpath("page.html").read_text())
    return template.substitute(
        title=_title(run),
        lead=_lead(results),
        navigation="".join(f'<a href="#{_slug(t)}">{escape(t)}</a>' for t in sections),
        sections="\n".join(
            f'<section id="{_slug(title)}"><h2>{escape(title)}</h2>\n{body}</section>'
            for title, body in sections.items()
        ),
        footer="Made by Attractory. The task and the analyses follow C. Jarne (2024), "
        "Front. Syst. Neurosci. 18:1269190.",
    )


def _title(run: Run) -> str:
    count = len(run.networks)
    what = "one network" if count == 1 else f"{count} networks"
    return f"{escape(run.task.name)}: {what} of {run.networks[0].units} units"


def _lead(results: Study) -> str:
    run = results.run
    if run.source is not None:
        return f"Imported from {escape(str(run.source['file']))} and analysed on the task."
    if not len(run.history):
        return "Networks without a training history, analysed on the task."
    steps = int(run.history["step"].max())
    batch = run.rule.batch if run.rule is not None else 0
    seconds = float(run.history["seconds"].max())
    return (
        f"Trained by backpropagation through time: {steps} updates of {batch} trials "
        f"({steps * batch:,} trials a network) in {seconds:.0f} s, seed {run.seed}."
    )


def _scores(results: Study) -> str:
    table = results.network_table()
    facts = [("median MSE", f"{table['mse'].median():.4f}")]
    if table["correct"].notna().any():
        facts.append(("trials right, median", f"{100 * table['correct'].median():.1f} %"))
    facts += [
        ("median sign accuracy", f"{100 * table['accuracy'].median():.2f} %"),
        ("eigenvalues near the circle", f"{100 * table['spectrum_on_circle'].median():.0f} %"),
    ]
    if "cube_r_squared" in table:
        facts.append(("cube R², median", f"{table['cube_r_squared'].median():.3f}"))
    boxes = "".join(f'<div class="fact"><b>{v}</b><span>{escape(n)}</span></div>' for n, v in facts)
    note = (
        ""
        if results.scores_with_last_step is None
        else (
            " The last step of each trial is left out (the published generator sets its target "
            "to 0); the error with it stands beside."
        )
    )
    per_bit = results.scores.table()
    return (
        f'<div class="facts">{boxes}</div>'
        f"<p>On {results.scores.n} fresh trials. Distance is the Frobenius norm between output and "
        "target, mean over trials; sign accuracy counts every point whose target is not 0; trials "
        "right is the share of trials that are answered as the task asks."
        f"{note}</p>"
        f"{_table(_columns(table, 'mse', 'distance', 'accuracy', 'correct'))}"
        f"<details><summary>Scores of each output channel</summary>{_table(per_bit)}</details>"
        + "".join(
            f"<details><summary>Trials right by {escape(name)}</summary>{_table(each)}</details>"
            for name, each in results.by_condition.items()
        )
    )


def _weight_tables(results: Study) -> str:
    """Numbers of the spectra and of the connectivity."""
    parts = [f"<p>{escape(sentence)}</p>" for sentence in results.omitted]
    if results.audit is not None:
        parts.append(f"<p>{escape(results.audit.statement)}</p>")
    parts.append(_table(_columns(results.network_table(), "spectrum")))
    if results.connectivity:
        connectivity = pd.DataFrame([c.summary() for c in results.connectivity])
        connectivity.insert(0, "net", range(len(connectivity)))
        parts.append(
            f"<details><summary>Connectivity statistics</summary>{_table(connectivity)}</details>"
        )
    if results.audit is not None:
        audit = _table(results.audit.table())
        parts.append(f"<details><summary>Audit of the weights</summary>{audit}</details>")
    return "".join(parts)


def _state_space_tables(results: Study) -> str:
    """How much the leading components hold, and whether the memories make a cube."""
    rows = []
    for net, spaces in enumerate(zip(results.spaces, results.principal_spaces, strict=True)):
        row: dict[str, Any] = {"net": net}
        for space in spaces:
            for i, share in enumerate(space.explained_variance, start=1):
                row[f"{space.method.upper()} {i}"] = f"{100 * share:.1f} %"
        if results.cubes is not None:
            cube = results.cubes[net]
            row |= {f"cube_{name}": value for name, value in cube.summary().items()}
            row["neighbours"] = ", ".join(
                f"{cube.names[a]} / {cube.names[b]}" for a, b in cube.neighbours
            )
        rows.append(row)
    note = (
        ""
        if results.cubes is None
        else (
            "<p>The cube is an affine one (it may be sheared). Neighbours are the closest pairs of "
            "memories after whitening, found without looking at their names; in a memory that is a "
            "cube of its bits all of them are one bit apart.</p>"
        )
    )
    return (
        "<p>Share of the states' variance along each component (SVD: of the states as they are, "
        f"PCA: of the states minus their mean).</p>{_table(pd.DataFrame(rows))}{note}"
    )


def _columns(table: pd.DataFrame, *starts: str) -> pd.DataFrame:
    """The columns that say which network, and those whose name begins so."""
    names = [str(name) for name in table]
    return table[[n for n in names if n in ("net", "status") or n.startswith(starts)]]


def _turning(results: Study) -> str:
    from plotly.offline import get_plotlyjs

    if results.spaces[0].coordinates.shape[-1] < 3:
        return ""
    drawing = figures.state_space_3d(results.spaces, results.cubes)
    return f"<script>{get_plotlyjs()}</script>\n" + _turned(
        drawing, "turn", "The state space to turn (drag), zoom (wheel) and read (hover)."
    )


def _turning_points(results: Study) -> str:
    """The fixed points of every network, to turn; plotly itself is in the page already."""
    found = results.dynamics or []
    joined = [each.connections for each in found if each.connections is not None]
    if len(joined) < len(found) or results.spaces[0].coordinates.shape[-1] < 3:
        return ""
    drawing = figures.fixed_points_3d([each.points for each in found], results.spaces, joined)
    return _turned(drawing, "turn-points", "The fixed points to turn, zoom and read.")


def _turned(drawing: Any, name: str, caption: str) -> str:
    body = drawing.to_html(
        full_html=False,
        include_plotlyjs=False,
        div_id=name,
        config={"displaylogo": False, "responsive": True},
    )
    return f"<figure>{body}<figcaption>{escape(caption)}</figcaption></figure>"


def _points_summary(results: Study) -> str:
    """Per network: the numbers, and in words what is known of the list."""
    found = results.dynamics or []
    said = "".join(
        f"<li>network {net}: {escape(each.points.statement)}</li>" for net, each in enumerate(found)
    )
    return (
        "<p>Without input, in float64. Proved: a Newton-Kantorovich certificate with bounded "
        "rounding says that exactly one fixed point lies in a ball around the state.</p>"
        f"{_table(_columns(results.network_table(), 'points'))}<ul>{said}</ul>"
    )


def _points_tables(found: list[Dynamics]) -> str:
    tables = [each.tables() for each in found]
    titles = {
        "fixed_points": "Every fixed point",
        "connections": "What each saddle leads to",
        "oscillations": "Attractors that move",
        "slow_points": "Slow points (minima of the speed that are no zeros)",
        "driven_points": "Fixed points under input",
        "folds": "Where states vanish under growing input",
        "modes": "Slowest modes of the stable points, and what each takes in from the inputs",
        "disturbances": "Smallest disturbances found that leave a stable point",
    }
    return "".join(_details(title, name, tables) for name, title in titles.items())


def _automaton_tables(found: list[Dynamics]) -> str:
    machines = [each.automaton for each in found if each.automaton is not None]
    if not machines:
        return ""
    said = "".join(
        f"<li>network {net}: {escape(each.statement)}</li>" for net, each in enumerate(machines)
    )
    tables = [
        {"states": each.states(), "failing": each.failing.drop(columns="right")}
        for each in machines
    ]
    return (
        "<p>Levels of evidence: T0, from the centre of each state without noise; T1, from states "
        "of the same meaning after random histories, with the task's noise; T2, proved: the centre "
        "keeps the state's meaning for ever in silence, every rounding bounded. Held: watched step "
        f"by step to the end of the watch, in float64; no proof.</p><ul>{said}</ul>"
        + _details("How long each state holds", "states", tables)
        + _details("Transitions that fail (T0, or in a sample of T1)", "failing", tables)
    )


def _details(title: str, name: str, tables: list[dict[str, pd.DataFrame]]) -> str:
    """One table for all networks, folded; nothing where it would be empty."""
    parts = [t[name].assign(net=net) for net, t in enumerate(tables) if name in t and len(t[name])]
    if not parts:
        return ""
    whole = pd.concat(parts)
    whole = whole[["net", *(column for column in whole if column != "net")]]
    return f"<details><summary>{escape(title)}</summary>{_table(whole)}</details>"


def _settings(run: Run) -> str:
    rows: list[tuple[str, Any]] = [("seed", run.seed), ("networks", len(run.networks))]
    if run.source is not None:
        rows = [("file", run.source["file"]), ("SHA-256", run.source["sha256"])]
    for kind in ("task", "model", "rule"):
        described = run.config[kind]
        if described is None:
            continue
        rows.append((kind, described["name"]))
        rows += [(f"{kind}.{name}", value) for name, value in described["settings"].items()]
    rows += [("machine", f"{platform.system()} {platform.machine()}")]
    rows += list(package_versions().items())
    body = "".join(
        f"<tr><td>{escape(str(name))}</td><td>{escape(str(value))}</td></tr>"
        for name, value in rows
    )
    events = [
        f"<li>network {row['net']}: {event['what']} at step {event['step']} "
        f"(loss {event['loss']}): {event['action']}</li>"
        for row in run.status
        for event in row.get("events", [])
    ]
    notes = f"<p>Events:</p><ul>{''.join(events)}</ul>" if events else ""
    return f'{notes}<div class="scroll"><table class="settings">{body}</table></div>'


def _caption(results: Study, name: str) -> str:
    if name == "figure5_spectra" and results.spectra[0].of != "recurrent weights":
        return (
            "Eigenvalues of the Jacobian of one step at the state 0, without input, of each "
            "network: the model has no single square matrix of recurrent weights."
        )
    return CAPTIONS[name]


def _figure(name: str, image: bytes, caption: str) -> str:
    data = base64.b64encode(image).decode()
    caption = escape(caption)
    return (
        f'<figure><img alt="{caption}" src="data:image/svg+xml;base64,{data}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _table(table: pd.DataFrame) -> str:
    head = "".join(f"<th>{escape(HEADINGS.get(c, c))}</th>" for c in table.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{_cell(c, row[c])}</td>" for c in table.columns) + "</tr>"
        for row in table.to_dict("records")
    )
    return f'<div class="scroll"><table><tr>{head}</tr>{rows}</table></div>'


def _cell(column: str, value: Any) -> str:
    if column in PERCENTAGES:
        return f"{100 * value:.2f} %"
    if isinstance(value, float):
        return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e5 else f"{value:.3g}"
    return escape(str(value))


def _slug(title: str) -> str:
    return title.lower().replace(" ", "-")
