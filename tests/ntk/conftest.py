"""Most of what these tests cost is compilation: it is done without optimising, a quarter cheaper.

Not where the digits or the memory of the program that users run are what is tested.
"""

import jax
import pytest

OPTIMISED = ("test_kernel_precision", "test_kernel_reference", "memory")


@pytest.fixture(autouse=True)
def cheap_compilation(request):
    cheap = not any(name in request.node.nodeid for name in OPTIMISED)
    jax.config.update("jax_disable_most_optimizations", cheap)
    yield
    jax.config.update("jax_disable_most_optimizations", False)
