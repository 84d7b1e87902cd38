"""What may stand in the JSON of a run: one schema for each, checked before anything is used."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from attractory._errors import FileProblem

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Count = Annotated[int, Field(ge=0, lt=2**63)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Described(_Record):
    """A task, a model or a rule: its name, and its settings as their own class checks them."""

    name: Name
    settings: dict[str, Any]


class OwnFile(_Record):
    """A file of the user's own parts: its name, without a folder, and what it held."""

    name: Name
    sha256: Sha256


class Source(_Record):
    """Where an imported network came from."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, str | int | float | bool | None]

    file: str
    sha256: str


class CurriculumStage(_Record):
    """A task that networks were trained on before the task itself."""

    task: Described
    steps: int = Field(ge=1)
    score: float | None


class Config(_Record):
    """What identifies a run."""

    task: Described
    model: Described
    rule: Described | None
    nets: int = Field(ge=1)
    seed: int = Field(ge=0, lt=2**63)
    source: Source | None
    start: str | None = None
    curriculum: list[CurriculumStage] | None = None
    first: Count = 0


class Event(_Record):
    """Something that happened to a network; a loss that is not finite is text."""

    step: int
    loss: float | str
    what: str
    action: str


class Row(_Record):
    """How one network stands; whoever makes a run may say more."""

    model_config = ConfigDict(extra="allow")

    net: int
    seed: int | list[int] | None
    status: str
    step: int | None
    events: list[Event]


class Hardware(_Record):
    """Where it was made."""

    cpu: str
    devices: list[str]


class _Manifest(_Record):
    status: Literal["running", "finished"]
    config: Config
    networks: list[Row]
    versions: dict[str, str] = {}
    machine: Hardware | None = None

    @model_validator(mode="after")
    def _one_row_a_network(self) -> Any:
        if len(self.networks) != self.config.nets:
            raise ValueError(f"networks: {len(self.networks)} rows for {self.config.nets} networks")
        return self


class FirstManifest(_Manifest):
    """manifest.json of the first versions, without digests."""

    schema_: Literal[1] = Field(alias="schema")


class Manifest(_Manifest):
    """manifest.json: files by name with the SHA-256 of each; sha256 is that of all the rest."""

    schema_: Literal[2] = Field(alias="schema")
    files: dict[Name, Sha256]
    imports: list[OwnFile] = []
    sha256: Sha256


class LoopState(BaseModel):
    """The numbers of the training loop in a checkpoint; infinities and NaN are values, too.

    Parameters
    ----------
    step : int
        The number of updates so far.
    seconds : float
        How long they took (s).
    active : list of bool
        Whether each network is still trained.
    best_validation : list of float
        The lowest validation loss of each network so far; infinite where the rule does not stop
        early by it.
    checks_without_better : list of int
        The number of checks of each network since then.
    rows : list of Row
        How each network stands.
    watch : Watch
        The state of the divergence watch.
    kept : dict of str to str
        SHA-256 of the weights of checks, by their files.
    stage, updates : list of int
        With a curriculum: the index of each network's stage, and its updates there.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    class Watch(BaseModel):
        """Of the divergence watch."""

        model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

        silent_loss: float | list[float]
        recent: list[list[float]]
        best: list[float]

    step: int = Field(ge=0)
    seconds: float = Field(ge=0)
    active: list[bool]
    best_validation: list[float]
    checks_without_better: list[Count]
    rows: list[Row]
    watch: Watch
    kept: dict[Name, Sha256] = {}
    stage: list[Count] = []
    updates: list[Count] = []


def checked(schema: type[Any], content: Any, where: str, verdict: str = "damaged") -> Any:
    """Content checked by its schema.

    Parameters
    ----------
    schema : type
        A class of pydantic's.
    content : object
        What a file holds, as JSON's values.
    where : str
        The file, as the message names it.
    verdict : str
        What the message says of content that does not fit.

    Returns
    -------
    object
        The content, of the schema's class.

    Raises
    ------
    FileProblem
        It names the first thing that is wrong.
    """
    try:
        return schema.model_validate(content)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part)[:40] for part in problem["loc"]).replace("schema_", "schema")
    if problem["type"] == "missing":
        raise FileProblem(f"{where}: {verdict}: {place.rpartition('.')[2]!r} is missing")
    message = problem["msg"].removeprefix("Value error, ")
    raise FileProblem(f"{where}: {verdict}: {place + ': ' if place else ''}{message}")
