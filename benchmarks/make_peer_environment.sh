#!/usr/bin/env bash
# The environment of the peer, neural-tangents 0.6.5, apart from this project's own: it does not
# import on jax >= 0.6. Last combination that works as released; tf2jax 0.3.8 needs a newer jax.
#   benchmarks/make_peer_environment.sh DIRECTORY        (about 2 GB, some minutes)
# `make benchmark` makes it once, for the column peer_seconds;
# `DIRECTORY/bin/python tests/ntk/reference/make_neural_tangents.py` remakes the reference numbers.
set -euo pipefail
directory=${1:?directory of the new environment}
python3.11 -m venv "$directory"
"$directory/bin/pip" install --quiet \
  neural-tangents==0.6.5 jax==0.4.30 jaxlib==0.4.30 "numpy<2" "scipy<1.15" tf2jax==0.3.6
"$directory/bin/python" -c "import neural_tangents, jax; print('neural-tangents', neural_tangents.__version__, 'on jax', jax.__version__)"
