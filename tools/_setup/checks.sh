# Sourced by setup.sh: everything that can be known to fail before the long
# work starts. A check adds to `problems`; all of them are reported at once.

problems=()
problem() { problems+=("$1"); }

python_version() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }

# PyTorch 2.0.1 has files for Python 3.8 to 3.11, and what was tried is 3.10.
if [ "${LINE:-current}" = official ]; then
  NEEDED_PYTHON='3.10'
  PYTHON_NAMES=(python3.10 python3)
else
  NEEDED_PYTHON='3.10 or newer'
  PYTHON_NAMES=(python3 python3.13 python3.12 python3.11 python3.10)
fi

suits_line() {  # suits_line PYTHON
  local test='sys.version_info >= (3, 10)'
  [ "${LINE:-current}" = current ] || test='sys.version_info[:2] == (3, 10)'
  "$1" -c "import sys; sys.exit(not ($test))" 2>/dev/null
}

venv_runs() { [ -x "$VENV_PYTHON" ] && "$VENV_PYTHON" -c '' 2>/dev/null; }

venv_works() {
  venv_runs && "$VENV_PYTHON" -c 'import importlib.metadata, pip._internal.cli.main
importlib.metadata.version("pip")' 2>/dev/null
}

check_python() {  # sets PYTHON
  local hint='Install one (Debian, Ubuntu: apt install python3 python3-venv python3-dev; Fedora: dnf install python3 python3-devel) or name it: PYTHON=/path/to/python3.11 bash tools/setup.sh'
  if [ "${LINE:-current}" = official ]; then
    hint='Install it (Ubuntu 22.04: apt install python3.10 python3.10-venv python3.10-dev; Fedora: dnf install python3.10-devel; anywhere: uv python install 3.10, pyenv install 3.10 or conda create -n py310 python=3.10) or name it by PYTHON=/path/to/python3.10'
  fi
  local name found=''
  if [ -n "${PYTHON:-}" ]; then
    found="$(python_version "$PYTHON" || true)"
    if [ -z "$found" ]; then
      problem "Python: PYTHON=$PYTHON does not run. $hint"
    elif ! suits_line "$PYTHON"; then
      problem "Python: $NEEDED_PYTHON is needed, PYTHON=$PYTHON is $found. $hint"
    elif venv_runs && [ "$(python_version "$VENV_PYTHON")" != "$found" ]; then
      problem "Python: PYTHON=$PYTHON is $found, but $VENV was made with $(python_version "$VENV_PYTHON"). Remove that folder, or set SIAMATTN_VENV to another one."
    fi
    return 0
  fi
  if venv_runs; then
    suits_line "$VENV_PYTHON" || problem "Python: $NEEDED_PYTHON is needed, $VENV was made with $(python_version "$VENV_PYTHON"). Remove that folder, or set SIAMATTN_VENV to another one."
    # The one that it was made with, so that it can be completed.
    PYTHON="$("$VENV_PYTHON" -c 'import sys; print(sys._base_executable)')"
    return 0
  fi
  for name in "${PYTHON_NAMES[@]}"; do
    if suits_line "$name"; then
      PYTHON="$(command -v "$name")"
      return 0
    fi
    if [ -z "$found" ]; then
      found="$(python_version "$name" || true)"
    fi
  done
  if [ -n "$found" ]; then
    problem "Python: $NEEDED_PYTHON is needed, python3 is $found. $hint"
  else
    problem "Python: $NEEDED_PYTHON is needed, there is no python3 on PATH. $hint"
  fi
}

check_python_parts() {
  local version missing include
  version="$(python_version "$PYTHON")"
  if ! venv_works; then
    missing="$("$PYTHON" - <<'EOF'
import importlib
missing = []
for name in ('venv', 'ensurepip', 'ssl', 'zlib', 'ctypes'):
    try:
        importlib.import_module(name)
    except ImportError:
        missing.append(name)
print(', '.join(missing))
EOF
)"
    [ -z "$missing" ] || problem "Python: $PYTHON has no module $missing. Debian, Ubuntu: apt install python$version-venv; a Python that you compiled needs the headers of OpenSSL, zlib and libffi when it is built."
  fi
  include="$("$PYTHON" -c 'import sysconfig; print(sysconfig.get_path("include"))')"
  [ -f "$include/Python.h" ] || problem "Python headers: $include/Python.h is missing; mmcv's operators are compiled with it. Debian, Ubuntu: apt install python$version-dev; Fedora: dnf install python3-devel."
}

