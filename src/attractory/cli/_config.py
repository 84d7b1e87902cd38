"""What `attractory train` is asked: a YAML file, flags, and single settings, each over the last."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StrictInt, StrictStr, field_validator

from attractory import tasks
from attractory._errors import InvalidSetting, nearest, shown
from attractory._settings import Settings
from attractory._yaml import read_file, read_value
from attractory.evaluation import axes_of_batteries
from attractory.models import Model
from attractory.rules import Rule
from attractory.runs import import_named
from attractory.training import AnySection, Curriculum, Section, named_parts, put

SECTIONS = ("task", "model", "rule")
LONGEST_NAME = 255  # bytes of a file's or folder's name, on every common file system


def _words(value: Any) -> Any:
    """A bare word is a list of one."""
    return (value,) if isinstance(value, str) else value


class TrainingConfig(Settings):
    """All that a file, flags and single settings may say about a training.

    task, model, rule: a name, or keys and values. curriculum: the settings of a `Curriculum`.
    nets: number of networks. out: folder of the run; None: runs/TASK. imports: Python files (a name
    begins at the YAML file's folder) and modules with parts of the user's own, which are run first.
    """

    task: AnySection = Field(default_factory=Section)
    model: AnySection = Field(default_factory=Section)
    rule: AnySection = Field(default_factory=Section)
    curriculum: dict[str, Any] | None = None
    nets: StrictInt = Field(default=1, ge=1)
    seed: StrictInt = Field(default=0, ge=0, lt=2**63)
    out: Path | None = None
    imports: Annotated[tuple[StrictStr, ...], BeforeValidator(_words)] = ()

    @field_validator("out", mode="before")
    @classmethod
    def _can_be_a_folder(cls, out: Any) -> Any:
        if out is None:
            return None
        text = str(out) if isinstance(out, (str, Path)) else ""
        if not text.strip() or not text.isprintable():
            raise ValueError("the name of a folder")
        if max(len(part.encode()) for part in Path(text).parts) > LONGEST_NAME:
            raise ValueError(f"names of at most {LONGEST_NAME} letters")
        return Path(text)


@dataclass(frozen=True)
class Asked:
    """The arguments of a training."""

    task: tasks.Task
    model: Model
    rule: Rule
    nets: int
    seed: int
    out: Path
    curriculum: Curriculum | None


def read_config(file: Path | None, flags: dict[str, Any], settings: list[str]) -> Asked:
    """Flags win over the file, single settings win over both.

    flags: by key, or by the setting that they stand for ("model.units"); None where not given.

    Raises InvalidSetting for an unknown key (naming the nearest one) or a wrong value, FileProblem
    when the file cannot be read as YAML.
    """
    values = {} if file is None else read_file(file)
    for key, value in flags.items():
        if value is not None:
            put(values, key, value)
    for setting in settings:
        put(values, *_parsed(setting))
    # a key with nothing behind it is not given
    config = TrainingConfig(**{key: v for key, v in values.items() if v is not None})
    for named in config.imports:
        import_named(named, file and file.parent, f"{file}: imports:")
    return _asked(config)


def task_settings(settings: list[str]) -> dict[str, Any]:
    """Settings of a task, task.KEY=VALUE each."""
    values: dict[str, Any] = {}
    for setting in settings:
        put(values, *_parsed(setting, ("task",)))
    found: dict[str, Any] = values.get("task", {})
    return found


def said_settings(settings: list[str]) -> dict[str, Any]:
    """What is said of a file that is read, KEY=VALUE each."""
    values = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        # the file itself, and its format, have places of their own on the command line
        if not equals or not key.isidentifier() or key in ("path", "format", "task"):
            raise InvalidSetting(f"--say {shown(setting)} is not allowed: KEY=VALUE, as tau=100")
        values[key] = read_value(f"--say {shown(key, 40)}", text)
    return values


def parsed_values(text: str | None, vary: str, task: tasks.Task) -> list[Any]:
    """The values of a robustness curve, from '0,0.1,0.2' or the task's own."""
    if text is None:
        own = axes_of_batteries(task)
        if vary not in own:
            raise InvalidSetting(
                f"--values is needed for --vary {vary}; there are usual values for {', '.join(own)}"
            )
        return list(own[vary])
    return listed_values("--values", text)


def listed_values(option: str, text: str) -> list[Any]:
    """Values with commas between, as an option of this name has them."""
    try:
        values = read_value(option, f"[{text}]")
    except InvalidSetting:
        values = None
    if not isinstance(values, list) or not values or None in values:
        raise InvalidSetting(
            f"{option} {shown(text)} is not allowed: values with commas between, such as 0,0.1 or "
            "[200, 400], [400, 800]"
        )
    return values


def _asked(config: TrainingConfig) -> Asked:
    if config.task.name is None:
        raise InvalidSetting(
            "no task is given; use --task NAME or 'task:' in the file; "
            "`attractory tasks` lists what is allowed"
        )
    task, model, rule = named_parts(config.task, config.model, config.rule)
    return Asked(
        task=task,
        model=model,
        rule=rule,
        nets=config.nets,
        seed=config.seed,
        out=config.out or Path("runs") / config.task.name,
        curriculum=None if config.curriculum is None else Curriculum(**config.curriculum),
    )


def _parsed(setting: str, sections: tuple[str, ...] = SECTIONS) -> tuple[str, Any]:
    """One KEY=VALUE, such as rule.steps=300."""
    key, equals, text = setting.partition("=")
    if not equals or not all(key.split(".")) or "." not in key:
        form = "SECTION.KEY=VALUE, as rule.steps=300"
        if sections == ("task",):
            form = f"task.KEY=VALUE, as task.{setting}" if equals else "task.KEY=VALUE"
        raise InvalidSetting(f"--set {shown(setting)} is not allowed: {form}")
    if key.split(".")[0] not in sections:
        raise InvalidSetting(
            f"{shown(key)}: unknown section; {nearest(key.split('.')[0], sections)}"
        )
    return key, read_value(f"--set {shown(key, 40)}", text)
