#!/usr/bin/env bash
# Shows that the official OpenMMLab line works. See --help.
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/_setup/common.sh"

usage() {
  cat <<'EOF'
Usage: bash tools/check_official_line.sh [--data-root DIR] [--sequences NAMES]
                                         [--current PYTHON] [--skip-tests]
                                         [FOLDER]

Makes an environment of the official OpenMMLab line (Python 3.10, PyTorch
2.0.1, numpy 1.23, mmcv 2.0.0rc4, mmdet 3.0.0rc5, mmtrack 1.0.0rc1) in
FOLDER/env, and runs there the tests that apply, and through mmtrack's own
entry points a short training, its continuation and a test. The test runs in
the current line's environment, too; success must be the same to 0.002.
Running it again keeps the environment.

  FOLDER            where everything goes, instead of build/official_line
  --data-root DIR   folder of sequences with masks (docs/datasets.md), instead
                    of data/sequences or ../shared/data/sequences
  --sequences LIST  that are tracked, instead of Basketball,Crossing,davis-dog
  --current PYTHON  of an environment of the current line; without it,
                    tools/setup.sh makes the usual one
  --skip-tests      leave the tests out

Environment variables: as for tools/setup.sh; PYTHON is the official line's.

Exit codes: 0 all is well, 1 something failed, 2 something is missing here.
EOF
}

