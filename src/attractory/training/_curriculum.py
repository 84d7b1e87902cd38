"""Tasks that networks are trained on before the task itself, one stage after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, NamedTuple, Self

from pydantic import Field, field_validator, model_validator

from attractory._errors import InvalidSetting, shown
from attractory._settings import Settings
from attractory.tasks import Task, as_task, get

Updates = Annotated[int, Field(ge=1, strict=True)]
Level = Annotated[float, Field(gt=0, le=1, strict=True)]


class Stage(NamedTuple):
    """One task of a curriculum before the last.

    steps: updates after which a network leaves it at the latest. score: the share of correct trials
    with which it leaves it before; None: it does not.
    """

    task: Task
    steps: int
    score: float | None

    def to_json(self) -> dict[str, Any]:
        """What identifies it, for a run's configuration."""
        task = {"name": self.task.name, "settings": self.task.to_json()}
        return {"task": task, "steps": self.steps, "score": self.score}


class Curriculum(Settings):
    """Stages before the task: other tasks, or other values of one of the task's settings.

    A network is trained on the first stage, then on the next one, last on the task itself. Each
    network has its own pace. The updates of all stages are among those of the rule, whose schedule
    of the rate goes over all of them.

    Parameters
    ----------
    tasks : list
        The stages in order: tasks, names of tasks, or settings of the task that are other there
        ({"delay": 200}; with a "name" those of another task).
    vary : str
        A setting of the task that moves instead, one value a stage.
    values : list
        Its values in the stages; the task's own comes after them by itself.
    steps : int or list of int
        Updates after which a network leaves a stage at the latest; of a list each is of one stage.
    score : float or list of float, optional
        A network leaves a stage before that as soon as so large a share of fresh trials of the
        stage is answered correctly (`Task.correct`), from above 0 to 1; it is looked at every check
        of the rule. None: after `steps` updates.

    Raises
    ------
    InvalidSetting
        For a curriculum without stages, and where lists are not of one length.

    Notes
    -----
    All tasks have the same numbers of inputs and outputs and the same dt. A network that does not
    reach the score within `steps` goes on to the next stage, which its row in `Run.status` notes
    among its events. The row's "stages" say when each of them ended, and with what score.

    References
    ----------
    Elman (1993), Cognition 48:71; Bengio, Louradour, Collobert & Weston (2009), ICML.

    Examples
    --------
    ::

        curriculum = at.training.Curriculum(vary="delay", values=[200, 500], steps=300, score=0.9)
        run = at.train(task, curriculum=curriculum)
    """

    by_position: ClassVar[tuple[str, ...]] = ("tasks",)

    tasks: tuple[Any, ...] = ()
    vary: str | None = None
    values: tuple[Any, ...] = ()
    steps: Updates | tuple[Updates, ...]
    score: Level | tuple[Level | None, ...] | None = None

    @field_validator("tasks", "values", mode="before")
    @classmethod
    def _several(cls, given: Any) -> Any:
        if not isinstance(given, (list, tuple)):
            raise ValueError("a list, one a stage")
        return tuple(given)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if bool(self.tasks) == (self.vary is not None):
            raise ValueError(
                f"tasks = {shown(self.tasks)} and vary = {shown(self.vary)}: one of the two is "
                "needed, not both"
            )
        if (self.vary is not None) != bool(self.values):
            raise ValueError(
                f"vary = {shown(self.vary)} and values = {shown(self.values)} go together"
            )
        for name in ("steps", "score"):
            value = getattr(self, name)
            if isinstance(value, tuple) and len(value) != self._count:
                raise ValueError(
                    f"{name} = {shown(list(value))} is not allowed: one value, or "
                    f"{self._count} (one a stage)"
                )
        return self

    @property
    def _count(self) -> int:
        return len(self.tasks) or len(self.values)

    def stages(self, task: Task) -> tuple[Stage, ...]:
        """The stages before a task.

        Parameters
        ----------
        task : Task
            The task that the curriculum ends with.

        Returns
        -------
        tuple of Stage
            Task, steps and score of each.

        Raises
        ------
        InvalidSetting
            For a stage that is no task, and one whose inputs, outputs or dt are others.
        """
        tasks = self._tasks_before(task)
        for number, each in enumerate(tasks, 1):
            _check_alike(number, each, task)
        settings = (self._one_a_stage(name) for name in ("steps", "score"))
        return tuple(Stage(*each) for each in zip(tasks, *settings, strict=True))

    def _tasks_before(self, task: Task) -> list[Task]:
        if self.vary is not None:
            return [task.varied(self.vary, value) for value in self.values]
        return [_task_of(number, given, task) for number, given in enumerate(self.tasks, 1)]

    def _one_a_stage(self, name: str) -> Sequence[Any]:
        value = getattr(self, name)
        return value if isinstance(value, tuple) else [value] * self._count


def _task_of(number: int, given: Any, task: Task) -> Task:
    if not isinstance(given, dict):
        return as_task(f"curriculum: stage {number}", given)
    settings = dict(given)
    name = settings.pop("name", None)
    return task.replace(**settings) if name is None else get(name, **settings)


def _check_alike(number: int, stage: Task, task: Task) -> None:
    """InvalidSetting unless one network in steps of one length can do both."""
    found, needed = ((each.n_inputs, each.n_outputs, each.dt) for each in (stage, task))
    if found != needed:
        what = "n_inputs = {}, n_outputs = {}, dt = {:g}"
        raise InvalidSetting(
            f"curriculum: stage {number} ({stage.name}) has {what.format(*found)}; the task "
            f"({task.name}) has {what.format(*needed)}: they must be the same"
        )
