"""What stands in each section of the page, as data for its template."""

from __future__ import annotations

import base64
import platform
from collections.abc import Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from attractory import figures
from attractory._errors import one_line
from attractory.report._captions import CAPTIONS, SECTIONS
from attractory.report._dynamics import Dynamics
from attractory.report._study import Study, cube_row
from attractory.report._tables import Table, columns, joined, table
from attractory.runs import Run, package_versions

Section = dict[str, Any]
POINT_TABLES = {
    "fixed_points": "Every fixed point",
    "connections": "What each saddle leads to",
    "oscillations": "Attractors that move",
    "slow_points": "Slow points (minima of the speed that are no zeros)",
    "driven_points": "Fixed points under input",
    "folds": "Where states vanish under growing input",
    "modes": "Slowest modes of the stable points, and what each takes in from the inputs",
    "disturbances": "Smallest disturbances found that leave a stable point",
}
MACHINE_TABLES = {
    "states": "How long each state holds",
    "failing": "Transitions that fail (T0, or in a sample of T1)",
}


def sections(results: Study, images: Mapping[str, bytes]) -> list[Section]:
    """Every section that has something to show, with its title, its slug and its template.

    images: the figures by name, as SVG.
    """
    made = {"Scores": _scores(results)}
    for title, names in SECTIONS.items():
        drawn = [_image(name, images[name], results) for name in names if name in images]
        content = _content(title, results, drawn)
        if content is not None:
            made[title] = {"images": drawn, **content}
    made["What was run"] = _settings(results.run)
    return [{"title": t, "slug": t.lower().replace(" ", "-"), **made[t]} for t in made]


def _content(title: str, results: Study, drawn: list[dict[str, str]]) -> Section | None:
    """What a section has beside its figures; None where there is no such section."""
    if title == "Weights":
        return _weights(results)
    if title == "State space":
        return _state_space(results)
    if title == "Fixed points" and results.dynamics is not None:
        return _fixed_points(results, results.dynamics)
    if title == "Automaton" and results.dynamics is not None:
        return _automaton(results.dynamics)
    choices = results.choices if title == "Choices" else None
    shown = None if choices is None else table(choices.table())
    return {"template": "figures.html", "table": shown} if drawn or shown else None


def _scores(results: Study) -> Section:
    networks = results.network_table()
    facts = [("median MSE", f"{networks['mse'].median():.4f}")]
    if networks["correct"].notna().any():
        facts.append(("trials correct, median", f"{100 * networks['correct'].median():.1f} %"))
    facts += [
        ("median sign accuracy", f"{100 * networks['accuracy'].median():.2f} %"),
        ("eigenvalues near the circle", f"{100 * networks['spectrum_on_circle'].median():.0f} %"),
    ]
    if "cube_r_squared" in networks:
        facts.append(("cube R², median", f"{networks['cube_r_squared'].median():.3f}"))
        apart = networks["cube_separation"].median()
        facts.append(("memories held apart, median", f"{100 * apart:.0f} %"))
    return {
        "template": "scores.html",
        "facts": facts,
        "n": results.scores.n,
        "last_step_beside": results.scores_with_last_step is not None,
        "networks": table(columns(networks, "mse", "distance", "accuracy", "correct")),
        "channels": table(results.scores.table()),
        "by_condition": [(name, table(each)) for name, each in results.by_condition.items()],
    }


def _weights(results: Study) -> Section:
    """Numbers of the spectra and of the connectivity."""
    sentences = list(results.omitted)
    folded: list[tuple[str, Table]] = []
    if results.connectivity:
        connectivity = pd.DataFrame([c.summary() for c in results.connectivity])
        connectivity.insert(0, "net", range(len(connectivity)))
        folded.append(("Connectivity statistics", table(connectivity)))
    if results.audit is not None:
        sentences.append(results.audit.statement)
        folded.append(("Audit of the weights", table(results.audit.table())))
    return {
        "template": "weights.html",
        "sentences": sentences,
        "spectra": table(columns(results.network_table(), "spectrum")),
        "folded": folded,
    }


