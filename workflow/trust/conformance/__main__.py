from workflow.host.terminal import exit_code
from workflow.trust.conformance.run import main

raise SystemExit(exit_code(main))
