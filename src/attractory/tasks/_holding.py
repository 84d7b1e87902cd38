"""How long a task asks to hold something, and the same task with more of it."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from attractory._arguments import positive, takes
from attractory._errors import InvalidSetting, shown
from attractory._settings import Settings


class HoldingFacts:
    """What a task says of the time over which something has to be held.

    Attributes
    ----------
    held : tuple of str
        The settings, all of them durations, that are to be longer for everything to be held longer.
    """

    held: ClassVar[tuple[str, ...]] = ()

    @takes(factor=positive)
    def held_longer(self, factor: float) -> Self:
        """The task in which what has to be held is held so many times as long.

        Parameters
        ----------
        factor : float
            1 is the task as it is.

        Returns
        -------
        Task
            The task with longer delays; the rest of what is asked is kept as it was.

        Raises
        ------
        InvalidSetting
            For a task that does not say what it asks to hold, and a time that it does not allow.
        """
        if not self.held:
            name = shown(getattr(self, "name", type(self).__name__))
            raise InvalidSetting(f"task {name} does not say which of its settings are `held`")
        longer = {name: _times(getattr(self, name), factor) for name in self.held}
        made: Self = self.replace(**longer)  # type: ignore[attr-defined]
        return made


def _times(duration: Any, factor: float) -> Any:
    """A duration, a range, or a distribution of durations; whole steps stay whole."""
    if isinstance(duration, tuple):
        return tuple(_times(each, factor) for each in duration)
    if isinstance(duration, Settings):
        fields = type(duration).model_fields
        return duration.replace(
            **{name: _times(getattr(duration, name), factor) for name in fields}
        )
    return round(duration * factor) if isinstance(duration, int) else duration * factor
