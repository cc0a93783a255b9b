"""Tables as Markdown."""

from collections.abc import Iterable, Sequence


def table(names: Sequence[object], rows: Iterable[Iterable[object]]) -> str:
    r"""Write a table; white space in a cell becomes one space, `|` becomes `\|`.

    Args:
        names: of the columns.
        rows: cells, one for each column.

    Returns:
        Lines without a line break behind the last.
    """
    head = [_line(names), "|" + "---|" * len(names)]
    return "\n".join([*head, *map(_line, rows)])


def _line(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(content: object) -> str:
    return " ".join(str(content).split()).replace("|", r"\|")
