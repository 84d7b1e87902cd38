"""The 20 rules of the battery: what each shows, when, what it asks for; and a trial's plan by them.

Numbers as in `task.py` of github.com/gyyang/multitask (the 'random' mode, by which networks are
trained). There a batch shares its times and modalities; here every trial draws its own.
"""

from __future__ import annotations

from enum import IntEnum
from math import pi
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from attractory.tasks._epochs import Duration, OneOf

EPOCHS = ("fixation", "stimulus 1", "delay 1", "stimulus 2", "delay 2", "response")
RESPONSE, END = 5, 6  # limits of the epochs: the response begins, the trial ends
SLOTS = 12  # entries of the table for one duration: 1, 2, 3 or 4 values fill them evenly


class Shown(IntEnum):
    """What the stimuli are made of."""

    PLAIN = 0  # each in one modality, drawn at random, of strength 1
    MODALITY_1 = 1  # two strengths to be compared, in modality 1
    MODALITY_2 = 2
    EACH = 3  # two strengths in each modality, independent
    SPLIT = 4  # two strengths, each divided unevenly between the modalities


class Answer(IntEnum):
    """Where to respond."""

    TOWARDS = 0  # where stimulus 1 is
    AWAY = 1  # opposite to stimulus 1
    STRONGER = 2  # where the stronger stimulus is, in the modalities that count
    MATCH = 3  # where stimulus 2 is if it matches stimulus 1, else keep fixating
    NON_MATCH = 4


class Cue(IntEnum):
    """What tells that it is time to respond."""

    FIXATION = 0  # the fixation input goes off
    STIMULUS_1 = 1  # the onset of a stimulus; the fixation input stays on
    STIMULUS_2 = 2


class Rule(NamedTuple):
    """One rule.

    durations: of each epoch (ms). first, second: the limits of epochs at which a stimulus goes on
    and off (equal where there is none). apart: the least distance between the two (degrees).
    attended: whether modality 1, modality 2 count. categories: stimuli are in one of ten places,
    and match when both are above or both below 180°.
    """

    durations: tuple[Duration, ...]
    first: tuple[int, int]
    second: tuple[int, int] = (END, END)
    shown: Shown = Shown.PLAIN
    answer: Answer = Answer.TOWARDS
    cue: Cue = Cue.FIXATION
    apart: float = 0.0
    attended: tuple[float, float] = (1.0, 1.0)
    categories: bool = False

    @property
    def one_after_the_other(self) -> bool:
        """Whether stimulus 2 is shown after stimulus 1."""
        return self.second[0] == 3


_SOME, _DELAY = OneOf(values=(200, 400, 600)), OneOf(values=(200, 400, 800, 1600))

_fixed_delay = Rule(((300, 700), (500, 1500), 0, 0, 0, 500), first=(1, END))
_react = Rule(((500, 2500), 0, 0, 0, 0, 500), first=(1, END), cue=Cue.STIMULUS_1)
_delayed = Rule((OneOf(values=(300, 500, 700)), _SOME, _DELAY, 0, 0, 500), first=(1, 2))
_decide = Rule(
    ((100, 400), OneOf(values=(400, 800, 1600)), 0, 0, 0, 500),
    first=(1, 2),
    second=(1, 2),
    shown=Shown.MODALITY_1,
    answer=Answer.STRONGER,
    apart=90.0,
)
_decide_later = _decide._replace(
    durations=(_SOME, _SOME, _DELAY, _SOME, (100, 300), 500), second=(3, 4)
)
_match = Rule(
    (_SOME, _SOME, _DELAY, 0, 0, 500),
    first=(1, 2),
    second=(3, END),
    answer=Answer.MATCH,
    cue=Cue.STIMULUS_2,
    apart=20.0,
)
_match_category = _match._replace(
    durations=(_SOME, _SOME, _DELAY, 0, 0, _SOME), apart=0.0, categories=True
)