def _state_space(results: Study) -> Section:
    """How much the leading components hold, and whether the memories make a cube."""
    rows, pairs = [], []
    for net, spaces in enumerate(zip(results.spaces, results.principal_spaces, strict=True)):
        row: dict[str, Any] = {"net": net}
        for space in spaces:
            for i, share in enumerate(space.explained_variance, start=1):
                row[f"{space.method.upper()} {i}"] = f"{100 * share:.1f} %"
        if results.cubes is not None:
            cube = results.cubes[net]
            row |= cube_row(cube)
            named = [f"{cube.names[a]} / {cube.names[b]}" for a, b in cube.neighbours]
            pairs.append({"net": net, "neighbours": ", ".join(named)})
        rows.append(row)
    if results.untrained_cube is not None:
        nothing = dict.fromkeys(rows[0], "–")
        rows.append({**nothing, "net": "untrained", **cube_row(results.untrained_cube)})
    turning = None
    if _in_three_dimensions(results):
        turning = _turned(
            figures.state_space_3d(results.spaces, results.cubes),
            "turn",
            "The state space to turn (drag), zoom (wheel) and read (hover).",
        )
    return {
        "template": "state_space.html",
        "turning": turning,
        "components": table(pd.DataFrame(rows)),
        "cube": results.cubes is not None,
        "folded": [("Neighbours among the memories", table(pd.DataFrame(pairs)))] if pairs else [],
    }


def _fixed_points(results: Study, found: list[Dynamics]) -> Section:
    """Per network: the numbers, in words what is known of the list, and all of it in tables."""
    joints = [each.connections for each in found if each.connections is not None]
    turning = None
    if len(joints) == len(found) and _in_three_dimensions(results):
        drawing = figures.fixed_points_3d([each.points for each in found], results.spaces, joints)
        turning = _turned(drawing, "turn-points", "The fixed points to turn, zoom and read.")
    return {
        "template": "fixed_points.html",
        "networks": table(columns(results.network_table(), "points")),
        "said": [(net, each.points.statement) for net, each in enumerate(found)],
        "turning": turning,
        "folded": _folded(POINT_TABLES, [each.tables() for each in found]),
    }


def _automaton(found: list[Dynamics]) -> Section | None:
    machines = [each.automaton for each in found if each.automaton is not None]
    if not machines:
        return None
    tables = [
        {"states": each.states(), "failing": each.failing.drop(columns="correct")}
        for each in machines
    ]
    return {
        "template": "automaton.html",
        "said": [(net, each.statement) for net, each in enumerate(machines)],
        "folded": _folded(MACHINE_TABLES, tables),
    }


def _settings(run: Run) -> Section:
    """All that was asked, on what it ran, and what happened on the way."""
    rows: list[tuple[str, Any]] = [("seed", run.seed), ("networks", len(run.networks))]
    if run.source is not None:
        rows = [("file", of_source(run, "file")), ("SHA-256", of_source(run, "sha256"))]
    for kind in ("task", "model", "rule"):
        described = run.config[kind]
        if described is None:
            continue
        rows.append((kind, described["name"]))
        rows += [(f"{kind}.{name}", value) for name, value in described["settings"].items()]
    rows += [("machine", f"{platform.system()} {platform.machine()}")]
    rows += list(package_versions().items())
    return {"template": "settings.html", "rows": rows, "events": _events(run)}


def _events(run: Run) -> list[str]:
    """A sentence an event; what is no event of ours is shown as it is."""
    said = []
    for net, row in enumerate(run.status):
        events = row.get("events") or []
        for event in events if isinstance(events, list) else [events]:
            told = str(event)
            if isinstance(event, dict):
                known = {**dict.fromkeys(("what", "step", "loss", "action"), "?"), **event}
                told = "{what} at step {step} (loss {loss}): {action}".format_map(known)
            said.append(one_line(f"network {row.get('net', net)}: {told}"))
    return said


def of_source(run: Run, key: str) -> str:
    """One thing that is known of where imported networks come from."""
    source = run.source
    return one_line(str(source.get(key, "unknown") if isinstance(source, dict) else source))


def _folded(
    titles: Mapping[str, str], tables: list[dict[str, pd.DataFrame]]
) -> list[tuple[str, Table]]:
    """Those of the tables that are not empty, each for all networks."""
    whole = {title: joined(name, tables) for name, title in titles.items()}
    return [(title, table(frame)) for title, frame in whole.items() if frame is not None]


def _in_three_dimensions(results: Study) -> bool:
    return results.spaces[0].coordinates.shape[-1] >= 3


def _turned(drawing: Any, name: str, caption: str) -> dict[str, Any]:
    """A plotly figure as the piece of page that plotly makes of it."""
    body = drawing.to_html(
        full_html=False,
        include_plotlyjs=False,
        div_id=name,
        config={"displaylogo": False, "responsive": True},
    )
    # plotly writes <, > and / as escapes in the data, so that no text there can end the script
    return {"body": Markup(body), "caption": caption}


def _image(name: str, svg: bytes, results: Study) -> dict[str, str]:
    caption = CAPTIONS[name]
    if name == "figure5_spectra" and results.spectra[0].of != "recurrent weights":
        caption = (
            "Eigenvalues of the Jacobian of one step at the state 0, without input, of each "
            "network: the model has no single square matrix of recurrent weights."
        )
    return {"caption": caption, "data": base64.b64encode(svg).decode()}
