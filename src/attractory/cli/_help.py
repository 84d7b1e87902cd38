"""Help that lists what there is, made when it is asked for: no command waits for it."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand


class TrainCommand(TyperCommand):
    """`train`: its help ends with the names of all rules, losses and penalties."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        from attractory.cli._rules import names_in_words
        from attractory.runs import import_named

        for named in ctx.find_root().params.get("imports") or ():
            import_named(named)
        self.epilog = names_in_words()
        super().format_help(ctx, formatter)
