"""The list of faults still fits the sources. (`python -m workflow.sabotage` applies them.)"""

import pytest

from workflow.files import UserError
from workflow.sabotage import ROOT, Fault, faults, sabotaged, selected


@pytest.mark.parametrize("fault", faults(), ids=lambda fault: fault.name)
def test_every_fault_changes_its_file_in_one_place(fault):
    text = (ROOT / fault.file).read_text(encoding="utf-8")
    changed = sabotaged(text, fault)
    assert changed != text
    compile(changed, fault.file, "exec")


def test_names_are_unique():
    names = [fault.name for fault in faults()]
    assert len(set(names)) == len(names)


def test_a_fault_that_does_not_fit_is_named():
    with pytest.raises(UserError, match="x: old stands 2 times in"):
        sabotaged("a a", Fault("x", "", "f.py", "a", "b"))
    with pytest.raises(UserError, match="unknown fault 'nothing'"):
        selected(faults(), "nothing")
