#!/usr/bin/env bash
# Sets up if needed and runs the tests, one process for each core. Arguments go
# to pytest, which then has one process, e.g.
#   bash tools/test.sh tests/models -k neck
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/_setup/common.sh"

bash "$ROOT/tools/setup.sh" --with tests
cd "$ROOT"
if [ $# -eq 0 ]; then
    # One thread each; nproc would take this number for that of the cores.
    workers="$(env -u OMP_NUM_THREADS nproc)"
    export OMP_NUM_THREADS=1
    # Each may need 2 GB.
    [ "$workers" -le 8 ] || workers=8
    set -- -q -n "$workers" --dist worksteal
fi
exec "$VENV_PYTHON" -m pytest "$@"
