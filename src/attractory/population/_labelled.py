"""Networks by their names, for what users take away as xarray."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


def network_labels(groups: Sequence[str], nets: Iterable[int]) -> list[str]:
    """A short name for each network: its number, after that of its group where it has one.

    groups: of each network, "" without one; all of them may be left out. nets: indices there.
    """
    nets = list(nets)
    groups = list(groups) or [""] * len(nets)
    pairs = zip(groups, nets, strict=True)
    return [_label(group, net, groups.count(group) == 1) for group, net in pairs]


def _label(group: str, net: int, alone: bool) -> str:
    if not group:
        return str(net)
    return group if alone else f"{group} {net}"


def net_coordinates(labels: Sequence[str], groups: Sequence[str]) -> dict[str, Any]:
    """The coordinates of an axis of networks: net, and group where there are groups."""
    grouped = {"group": ("net", list(groups))} if any(groups) else {}
    return {"net": list(labels), **grouped}
