# Sourced by scripts that work for minutes: one line a step, with its time;
# everything that a step says goes to $LOG. Needs NAME (of the
# script), LOG, TMPDIR, STEPS (how many) and VENV_PYTHON.

step=0
ticker=''
stop_ticker() {
  if [ -n "$ticker" ]; then
    kill "$ticker" 2>/dev/null || true
    wait "$ticker" 2>/dev/null || true
    ticker=''
  fi
}
trap 'stop_ticker; rm -rf "$TMPDIR"' EXIT
trap 'echo; echo "$NAME: interrupted; run it again to continue" >&2; exit 130' INT TERM

begin_step() {
  step=$((step + 1))
  STEP_TITLE="[$step/$STEPS] $1"
  STEP_START=$SECONDS
  printf '%s' "$STEP_TITLE"
}

run() {  # run COMMAND...: quietly; its output goes to the log
  printf '\n$ %s\n' "$*" >>"$LOG"
  if [ -t 1 ]; then
    (
      while sleep 1; do
        printf '\r%s ... %d s' "$STEP_TITLE" $((SECONDS - STEP_START))
      done
    ) 9>&- &
    ticker=$!
  fi
  local status=0
  "$@" >>"$LOG" 2>&1 || status=$?
  stop_ticker
  if [ "$status" -ne 0 ]; then
    printf '\n\n%s: this failed: %s\nThe end of %s:\n' "$NAME" "$*" "$LOG" >&2
    tail -n 15 "$LOG" | sed 's/^/  /' >&2
    exit 1
  fi
}

end_step() {
  if [ -t 1 ]; then printf '\r%s ...' "$STEP_TITLE"; else printf ' ...'; fi
  printf ' %d s\n' $((SECONDS - STEP_START))
}

install() { run "$VENV_PYTHON" -m pip --no-input install --progress-bar off "$@"; }
