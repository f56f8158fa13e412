"""`CLAIMS`: the instrument's own, on subjects whose answer is known. `ASKED`: what is put to a
reader's file, which has no expectation."""

from replications.your_network.asked_diagnosis import ASKED_DIAGNOSIS
from replications.your_network.asked_scaling import ASKED_SCALING
from replications.your_network.known_diagnosis import KNOWN_DIAGNOSIS
from replications.your_network.known_scaling import KNOWN_DEPTH, KNOWN_SCALING

CLAIMS = [*KNOWN_DIAGNOSIS, *KNOWN_SCALING, *KNOWN_DEPTH]
ASKED = [*ASKED_DIAGNOSIS, *ASKED_SCALING]
