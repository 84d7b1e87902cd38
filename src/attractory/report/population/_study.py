"""Everything that is measured on many networks: as tables, as files, with its names."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from attractory._files import as_path
from attractory._shown import Shown
from attractory.population import (
    Battery,
    Clusters,
    Distances,
    GroupDifferences,
    Learning,
    Measures,
    PopulationMap,
)
from attractory.report.population._portraits import Portrait
from attractory.report.population._saved import (
    save_battery,
    save_dataset,
    save_learning,
    save_tables,
)
from attractory.runs import Run

NO_CLUSTER = -1  # of a network that could not be compared


@dataclass(frozen=True, repr=False)
class PopulationStudy(Shown):
    """The results for many networks.

    Attributes
    ----------
    by : str
        What the groups are: "run" (as the networks were given), "rule" or "units".
    labels : tuple of str
        The networks' names.
    runs : dict of str to Run
        The runs that they are of, by name; those of a single run under "".
    measures : Measures
        One number a network.
    differences : GroupDifferences or None
        In what the groups differ; None where there are not two of at least two networks.
    distances : Distances
        One number a pair.
    map : PopulationMap
        Places that are as far apart as the networks.
    clusters : Clusters or None
        Whether there are several kinds of networks; None for fewer than four.
    portraits : tuple of Portrait
        Each network by itself.
    omitted : tuple of str
        What does not exist here, and why, in words.
    battery : Battery or None
        How robust the networks are; None where that was not asked for.
    learning : dict of str to Learning
        The measures at each kept step of training, by the name of the run; none: {}.
    """

    by: str
    labels: tuple[str, ...]
    runs: dict[str, Run]
    measures: Measures
    differences: GroupDifferences | None
    distances: Distances
    map: PopulationMap
    clusters: Clusters | None
    portraits: tuple[Portrait, ...]
    omitted: tuple[str, ...] = ()
    battery: Battery | None = None
    learning: dict[str, Learning] = field(default_factory=dict)

    def table(self) -> pd.DataFrame:
        """The networks as a table.

        Returns
        -------
        pandas.DataFrame
            A row a network: net (its name), group where there are groups, each measure, the median
            of its distances to the others, its cluster where there are several.
        """
        return _networks(self)

    def to_xarray(self) -> Any:
        """The measures, distances, places on the map and clusters with their names.

        Returns
        -------
        xarray.Dataset
            Measures (net), distance (net, other), place (net, axis), cluster (net); NaN, or the
            cluster -1, where a network could not be compared; the nulls (null_pair). Units are
            attributes. `battery` and `learning` have datasets of their own.
        """
        return _dataset(self)

    def save(self, folder: str | Path) -> None:
        """Write the tables as CSV, and all of it as NetCDF.

        NetCDF are `population.nc`, and where these were asked for `robustness.nc`, `learning.nc`.

        Parameters
        ----------
        folder : str or Path
            Where the files go.
        """
        folder = as_path(folder, "folder")
        save_tables(folder, _tables(self))
        save_dataset(folder / "population.nc", self.to_xarray())
        if self.battery is not None:
            save_battery(folder, self.battery)
        if self.learning:
            save_learning(folder, self.learning)


def _tables(study: PopulationStudy) -> dict[str, pd.DataFrame]:
    """The tables by the names of their files."""
    distances = study.distances
    tables = {
        "networks": _networks(study),
        "intervals": study.measures.intervals(),
        "distances": distances.table(),
        "distance_matrix": distances.frame().reset_index(),
        "nulls": _nulls(study),
        "map": study.map.table(),
        "measures": definitions(study),
    }
    if study.differences is not None:
        tables["differences"] = study.differences.table()
    if study.clusters is not None:
        tables["clusters"] = study.clusters.table()
    return tables


def _networks(study: PopulationStudy) -> pd.DataFrame:
    table = pd.DataFrame({"net": study.labels})
    if study.measures.group:
        table["group"] = study.measures.group
    for name in study.measures.names:
        table[name] = study.measures[name]
    table[f"median {study.distances.metric} distance"] = _of_all(study, _medians(study))
    if study.clusters is not None and study.clusters.count > 1:
        found = _of_all(study, study.clusters.members)
        table["cluster"] = ["" if np.isnan(each) else str(int(each)) for each in found]
    return table


def _medians(study: PopulationStudy) -> np.ndarray:
    """The median distance of each network that was compared to the others."""
    matrix = study.distances.matrix
    others = ~np.eye(len(matrix), dtype=bool)
    return np.median(matrix[others].reshape(len(matrix), -1), axis=1)


def _of_all(study: PopulationStudy, values: np.ndarray) -> np.ndarray:
    """Numbers of the networks that were compared, NaN for the others: (network, …)."""
    whole = np.full((len(study.labels), *values.shape[1:]), np.nan)
    whole[_compared(study)] = values
    return whole


def _compared(study: PopulationStudy) -> np.ndarray:
    """The networks that the distances are of: their indices among all."""
    known = set(study.distances.labels)
    return np.array([i for i, label in enumerate(study.labels) if label in known])


def _nulls(study: PopulationStudy) -> pd.DataFrame:
    rows = [(name, value) for name, all_ in study.distances.nulls.items() for value in all_]
    return pd.DataFrame(rows, columns=["null", "distance"])


def definitions(study: PopulationStudy) -> pd.DataFrame:
    """What the measures are, a row each: unit, what a larger number means, where it comes from."""
    measures = study.measures
    return pd.DataFrame(
        {
            "measure": measures.names,
            "unit": [measures.units[name] for name in measures.names],
            "larger": [measures.larger[name] for name in measures.names],
            "source": [measures.sources[name] for name in measures.names],
        }
    )


def _dataset(study: PopulationStudy) -> Any:
    """All that is one number a network, or one a pair, with names."""
    measures = study.measures.to_xarray()
    nets = {"net": measures["net"].values, "other": measures["net"].values}
    distances = study.distances.to_xarray().drop_vars("group", errors="ignore").reindex(nets)
    places = {"unit": study.distances.unit, "stress": study.map.stress}
    columns: dict[str, Any] = {
        "place": (("net", "axis"), _of_all(study, study.map.coordinates), places)
    }
    if study.clusters is not None:
        found = np.nan_to_num(_of_all(study, study.clusters.members), nan=NO_CLUSTER)
        columns["cluster"] = ("net", found.astype(int))
    return measures.merge(distances).assign(columns)
