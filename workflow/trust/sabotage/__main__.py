from workflow.base.terminal import exit_code
from workflow.trust.sabotage.run import main

raise SystemExit(exit_code(main))
