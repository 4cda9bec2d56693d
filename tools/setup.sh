#!/usr/bin/env bash
# Makes the environment that everything here runs in. See --help.
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/_setup/common.sh"

usage() {
  cat <<'EOF'
Usage: bash tools/setup.sh [--with tests] [--with optional] [--with eval]
                           [--line official]

Makes a virtual environment in .venv and installs PyTorch, mmcv (compiled once
per user, some minutes), the other packages and this plugin in editable mode.
Running it again takes a second; after an interruption it continues.

  --with NAME   also install requirements/NAME.txt: tests, optional or eval (the
                official VOT and GOT-10k toolkits); tests includes eval
  --line official
                the last releases of OpenMMLab that mmtrack itself accepts,
                in .venv-official: Python 3.10, PyTorch 2.0.1, numpy 1.23,
                mmcv 2.0.0rc4, mmdet 3.0.0rc5; see docs/installation.md.
                By default the line that is maintained
  --help        this text

Environment variables:
  PYTHON                the Python to use (3.10 or newer; 3.10 on the official
                        line)
  SIAMATTN_VENV         the environment's folder, instead of .venv
  XDG_CACHE_HOME        where the compiled mmcv is kept, instead of ~/.cache
  CXX, MAX_JOBS         the C++ compiler, and how many processes of it
  SIAMATTN_MIN_DISK_GB  free space that is asked for
  PIP_*                 as for pip: index, proxy, cache

Exit codes: 0 done, 1 an installation failed, 2 something is missing here.
EOF
}

extras=()
LINE=current
while [ $# -gt 0 ]; do
  case "$1" in
    --with | --with=*)
      if [ "$1" = --with ]; then
        shift
        name="${1:-}"
      else
        name="${1#--with=}"
      fi
      case "$name" in
        tests | optional | eval) extras+=(--with "$name") ;;
        *) die 2 "setup.sh: --with takes tests, optional or eval, not '$name'" ;;
      esac
      ;;
    --line | --line=*)
      if [ "$1" = --line ]; then
        shift
        LINE="${1:-}"
      else
        LINE="${1#--line=}"
      fi
      case "$LINE" in
        current | official) ;;
        *) die 2 "setup.sh: --line takes current or official, not '$LINE'" ;;
      esac
      ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; die 2 "setup.sh: unknown argument '$1'" ;;
  esac
  shift
done

if [ "$LINE" = official ]; then
  use_venv "${SIAMATTN_VENV:-$ROOT/.venv-official}"
  REQUIREMENTS="$ROOT/requirements/official"
  # Nothing may bring a newer numpy along.
  constraints=(-c "$REQUIREMENTS/build.txt")
else
  REQUIREMENTS="$ROOT/requirements"
  constraints=()
  # The tests compare with the official toolkits.
  case " ${extras[*]-} " in *' tests '*) extras+=(--with eval) ;; esac
fi
source "$ROOT/tools/_setup/checks.sh"

environment() {  # environment ACTION: see tools/_setup/environment.py
  "$VENV_PYTHON" -I "$ROOT/tools/_setup/environment.py" "$@" \
    --line "$LINE" ${extras[@]+"${extras[@]}"}
}

is_current() {
  [ -x "$VENV_PYTHON" ] && [ -f "$VENV/siamattn_setup.json" ] \
    && environment current >/dev/null 2>&1
}

if [ -z "${PYTHON:-}" ] && is_current; then
  echo "setup: $VENV is complete"
  exit 0
fi

run_checks
isolate_pip

mkdir -p "$VENV" "$CACHE"
# Two set-ups at once would install over each other.
if command -v flock >/dev/null; then
  exec 9>"$VENV/setup.lock"
  if ! flock -n 9; then
    echo 'setup: another set-up works on this environment; waiting for it'
    flock 9 || true
  fi
fi
if is_current; then
  echo "setup: $VENV is complete"
  exit 0
fi

LOG="$VENV/setup.log"
: > "$LOG"
# pip's downloads and builds go where the space was checked.
export TMPDIR="$VENV/tmp"
rm -rf "$TMPDIR"
mkdir -p "$TMPDIR"
# PyTorch looks for ninja there.
export PATH="$VENV/bin:$PATH"

NAME=setup
STEPS=6
source "$ROOT/tools/_setup/steps.sh"

begin_step "Python $(python_version "$PYTHON") environment in $VENV"
if venv_runs; then
  run "$VENV_PYTHON" -I "$ROOT/tools/_setup/environment.py" repair
fi
if ! venv_works; then
  # This completes an interrupted one, installed packages are kept.
  "$PYTHON" -m venv "$VENV" >>"$LOG" 2>&1 || true
  if ! venv_works; then
    rm -rf "$VENV/bin" "$VENV/lib" "$VENV/lib64" "$VENV/pyvenv.cfg"
    run "$PYTHON" -m venv "$VENV"
  fi
fi
end_step

begin_step 'PyTorch and the build tools'
install -r "$REQUIREMENTS/build.txt"
end_step

begin_step 'other packages'
files=(${constraints[@]+"${constraints[@]}"} -r "$REQUIREMENTS/runtime.txt")
for name in ${extras[@]+"${extras[@]}"}; do
  [ "$name" = --with ] || files+=(-r "$ROOT/requirements/$name.txt")
done
install "${files[@]}"
end_step

begin_step 'mmcv and its operators'
echo
"$VENV_PYTHON" "$ROOT/tools/_setup/build_mmcv.py" --cache "$CACHE" --log "$LOG" \
  --requirements "$REQUIREMENTS/no_deps.txt" || {
  status=$?
  [ "$status" -ne 130 ] || exit 130
  printf '\nsetup: mmcv could not be built. The end of %s:\n' "$LOG" >&2
  tail -n 15 "$LOG" | sed 's/^/  /' >&2
  exit 1
}

begin_step 'OpenMMLab packages, without the versions they ask for'
files=(-r "$REQUIREMENTS/no_deps.txt")
for name in ${extras[@]+"${extras[@]}"}; do
  if [ -f "$ROOT/requirements/${name}_no_deps.txt" ]; then
    files+=(-r "$ROOT/requirements/${name}_no_deps.txt")
  fi
done
install --no-deps --no-build-isolation "${files[@]}"
end_step

begin_step 'this plugin, and a first import'
install --no-deps --no-build-isolation -e "$ROOT"
run "$VENV_PYTHON" -c 'import torch, mmcv.ops, mmdet, siamattn_mm, mmtrack'
environment stamp
end_step

echo "setup: done. Use it with: source $VENV/bin/activate"
