#!/usr/bin/env bash
# Sets up if needed and runs the tests. Arguments go to pytest, e.g.
#   bash tools/test.sh tests/models -k neck
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/_setup/common.sh"

bash "$ROOT/tools/setup.sh" --with tests
cd "$ROOT"
[ $# -gt 0 ] || set -- -q
exec "$VENV_PYTHON" -m pytest "$@"
