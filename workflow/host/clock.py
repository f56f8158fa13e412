"""How much of a measuring job is compilation."""

import sys
from collections.abc import Callable

COMPILING = ("jaxpr_to_mlir_module_duration", "backend_compile_duration")


def compile_clock() -> Callable[[], float]:
    """Start counting; the result says how many seconds XLA has compiled since (0 without jax).

    Python's tracing of the functions is not in it: jax reports it for nested functions twice.
    """
    spent = [0.0]
    jax = sys.modules.get("jax")
    if jax is not None:

        def heard(event: str, seconds: float, **_: object) -> None:
            if event.endswith(COMPILING):
                spent[0] += seconds

        jax.monitoring.register_event_duration_secs_listener(heard)
    return lambda: spent[0]
