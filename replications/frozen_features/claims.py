"""What is said of networks, and whether it survives freezing their features.

`CAPABILITIES`: what a network can do. Sources are as usually cited, the texts were not at hand;
what none of them says is "ours".
"""

from replications.frozen_features.capability_claims import CAPABILITIES

CLAIMS = CAPABILITIES
