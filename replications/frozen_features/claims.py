"""What is said of networks, and whether it survives freezing their features.

`CAPABILITIES`: what a network can do; `LEARNING`: from how much it learns, and how. Sources are as
usually cited, the texts were not at hand; what none of them says is "ours".
"""

from replications.frozen_features.capability_claims import CAPABILITIES
from replications.frozen_features.learning_claims import LEARNING

CLAIMS = [*CAPABILITIES, *LEARNING]
