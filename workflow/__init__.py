"""The stages of the workflow, one small `python -m workflow.STAGE` each.

Importing it makes this checkout's library, `shared/widenets`, the one that is imported.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "shared"))