compiles() {  # compiles COMPILER FOLDER: a C++17 program, linked; CXX may hold arguments
  cat > "$2/probe.cpp" <<'EOF'
#include <optional>
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 9
#error "GCC 9 or newer is needed"
#endif
int main() {
  std::optional<int> status{0};
  if constexpr (sizeof(int) >= 4) return *status;
  return 1;
}
EOF
  $1 -std=c++17 "$2/probe.cpp" -o "$2/probe" >"$2/output" 2>&1
}

check_compiler() {  # exports CXX where it is not simply c++
  local name folder said=''
  folder="$(mktemp -d)"
  if [ -n "${CXX:-}" ]; then
    if ! compiles "$CXX" "$folder"; then
      said="$(grep -m 1 . "$folder/output" || echo 'no message')"
      problem "C++ compiler: CXX=$CXX does not compile a C++17 program ($said). Unset CXX or set it to one that does: mmcv's operators are compiled with it."
    fi
  else
    for name in c++ g++ clang++; do
      command -v "$name" >/dev/null || continue
      if compiles "$name" "$folder"; then
        [ "$name" = c++ ] || export CXX="$name"
        rm -rf "$folder"
        return 0
      fi
      said="$name: $(grep -m 1 . "$folder/output" || echo 'no message')"
    done
    problem "C++ compiler: none that compiles a C++17 program (looked for c++, g++, clang++${said:+; $said}); mmcv's operators are compiled with it. Debian, Ubuntu: apt install g++; Fedora: dnf install gcc-c++; or set CXX."
  fi
  rm -rf "$folder"
}

existing_parent() {
  local folder="$1"
  while [ ! -d "$folder" ]; do folder="$(dirname "$folder")"; done
  printf '%s\n' "$folder"
}

check_space() {  # check_space FOLDER GIGABYTES WHAT
  local free_kb
  free_kb="$(df -Pk "$(existing_parent "$1")" | awk 'NR == 2 { print $4 }')"
  if [ "$free_kb" -lt $(($2 * 1024 * 1024)) ]; then
    problem "Disk: $3 needs $2 GB in $1, $(awk "BEGIN { printf \"%.1f\", $free_kb / 1048576 }") GB are free. Free some, or set ${4} to a folder with room."
  fi
}

check_disk() {
  local needed
  if [ -n "${SIAMATTN_MIN_DISK_GB:-}" ]; then
    needed="$SIAMATTN_MIN_DISK_GB"
  elif compgen -G "$VENV/lib/python3*/site-packages/torch/__init__.py" >/dev/null; then
    needed=2
  elif [ "$(uname -sm)" = 'Linux x86_64' ]; then
    # PyTorch comes with CUDA's libraries there, unless the index has another.
    needed=10
  else
    needed=4
  fi
  check_space "$VENV" "$needed" 'the environment' SIAMATTN_VENV
  check_space "$CACHE" 1 'the cache of mmcv'"'"'s wheel' XDG_CACHE_HOME
}

check_writable() {  # check_writable FOLDER VARIABLE
  local parent
  parent="$(existing_parent "$1")"
  [ -w "$parent" ] || problem "Permission: cannot write to $parent. Change that, or set $2 to another folder."
}

check_venv_folder() {
  if [ -e "$VENV" ] && [ ! -d "$VENV" ]; then
    problem "Environment: $VENV is not a folder. Remove it, or set SIAMATTN_VENV."
  elif [ -d "$VENV" ] && [ ! -e "$VENV/pyvenv.cfg" ] \
      && [ ! -e "$VENV/setup.lock" ] && [ ! -e "$VENV/setup.log" ] && [ -n "$(ls -A "$VENV")" ]; then
    problem "Environment: $VENV holds other files. Set SIAMATTN_VENV to a new folder."
  fi
}

run_checks() {
  check_python
  [ ${#problems[@]} -gt 0 ] || check_python_parts
  check_compiler
  check_venv_folder
  check_writable "$VENV" SIAMATTN_VENV
  check_writable "$CACHE" XDG_CACHE_HOME
  check_disk
  if [ ${#problems[@]} -gt 0 ]; then
    printf 'setup.sh cannot start:\n' >&2
    printf ' - %s\n' "${problems[@]}" >&2
    exit 2
  fi
}
