"""One thread and double precision for every test, set before jax or numpy are imported.

These are the settings under which the jobs of the workflow run (`workflow/base/environment.py`).
What one test has compiled, others of the same process take from a folder that ends with it: jax
knows a program by its text, by the options and by the version, so that it is the same program. Jobs
that tests start, and other workers, have no part in it.
"""

import atexit
import tempfile

from workflow.base.environment import use_one_thread

use_one_thread()

import jax  # noqa: E402  after the settings

COMPILED = tempfile.TemporaryDirectory(prefix="compiled-")
atexit.register(COMPILED.cleanup)  # by itself it would go with a warning, which is an error here
jax.config.update("jax_compilation_cache_dir", COMPILED.name)
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