FOLDER="$ROOT/build/official_line"
DATA_ROOT=''
SEQUENCES='Basketball,Crossing,davis-dog'
TESTS=1
CURRENT_PYTHON=''
while [ $# -gt 0 ]; do
  case "$1" in
    --data-root) DATA_ROOT="${2:-}"; shift ;;
    --sequences) SEQUENCES="${2:-}"; shift ;;
    --current) CURRENT_PYTHON="${2:-}"; shift ;;
    --skip-tests) TESTS=0 ;;
    -h | --help) usage; exit 0 ;;
    -*) usage >&2; die 2 "check_official_line.sh: unknown argument '$1'" ;;
    *) FOLDER="$1" ;;
  esac
  [ $# -gt 0 ] && shift
done
case "$FOLDER" in /*) ;; *) FOLDER="$PWD/$FOLDER" ;; esac
for folder in "$DATA_ROOT" "$ROOT/data/sequences" "$ROOT/../shared/data/sequences"; do
  [ -n "$DATA_ROOT" ] || [ ! -d "$folder" ] || DATA_ROOT="$folder"
done
for name in ${SEQUENCES//,/ }; do
  [ -n "$DATA_ROOT" ] && [ -d "$DATA_ROOT/$name" ] \
    || die 2 "check_official_line.sh: no sequence $name in '${DATA_ROOT:-data/sequences}': name a folder of sequences by --data-root, and which of them by --sequences"
done
DATA_ROOT="$(cd "$DATA_ROOT" && pwd)"
# As a list in a config.
NAMES="['${SEQUENCES//,/"','"}']"

if [ -z "$CURRENT_PYTHON" ]; then
  # That environment has a Python of its own.
  PYTHON='' bash "$ROOT/tools/setup.sh"
  CURRENT_PYTHON="$VENV_PYTHON"
fi
SIAMATTN_VENV="$FOLDER/env" bash "$ROOT/tools/setup.sh" --line official --with tests
use_venv "$FOLDER/env"
# mim starts "python".
export PATH="$VENV/bin:$PATH"
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-2}"
WORK="$FOLDER/work"
rm -rf "$WORK"
mkdir -p "$WORK"
cd "$ROOT"

LOG="$FOLDER/check.log"
TMPDIR="$FOLDER/tmp"
mkdir -p "$TMPDIR"
: > "$LOG"
NAME=check_official_line
STEPS=$((7 + TESTS))
export TMPDIR
source "$ROOT/tools/_setup/steps.sh"

begin_step 'names that calls are checked against (tools/_official/api.txt)'
run python tools/_official/api.py list --out "$WORK/api.txt"
run diff "$WORK/api.txt" tools/_official/api.txt
end_step

if [ "$TESTS" = 1 ]; then
  begin_step 'tests of models, configs, traps, apis, datasets'
  run env OMP_NUM_THREADS=1 python -m pytest -q tests/models tests/configs \
    tests/traps tests/apis tests/toolkits tests/datasets
  end_step
  grep -E '^[0-9]+ passed' "$LOG" | tail -n 1 | sed 's/^/      /'
fi

TRAIN=tools/_official/short_train.py
VIDEO=train_dataloader.dataset.sources.video
OPTIONS=("$VIDEO.data_root=$DATA_ROOT" "$VIDEO.sequences=$NAMES")
begin_step 'mim train mmtrack, one epoch'
run mim train mmtrack "$TRAIN" --gpus 0 --work-dir "$WORK/train" \
  --cfg-options "${OPTIONS[@]}" train_cfg.max_epochs=1
end_step

begin_step 'mim train mmtrack --resume, the second'
run mim train mmtrack "$TRAIN" --gpus 0 --work-dir "$WORK/train" --resume \
  --cfg-options "${OPTIONS[@]}"
run test -s "$WORK/train/iter_8.pth"
end_step

begin_step 'training that is killed and resumed ends with the same weights'
run python tools/check_training.py resume "$TRAIN" --iterations 6 \
  --interval 2 --cfg-options "${OPTIONS[@]}"
end_step

CONFIG=configs/siamattn/siamattn_mobilenetv2.py
DATASET=test_dataloader.dataset
ON_SEQUENCES=("$DATASET.data_root=$DATA_ROOT" "$DATASET.sequences=$NAMES")
FIRST="${SEQUENCES%%,*}"
begin_step 'own checkpoint: mim test mmtrack, init_tracker (tools/demo.py)'
# mmtrack's test.py has a flag for the checkpoint, which mim keeps for itself.
run mim test mmtrack "$CONFIG" --work-dir "$WORK/own" \
  --cfg-options "$DATASET.data_root=$DATA_ROOT" "$DATASET.sequences=$FIRST" \
  model.init_cfg.type=Pretrained \
  model.init_cfg.checkpoint="$WORK/train/iter_8.pth"
run test -s "$WORK/own/results/$FIRST.txt"
run python tools/demo.py "$DATA_ROOT/$FIRST/img" --end 5 --no-video \
  --box $(head -n 1 "$DATA_ROOT/$FIRST/groundtruth.txt" | tr ',\t\r' '   ') \
  --checkpoint "$WORK/train/iter_8.pth" --out "$WORK/demo"
end_step

WEIGHTS=siamattn_mm/weights/siamattn_mobilenetv2.pth
TEST="$(python -c 'import importlib.util as util, os
folder = os.path.dirname(util.find_spec("mmtrack").origin)
print(os.path.join(folder, ".mim/tools/test.py"))')"
begin_step 'shipped weights: mmtrack/.mim/tools/test.py, and the current line'
run python "$TEST" "$CONFIG" --checkpoint "$WEIGHTS" \
  --work-dir "$WORK/official" --cfg-options "${ON_SEQUENCES[@]}"
run env PYTHONPATH="$ROOT" "$CURRENT_PYTHON" tools/test.py "$CONFIG" --checkpoint "$WEIGHTS" \
  --work-dir "$WORK/current" --cfg-options "${ON_SEQUENCES[@]}"
end_step
COMPARE=(python tools/_official/compare.py "$WORK/official" \
  "$WORK/current" --data-root "$DATA_ROOT" --names official current)
"${COMPARE[@]}" | tee -a "$LOG"

begin_step 'what this line cannot do is refused in one line'
refused() {  # refused WORDS COMMAND...
  local words="$1" output status=0
  shift
  output="$("$@" 2>&1)" || status=$?
  printf '%s\n' "$output"
  [ "$status" -eq 2 ] && [ "$(printf '%s\n' "$output" | wc -l)" -eq 1 ] \
    && printf '%s\n' "$output" | grep -q "$words"
}
printf "_base_ = '%s'\nmodel = dict(test_cfg=dict(compile=True))\n" \
  "$ROOT/$CONFIG" > "$WORK/compiled.py"
run refused 'newer PyTorch' python tools/export.py "$CONFIG" \
  --out "$WORK/model.onnx"
run refused 'PyTorch 2.2' python tools/demo.py "$DATA_ROOT/$FIRST/img" \
  --end 2 --box 0 0 40 40 --config "$WORK/compiled.py" --out "$WORK/demo"
end_step

echo "check_official_line: all is well; $WORK holds what was made, $LOG what was said"
