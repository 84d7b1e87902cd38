"""What the trainings of a study have in common, whether it varies them or tunes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import BeforeValidator, Field, StrictInt, StrictStr, field_validator

from attractory._errors import InvalidSetting
from attractory._files import as_path
from attractory._settings import Settings
from attractory._yaml import read_file
from attractory.models import Model
from attractory.rules import Rule
from attractory.runs import import_named
from attractory.sweeps._where import Cluster
from attractory.tasks import Task
from attractory.training import Section, as_section

OF_A_POINT = ("task", "model", "rule", "nets", "seed")  # what a training is made of


def _as_part(kind: type) -> Any:
    """What stands for a task, a model or a rule: one that is made already, or a section."""

    def meant(value: Any) -> Any:
        if isinstance(value, kind):
            return value
        section = as_section(value)
        return section if isinstance(section, Section) else Section(**section)

    return BeforeValidator(meant)


def _words(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class Scoring(Settings):
    """How the networks of each run are scored once they are trained.

    Parameters
    ----------
    trials : int
        Fresh trials of the point's own task for `at.evaluate`; 0: no scores.
    seed : int
        Of the trials, and of what is measured.
    measures : list of str
        Measures of `at.population.measure`, beside the scores.
    """

    trials: StrictInt = Field(default=256, ge=0)
    seed: StrictInt = Field(default=1, ge=0)
    measures: Annotated[tuple[StrictStr, ...], BeforeValidator(_words)] = ()


class Common(Settings):
    """What trainings have in common, how they are scored, and where they run.

    Parameters
    ----------
    task : Task, str or dict
        What the networks learn: a task, its name, or a name with settings.
    model, rule : Model or Rule, str or dict, optional
        What the networks are, and how they learn; what is not said is the task's recipe.
    nets : int
        Number of networks of each run.
    seed : int
        What all random numbers of a run follow from.
    scoring : Scoring or dict
        How networks are scored once they are trained.
    imports : list of str
        Python files and modules with parts of your own, which workers run first.
    cluster : Cluster or dict, optional
        Where the workers are.
    """

    # a key that a study for another command has, and what is then said
    of_another: ClassVar[tuple[str, str]]

    task: Annotated[Any, _as_part(Task)]
    model: Annotated[Any, _as_part(Model)] = None
    rule: Annotated[Any, _as_part(Rule)] = None
    nets: StrictInt = Field(default=1, ge=1)
    seed: StrictInt = Field(default=0, ge=0, lt=2**63)
    scoring: Scoring = Field(default_factory=Scoring)
    imports: Annotated[tuple[StrictStr, ...], BeforeValidator(_words)] = ()
    cluster: Cluster | None = None

    @field_validator("imports")
    @classmethod
    def _by_whole_paths(cls, imports: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_placed(named, Path()) for named in imports)

    @field_validator("task")
    @classmethod
    def _with_a_name(cls, task: Any) -> Any:
        if isinstance(task, Section) and task.name is None:
            raise ValueError("a task, its name, or a name with settings")
        return task

    @classmethod
    def read(cls, file: Path) -> Self:
        """A study from a YAML file: keys and values as they are given here.

        Parameters
        ----------
        file : Path
            The file. Names of Python files among its `imports` begin at its folder.

        Returns
        -------
        Study or TuningStudy
            The study; what it imports is imported.

        Raises
        ------
        FileProblem
            When the file cannot be read as YAML.
        InvalidSetting
            For what is no study, and for one of another command.
        """
        given = {key: value for key, value in read_file(file).items() if value is not None}
        key, said = cls.of_another
        if key in given:
            raise InvalidSetting(f"{file}: this study {said}")
        imports = [str(named) for named in _words(given.get("imports", ()))]
        for named in imports:
            import_named(named, file.parent, f"{file}: imports:")
        given["imports"] = [_placed(named, file.parent) for named in imports]
        try:
            return cls(**given)
        except InvalidSetting as error:
            raise InvalidSetting(f"{file}: {error}") from None


def _placed(named: str, folder: Path) -> str:
    """A file by its whole path, for workers that stand elsewhere; a module by its name."""
    is_file = named.endswith(".py") or len(Path(named).parts) != 1
    return str((folder / named).absolute()) if is_file else named


Kind = TypeVar("Kind", bound=Common)


def as_study_of(kind: type[Kind]) -> Callable[[str, Any], Kind]:
    """For `takes`: a study of this kind, keys and values of one, or the file of one."""

    def meant(name: str, value: Any) -> Kind:
        if isinstance(value, kind):
            return value
        return kind(**value) if isinstance(value, dict) else kind.read(as_path(value, name))

    return meant
