"""The answer to a reader: diagnosis.json, a pure function of the checks and the table.

diagnosis         one of `replications.your_network.decide.DIAGNOSES`; null where it was not
                  asked, or nothing is judged
sentence          the answer in words, the first line of the report
stop_at           the step to stop at; null where training to the end does no harm
parameterization  what is wrong with it: {tensor, quantity, found, wanted, cause}
faults            the same in words, and what is wrong with a kernel
"""

import pandas as pd

from workflow.assemble import Outcome
from workflow.base.grid import Seeds
from workflow.base.modules import load
from workflow.base.records import read_table
from workflow.base.subject import STAND
from workflow.base.tree import Results

UNDECIDED = "undecided"


def answer(results: Results, outcome: Outcome, seeds: Seeds) -> dict:
    """What diagnosis.json says."""
    if outcome.problems:
        return _nothing(f"Incomplete: {'; '.join(outcome.problems)}.", UNDECIDED)
    if seeds.at_most:
        return _nothing(f"Reduced run, at most {seeds.at_most} seeds: nothing is judged.")
    return answered(outcome.checks, read_table(results.table(STAND)))


def answered(checks: pd.DataFrame, table: pd.DataFrame) -> dict:
    """checks: rows of checks.csv; table: all rows that were measured."""
    naming = load(STAND, "naming")
    decision = load(STAND, "decide").decided(checks, table)
    scaling, kernel = (_theory(table, part) for part in ("scaling", "kernel"))
    wrong = naming.parameterization(scaling) if len(scaling) else []
    faults = naming.sentences(wrong, scaling) if len(scaling) else []
    faults += naming.kernel_sentences(kernel) if len(kernel) else []
    said = [decision.sentence] if decision.sentence else []
    said += _on_tensors(wrong, scaling) + _on_kernel(kernel)
    return {
        "diagnosis": decision.diagnosis,
        "sentence": " ".join(said),
        "stop_at": decision.stop_at,
        "parameterization": wrong,
        "faults": faults,
    }


def _nothing(sentence: str, diagnosis: str | None = None) -> dict:
    return {
        "diagnosis": diagnosis,
        "sentence": sentence,
        "stop_at": None,
        "parameterization": [],
        "faults": [],
    }


def _theory(table: pd.DataFrame, part: str) -> pd.DataFrame:
    return table[(table["part"] == part) & (table["arm"] == "theory")]


def _on_tensors(wrong: list[dict], rows: pd.DataFrame) -> list[str]:
    if rows.empty:
        return []
    if not wrong:
        count = rows["tensor"].dropna().nunique()
        return [f"Parameterization: nothing wrong is seen in {count} tensors."]
    tensors = {entry["tensor"] for entry in wrong}
    causes = ", ".join(dict.fromkeys(entry["cause"] for entry in wrong))
    if tensors == {""}:
        return [f"Parameterization: {causes} of the whole network."]
    return [f"Parameterization: {causes} of {_few(sorted(filter(None, tensors)))}."]


def _few(names: list[str]) -> str:
    return ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")


def _on_kernel(rows: pd.DataFrame) -> list[str]:
    if rows.empty:
        return []
    wrong = rows[rows["ratio"] > 1]
    if wrong.empty:
        return ["Kernel: that of the architecture, to rounding."]
    named = _fault(wrong)
    of_size = f"{wrong['error'].max():.2g} of its size"
    return [f"Kernel: wrong by up to {of_size}{f' ({named})' if named else ''}."]


def _fault(wrong: pd.DataFrame) -> str:
    """The one fault that explains every wrong entry; empty where none does, or several."""
    found = set(wrong["fault"].fillna(""))
    return found.pop() if len(found) == 1 else ""
