"""Figures of the page that turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

if TYPE_CHECKING:
    from attractory.report._study import Study


def in_three_dimensions(study: Study) -> bool:
    """Whether the state spaces of a study can be seen in three dimensions."""
    return bool(study.spaces) and study.spaces[0].coordinates.shape[-1] >= 3


def turned(drawing: Any, name: str, caption: str) -> dict[str, Any]:
    """A plotly figure as the piece of page that plotly makes of it; name: of its element."""
    body = drawing.to_html(
        full_html=False,
        include_plotlyjs=False,
        div_id=name,
        config={"displaylogo": False, "responsive": True},
    )
    # plotly writes <, > and / as escapes in the data, so that no text there can end the script
    return {"body": Markup(body), "caption": caption}
