"""What stands for a run's task in a process that does not know it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import ConfigDict

from attractory._errors import InvalidSetting
from attractory._settings import as_json
from attractory.tasks._task import Task

# what only the task's own class can say; the usual answers of a task would be about another one
_OF_THE_TASK = (
    "trial", "batch", "sample", "probe", "correct", "chosen", "ideal_observer", "ideal", "chance",
    "conditions", "varied", "machine", "scored", "mask_with_spoiled", "network_settings",
    "rule_settings", "replace",
)  # fmt: skip


class UnknownTask(Task):
    """The task of a run whose class is not known in this process: its name and settings.

    The run has its networks, history and config; what needs trials raises one line that says what
    is missing. The settings are those that the run keeps, as attributes.
    """

    model_config = ConfigDict(extra="allow")

    _sizes: ClassVar[tuple[int, int]] = (0, 0)

    @staticmethod
    def named(name: str, settings: dict[str, Any], missing: str) -> UnknownTask:
        """The stand-in for a task.

        Parameters
        ----------
        name : str
            The name of the task.
        settings : dict
            Its settings, in JSON's terms or with their arrays.
        missing : str
            The line that is raised where the task itself is needed.

        Returns
        -------
        UnknownTask
            It is equal to another one of the same name and settings.
        """
        return _class_named(name, missing)(**settings)

    @property
    def n_inputs(self) -> int:
        return self._sizes[0]

    @property
    def n_outputs(self) -> int:
        return self._sizes[1]

    @property
    def n_steps(self) -> int:
        raise InvalidSetting(self.missing)

    def to_json(self) -> dict[str, Any]:
        """The settings as the run keeps them.

        Returns
        -------
        dict
            Values by the names of the settings.
        """
        return {**super().to_json(), **as_json(self.model_extra or {})}

    def __repr_args__(self) -> Any:
        yield None, self.name

    if not TYPE_CHECKING:  # or every name would be taken for a setting

        def __getattr__(self, name: str) -> Any:
            if not name.startswith("_") and name in (self.model_extra or {}):
                return self.model_extra[name]
            return super().__getattr__(name)


def sized(task: Task, n_inputs: int, n_outputs: int) -> Task:
    """The task; an unknown one then has the sizes that its run's networks have.

    Parameters
    ----------
    task : Task
        Any task.
    n_inputs, n_outputs : int
        Number of channels.

    Returns
    -------
    Task
        This one.
    """
    if isinstance(task, UnknownTask):
        vars(task)["_sizes"] = (n_inputs, n_outputs)  # no setting: two tasks do not differ by it
    return task


def _refused(name: str) -> Any:
    def refuse(self: UnknownTask, *_: Any, **__: Any) -> Any:
        raise InvalidSetting(self.missing)

    refuse.__name__ = name
    return refuse


for _name in _OF_THE_TASK:
    setattr(UnknownTask, _name, _refused(_name))


@lru_cache(maxsize=64)
def _class_named(name: str, missing: str) -> type[UnknownTask]:
    """One class for each name, as every task has: settings of two tasks are never equal."""

    class Named(UnknownTask):
        pass

    Named.__name__ = UnknownTask.__name__
    Named.name, Named.missing = name, missing
    return Named
