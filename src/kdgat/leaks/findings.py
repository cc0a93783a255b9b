"""What a check found: one figure, to be compared with one limit."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One line of the leak report.

    Attributes:
        check: name of the check, which has a limit; empty for a figure given as information.
        measured: what the figure says.
        figure: higher = more of it; None where the data do not define it.
        note: behind the figure: counts, the worst capture, or why there is none.
    """

    check: str
    measured: str
    figure: float | None
    note: str