def _comparisons(rule: Rule) -> tuple[Rule, ...]:
    """Modality 1, modality 2; attending to 1, to 2; both together."""
    first, second = (1.0, 0.0), (0.0, 1.0)
    return (
        rule._replace(shown=Shown.MODALITY_1, attended=first),
        rule._replace(shown=Shown.MODALITY_2, attended=second),
        rule._replace(shown=Shown.EACH, attended=first),
        rule._replace(shown=Shown.EACH, attended=second),
        rule._replace(shown=Shown.SPLIT),
    )


_decisions = ("dm1", "dm2", "contextdm1", "contextdm2", "multidm")
_later = ("delaydm1", "delaydm2", "contextdelaydm1", "contextdelaydm2", "multidelaydm")

RULES: dict[str, Rule] = {  # in the order of the rule inputs
    "fdgo": _fixed_delay,
    "reactgo": _react,
    "delaygo": _delayed,
    "fdanti": _fixed_delay._replace(answer=Answer.AWAY),
    "reactanti": _react._replace(answer=Answer.AWAY),
    "delayanti": _delayed._replace(answer=Answer.AWAY),
    **dict(zip(_decisions, _comparisons(_decide), strict=True)),
    **dict(zip(_later, _comparisons(_decide_later), strict=True)),
    "dmsgo": _match,
    "dmsnogo": _match._replace(answer=Answer.NON_MATCH),
    "dmcgo": _match_category,
    "dmcnogo": _match_category._replace(answer=Answer.NON_MATCH),
}


class RuleTable(NamedTuple):
    """All rules as arrays, the rule on the first axis.

    steps (rule, epoch, slot) and spread (rule, epoch): an epoch lasts as many steps as one of its
    slots says, and uniformly 0 … spread more. limits (rule, stimulus, 2): of the epochs, where a
    stimulus goes on and off. fixation_off (rule,): the limit at which the fixation input does.
    """

    steps: np.ndarray
    spread: np.ndarray
    limits: np.ndarray
    fixation_off: np.ndarray
    shown: np.ndarray
    answer: np.ndarray
    cue: np.ndarray
    apart: np.ndarray
    attended: np.ndarray
    categories: np.ndarray
    one_after_the_other: np.ndarray


def rule_table(dt: float) -> RuleTable:
    """The rules in steps of dt."""
    rules = RULES.values()
    cues = np.array([rule.cue for rule in rules])
    return RuleTable(
        steps=_in_steps([[_slots(each) for each in rule.durations] for rule in rules], dt),
        spread=_in_steps([[_spread(each) for each in rule.durations] for rule in rules], dt),
        limits=np.array([[rule.first, rule.second] for rule in rules]),
        fixation_off=np.where(cues == Cue.FIXATION, RESPONSE, END),
        shown=np.array([rule.shown for rule in rules]),
        answer=np.array([rule.answer for rule in rules]),
        cue=cues,
        apart=np.radians([rule.apart for rule in rules]).astype(np.float32),
        attended=np.array([rule.attended for rule in rules], np.float32),
        categories=np.array([rule.categories for rule in rules]),
        one_after_the_other=np.array([rule.one_after_the_other for rule in rules]),
    )


def values_of(duration: Duration) -> tuple[float, ...]:
    """The values of a duration that is fixed or one of several; the shortest of a uniform one."""
    if isinstance(duration, OneOf):
        return duration.values
    return (duration[0],) if isinstance(duration, tuple) else (float(duration),)  # type: ignore[arg-type]


