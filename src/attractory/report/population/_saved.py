"""Results of populations as files that others can read: CSV and NetCDF."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from attractory._files import write_bytes, write_text
from attractory.population import Battery, Learning, PointsThroughLearning


def save_tables(folder: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Tables by the names of their files."""
    for name, table in tables.items():
        write_text(folder / f"{name}.csv", table.to_csv(index=False))


def save_dataset(path: Path, dataset: Any) -> None:
    """An xarray.Dataset as NetCDF."""
    write_bytes(path, bytes(dataset.to_netcdf(engine="scipy")))


def save_battery(folder: Path, battery: Battery) -> None:
    """Scores, their means, the thresholds of networks and of groups; all as NetCDF, too."""
    tables = {
        "robustness": battery.table(),
        "robustness_means": battery.means(),
        "robustness_crossings": battery.crossings(),
        "robustness_thresholds": battery.thresholds(),
    }
    save_tables(folder, tables)
    save_dataset(folder / "robustness.nc", battery.to_xarray())


def save_learning(folder: Path, learning: Mapping[str, Learning]) -> None:
    """The measures at each step, of runs by name ("": of one run alone); all as NetCDF, too."""
    tables = [_of_run(each.table(), name) for name, each in learning.items()]
    save_tables(folder, {"learning": pd.concat(tables, ignore_index=True)})
    save_dataset(folder / "learning.nc", _dataset(learning))


def save_points(folder: Path, points: PointsThroughLearning) -> None:
    """What becomes of fixed points from each step to the next, and of each of them."""
    tables = {"fixed_points": points.table(), "fixed_points_fates": points.fates_table()}
    save_tables(folder, tables)


def _of_run(table: pd.DataFrame, name: str) -> pd.DataFrame:
    if name:
        table.insert(0, "run", name)
    return table


def _dataset(learning: Mapping[str, Learning]) -> Any:
    """Of several runs (run, step, net): NaN at steps and of networks that a run does not have."""
    import xarray

    datasets = [each.to_xarray() for each in learning.values()]
    if len(datasets) == 1:
        return datasets[0]
    runs = pd.Index(list(learning), name="run")
    return xarray.concat(
        datasets, runs, data_vars="all", coords="minimal", compat="override", join="outer"
    )
