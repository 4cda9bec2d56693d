# Sourced by the scripts in tools/: where things are, and how to say something.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"

use_venv() {  # use_venv FOLDER: sets VENV and VENV_PYTHON
  VENV="$1"
  case "$VENV" in /*) ;; *) VENV="$PWD/$VENV" ;; esac
  VENV_PYTHON="$VENV/bin/python"
}

use_venv "${SIAMATTN_VENV:-$ROOT/.venv}"
CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/siamattn_mm"

# Another environment's packages must not shine into this one.
unset PYTHONPATH PYTHONHOME

die() {  # die STATUS MESSAGE...: say what is wrong and stop
  local status="$1"
  shift
  printf '%s\n' "$@" >&2
  exit "$status"
}

isolate_pip() {  # settings of the user's pip that would break the set-up
  # Our versions are pinned with reasons; constraints, from a variable or from
  # a configuration file, would fight them. Indexes, proxies, certificates
  # and caches stay as the user has set them.
  export PIP_CONSTRAINT=/dev/null PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1
  unset PIP_REQUIREMENT PIP_EDITABLE PIP_TARGET PIP_PREFIX PIP_ROOT \
    PIP_REQUIRE_HASHES PIP_ONLY_BINARY PIP_NO_BINARY PIP_NO_DEPS PIP_PRE \
    PIP_DRY_RUN PIP_IGNORE_INSTALLED PIP_FORCE_REINSTALL PIP_UPGRADE \
    PIP_BUILD_CONSTRAINT PIP_PYTHON PIP_QUIET PIP_VERBOSE
}