def _slots(duration: Duration) -> np.ndarray:
    values = values_of(duration)
    return np.repeat(values, SLOTS // len(values))


def _spread(duration: Duration) -> float:
    return duration[1] - duration[0] if isinstance(duration, tuple) else 0.0


def _in_steps(milliseconds: list, dt: float) -> np.ndarray:
    return np.round(np.array(milliseconds) / dt).astype(np.int32)


class Plan(NamedTuple):
    """All that is random in a trial but its noise.

    rule: its index. limits (epoch + 1,): the steps at which epochs begin and the last one ends.
    locations (stimulus,) in radians. strengths (stimulus, modality). difference of the strengths
    that count, NaN where they are not compared. response: its direction (radians), and whether
    there is one.
    """

    rule: jax.Array
    limits: jax.Array
    locations: jax.Array
    strengths: jax.Array
    difference: jax.Array
    response: jax.Array
    responds: jax.Array


def draw_plan(
    key: jax.Array,
    table: RuleTable,
    rules: np.ndarray,
    coherences: tuple[float, ...],
    delayed_coherences: tuple[float, ...],
) -> Plan:
    """The plan of a trial by one of these rules (their indices), each as likely."""
    # one draw for all that is random here: every call of the generator costs compile time
    chances = jax.random.uniform(key, (20,))
    table = jax.tree.map(jnp.asarray, table)
    rule = _one_of(chances[0], rules)
    locations, matches = _locations(table, rule, chances[1], chances[2:4])
    sizes = jnp.where(
        table.one_after_the_other[rule],
        _one_of(chances[4:6], delayed_coherences),
        _one_of(chances[4:6], coherences),
    )
    strengths = _strengths(table.shown[rule], sizes, chances[6:14].reshape(4, 2))
    counted = strengths @ table.attended[rule]
    first, second = locations
    stronger = jnp.where(counted[0] > counted[1], first, second)
    opposite = jnp.mod(first + pi, 2 * pi)
    answer = table.answer[rule]
    return Plan(
        rule=rule,
        limits=jnp.append(0, jnp.cumsum(_steps(table, rule, chances[14:]))),
        locations=locations,
        strengths=strengths,
        difference=jnp.where(answer == Answer.STRONGER, counted[0] - counted[1], jnp.nan),
        response=jnp.stack([first, opposite, stronger, second, second])[answer],
        responds=jnp.where(
            answer == Answer.MATCH, matches, (answer != Answer.NON_MATCH) | ~matches
        ),
    )


def _one_of(chance: jax.Array, values: object) -> jax.Array:
    """One of several values, each as likely."""
    listed = jnp.asarray(values)
    return listed[jnp.floor(chance * len(listed)).astype(int)]


def _steps(table: RuleTable, rule: jax.Array, chances: jax.Array) -> jax.Array:
    """The steps of each epoch."""
    slots = jnp.floor(chances * SLOTS).astype(int)
    drawn = table.steps[rule, jnp.arange(len(EPOCHS)), slots]
    return drawn + jnp.floor(chances * (table.spread[rule] + 1)).astype(int)


def _locations(
    table: RuleTable, rule: jax.Array, match: jax.Array, chances: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Where the two stimuli are, and whether they match."""
    places = pi * (0.1 + 0.2 * jnp.floor(10 * chances))
    matches = jnp.where(table.categories[rule], (places[0] < pi) == (places[1] < pi), match < 0.5)
    together = matches & (table.answer[rule] >= Answer.MATCH)
    least = table.apart[rule]
    first = 2 * pi * chances[0]
    away = jnp.where(together, 0.0, least + 2 * (pi - least) * chances[1])
    free = jnp.stack([first, jnp.mod(first + away, 2 * pi)])
    return jnp.where(table.categories[rule], places, free), matches


def _strengths(shown: jax.Array, sizes: jax.Array, chances: jax.Array) -> jax.Array:
    """(stimulus, modality), from the coherences of both modalities and chances (4, 2)."""
    means, signs, parts, sides = chances
    compared = (
        0.8 + 0.4 * means + jnp.array([[1.0], [-1.0]]) * jnp.where(signs < 0.5, -sizes, sizes)
    )
    part = (0.2 + 0.6 * parts) / 2 * jnp.where(sides < 0.5, -1.0, 1.0)  # of each stimulus
    kinds = [
        jnp.stack([sides < 0.5, sides >= 0.5], axis=1).astype(compared.dtype),
        compared * jnp.array([1.0, 0.0]),
        compared * jnp.array([0.0, 1.0]),
        compared,
        compared[:, :1] * (1 + jnp.stack([part, -part], axis=1)),
    ]
    return jnp.stack(kinds)[shown]
