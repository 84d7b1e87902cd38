"""The results of many networks as tables, and as an xarray.Dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from attractory.report.population._study import PopulationStudy

NO_CLUSTER = -1  # of a network that could not be compared


def tables_of(study: PopulationStudy) -> dict[str, pd.DataFrame]:
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
    table[f"median {study.distances.metric} distance"] = of_all(study, _medians(study))
    if study.clusters is not None and study.clusters.count > 1:
        found = of_all(study, study.clusters.members)
        table["cluster"] = ["" if np.isnan(each) else str(int(each)) for each in found]
    return table


def _medians(study: PopulationStudy) -> np.ndarray:
    """The median distance of each network that was compared to the others."""
    matrix = study.distances.matrix
    others = ~np.eye(len(matrix), dtype=bool)
    return np.median(matrix[others].reshape(len(matrix), -1), axis=1)


def of_all(study: PopulationStudy, values: np.ndarray) -> np.ndarray:
    """Numbers of the networks that were compared, NaN for the others: (network, …)."""
    whole = np.full((len(study.labels), *values.shape[1:]), np.nan)
    whole[compared(study)] = values
    return whole


def compared(study: PopulationStudy) -> np.ndarray:
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


def dataset(study: PopulationStudy) -> Any:
    """All that is one number a network, or one a pair, with names."""
    import xarray

    measures, distances = study.measures, study.distances
    about = definitions(study).set_index("measure").to_dict("index")
    columns: dict[str, Any] = {
        name: ("net", measures[name], about[name]) for name in measures.names
    }
    between = of_all(study, of_all(study, distances.matrix).T)
    of_distance = {"metric": distances.metric, "unit": distances.unit, "source": distances.source}
    columns["distance"] = (("net", "other"), between, of_distance)
    places = {"unit": distances.unit, "stress": study.map.stress}
    columns["place"] = (("net", "axis"), of_all(study, study.map.coordinates), places)
    if study.clusters is not None:
        found = np.nan_to_num(of_all(study, study.clusters.members), nan=NO_CLUSTER)
        columns["cluster"] = ("net", found.astype(int))
    labels = list(study.labels)
    coordinates: dict[str, Any] = {"net": labels, "other": labels}
    if measures.group:
        coordinates["group"] = ("net", list(measures.group))
    return xarray.Dataset(columns, coordinates)
