"""Task, model and rule by names and settings, as files, command lines and studies say them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, StrictStr

from attractory import models, rules, tasks
from attractory._errors import InvalidSetting, nearest, shown
from attractory._settings import Settings, as_json
from attractory.models import Constraints, Model
from attractory.rules import Rule
from attractory.tasks import Task
from attractory.training._recipe import CELLS, PROTOCOLS, cell_of, recipe, rule_for

MOST_PLACES = 8  # of a setting within settings; the deepest there is has two


def as_section(value: Any) -> Any:
    """What stands for a section: a bare word is its name, nothing is an empty one.

    Parameters
    ----------
    value : object
        A name, a dictionary, a Section or None.

    Returns
    -------
    dict or Section
        Keys and values.

    Raises
    ------
    ValueError
        For anything else; pydantic makes the line of it that names the field.
    """
    if value is None:
        return {}
    if isinstance(value, str):
        return {"name": value}
    if isinstance(value, (dict, Section)):
        return value
    raise ValueError("a name, or keys and values")


class Section(Settings):
    """A name, and settings that are checked by what has the name.

    Parameters
    ----------
    name : str, optional
        Of a task, a model or a rule; all else that is given are its settings.
    """

    model_config = ConfigDict(extra="allow")

    name: StrictStr | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """All but the name."""
        return dict(self.__pydantic_extra__ or {})

    def to_json(self) -> dict[str, Any]:
        """The name, and the settings.

        Returns
        -------
        dict
            Values by the names of the settings.
        """
        return {"name": self.name, **as_json(self.settings)}


AnySection = Annotated[Section, BeforeValidator(as_section)]


def named_parts(
    task: Task | Section, model: Model | Section, rule: Rule | Section
) -> tuple[Task, Model, Rule]:
    """Task, model and rule; what is not said is the task's recipe.

    Parameters
    ----------
    task : Task or Section
        A section has a name.
    model : Model or Section
        Of a cell, or without a name, the recipe's with these settings in it; else one in full.
    rule : Rule or Section
        Without a name the recipe's with these settings in it.

    Returns
    -------
    task : Task
        The task.
    model : Model
        The model.
    rule : Rule
        The rule.

    Raises
    ------
    InvalidSetting
        For an unknown name, naming the nearest one, and for settings that are not allowed.
    """
    if isinstance(task, Section):
        task = tasks.get(task.name or "", **task.settings)
    named = _rule(rule) if isinstance(rule, Section) else rule
    if isinstance(model, Section):
        model = _model(task, model, named)
    if named is None:
        named = rule_for(task, model)
        named = named.replace(**rule.settings) if isinstance(rule, Section) else named
    return task, model, named


def _model(task: Task, section: Section, rule: Rule | None) -> Model:
    """The recipe's model for the task, with these settings in it; or one that is named in full.

    Where a rule is named and no cell, the model is the one that is usual for that rule.
    """
    name, settings = section.name and cell_of(section.name), section.settings
    if name is not None and name not in CELLS:
        allowed = {each for each in models.names() if models.find(each).of_text}
        if name not in allowed:
            raise InvalidSetting(
                f"model.name = {shown(name)} is not allowed; {nearest(name, {*CELLS, *allowed})}"
            )
        return models.find(name)(**settings)
    constraints = settings.pop("constraints", None)
    if constraints is not None and not isinstance(constraints, (dict, Constraints)):
        raise InvalidSetting(
            f"model.constraints = {shown(constraints)} is not allowed: keys and values"
        )
    asked = Constraints(**constraints) if isinstance(constraints, dict) else constraints
    usual = recipe(task, name, asked).model
    if rule is not None and name is None and asked is None:
        usual = rule.usual_model(usual)
    return usual.replace(**settings)


def _rule(section: Section) -> Rule | None:
    """The rule that is named, with these settings; None: that of the recipe for task and model.

    Named are the protocols, and the registered rules, a user's own among them.
    """
    name = section.name or "default"
    if name == "default":
        return None
    if name in PROTOCOLS:
        return PROTOCOLS[name]().replace(**section.settings)
    if name not in rules.names():
        known = ["default", *PROTOCOLS, *rules.names()]
        raise InvalidSetting(f"rule.name = {shown(name)} is not allowed; {nearest(name, known)}")
    return rules.find(name)(**section.settings)


def put(values: dict[str, Any], key: str, value: Any) -> None:
    """Put a value at its place: rule.steps, or deeper, model.constraints.density.

    Parameters
    ----------
    values : dict
        Sections by name, changed in place. What stands there may be settings that are made
        already: they are replaced by others with the value.
    key : str
        The place, with dots.
    value : object
        The value.

    Raises
    ------
    InvalidSetting
        Where there is nothing that has settings.
    """
    first, *places = key.split(".")
    if len(places) > MOST_PLACES:
        raise InvalidSetting(f"{shown(key)} is not allowed: more than {MOST_PLACES} places")
    if not places:
        values[first] = value
        return
    found = values.get(first)
    try:
        given = found if isinstance(found, Settings) else as_section(found)
    except ValueError as error:
        raise InvalidSetting(f"{first} = {shown(found)} is not allowed: {error}") from None
    values[first] = _changed(given, places, value, key)


def _changed(given: Any, places: list[str], value: Any, key: str) -> Any:
    """The same settings, or keys and values, with one of them changed."""
    name, *deeper = places
    if given is None:
        given = {}
    if isinstance(given, Settings) and not isinstance(given, Section):
        # an unknown name is refused by the settings themselves, which name the nearest one
        inner = getattr(given, name) if deeper and name in given.setting_names() else None
        return given.replace(**{name: _changed(inner, deeper, value, key) if deeper else value})
    if not isinstance(given, (dict, Section)):
        place = key.split(".")[-len(places) - 1]
        raise InvalidSetting(
            f"{shown(key)} is not allowed: {place} = {shown(given)} has no settings in it"
        )
    made = {**given.settings, "name": given.name} if isinstance(given, Section) else dict(given)
    made[name] = _changed(made.get(name), deeper, value, key) if deeper else value
    return made
