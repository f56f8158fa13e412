"""Tables of numbers as Markdown, for the pages under docs/ that commands write."""

import pandas as pd


def table(frame: pd.DataFrame) -> str:
    """A Markdown table; columns of numbers are aligned to the right."""
    aligned = ("-:" if pd.api.types.is_numeric_dtype(frame[name]) else "-" for name in frame)
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
