"""Tables of numbers as Markdown, for the pages under docs/ that commands write."""

from collections.abc import Sequence

import pandas as pd


def table(frame: pd.DataFrame, right: Sequence[str] = ()) -> str:
    """A Markdown table; columns of numbers, and those named `right`, are aligned to the right."""
    numbers = (name in right or pd.api.types.is_numeric_dtype(frame[name]) for name in frame)
    aligned = ("-:" if number else "-" for number in numbers)
    lines = [f"| {' | '.join(map(str, frame.columns))} |", f"|{'|'.join(aligned)}|"]
    for row in frame.itertuples(index=False):
        lines.append(f"| {' | '.join(escaped(cell) for cell in row)} |")
    return "\n".join(lines) + "\n"


def escaped(cell: object) -> str:
    return str(cell).replace("|", "\\|")


def percent(share: float) -> str:
    """A rate with two significant digits; a rate of exactly 0 or 1 says so."""
    if share in (0, 1):
        return f"{share:.0%}"
    return f"{100 * share:.2g} %" if share < 0.995 else f"{100 * share:.4g} %"
