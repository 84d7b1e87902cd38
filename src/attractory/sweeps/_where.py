"""Where the workers of a sweep are, as a study says it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field, StrictInt, StrictStr, model_validator

from attractory._settings import Settings


class Cluster(Settings):
    """Where the workers of a sweep are.

    Parameters
    ----------
    kind : str
        "local": processes on this machine; "dask": those of a scheduler that runs already, at
        `address`; "slurm", "sge", "pbs": jobs of a queue; "ssh": machines that are reached by it.
        What else is given are settings of dask-jobqueue's class for the queue (cores, memory,
        walltime, queue, account, …), or of Dask's SSHCluster (hosts, connect_options, …).
    workers : int, optional
        How many; by SSH on each machine. None: on this machine one a core, as many as fit into its
        memory; else 1.
    address : str, optional
        Of a scheduler, as "tcp://10.0.0.1:8786".

    Raises
    ------
    InvalidSetting
        For an unknown kind, and where an address is missing or of no use.
    """

    model_config = ConfigDict(extra="allow")

    kind: Literal["local", "dask", "slurm", "sge", "pbs", "ssh"] = "local"
    workers: StrictInt | None = Field(default=None, ge=1)
    address: StrictStr | None = None

    @model_validator(mode="after")
    def _address_where_needed(self) -> Cluster:
        if (self.kind == "dask") != (self.address is not None):
            raise ValueError("address and kind = 'dask' go together: neither without the other")
        if self.kind in ("local", "dask") and self.options:
            name = next(iter(self.options))
            raise ValueError(f"unknown setting {name!r} of kind = {self.kind!r}")
        return self

    @property
    def options(self) -> dict[str, Any]:
        """What the class of the queue is given besides."""
        return dict(self.__pydantic_extra__ or {})
