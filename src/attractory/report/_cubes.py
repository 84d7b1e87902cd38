"""The cube that memories make, as a row of a table and as a file."""

from __future__ import annotations

from typing import Any

from attractory.analysis import Hypercube


def cube_row(cube: Hypercube) -> dict[str, float]:
    """The numbers of a cube, for the row of its network."""
    shape = {f"cube_{name}": value for name, value in cube.summary().items()}
    return {**shape, "cube_separation": cube.separation}


def cube_json(cube: Hypercube) -> dict[str, Any]:
    """All that is known of a cube, for a file."""
    return {
        **cube.summary(),
        "separation": cube.separation,
        "names": cube.names,
        "centroids": cube.centroids.tolist(),
        "middle": cube.middle.tolist(),
        "edges": cube.edges.tolist(),
        "neighbours": [[cube.names[a], cube.names[b]] for a, b in cube.neighbours],
    }
