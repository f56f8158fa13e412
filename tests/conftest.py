"""One thread and double precision for every test, set before jax or numpy are imported.

These are the settings under which the jobs of the workflow run (`workflow/base/environment.py`).
"""

from workflow.base.environment import use_one_thread

use_one_thread()
