from workflow.base.terminal import exit_code
from workflow.trust.bad_inputs.run import main

raise SystemExit(exit_code(main))
