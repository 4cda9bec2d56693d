#!/usr/bin/env bash
# Test under Slurm, one process per GPU:
#   bash tools/slurm_test.sh PARTITION JOB_NAME CONFIG GPUS \
#       --checkpoint FILE [arguments of tools/test.py]
# Environment: GPUS_PER_NODE (8), CPUS_PER_TASK (2), SRUN_ARGS.
set -euo pipefail

if [ $# -lt 4 ]; then
    echo "usage: bash $0 PARTITION JOB_NAME CONFIG GPUS --checkpoint FILE" \
        "[arguments of tools/test.py]" >&2
    exit 2
fi
set -x

PARTITION=$1
JOB_NAME=$2
CONFIG=$3
GPUS=$4
GPUS_PER_NODE=${GPUS_PER_NODE:-8}
CPUS_PER_TASK=${CPUS_PER_TASK:-2}
# Several arguments in one string.
read -r -a SRUN_ARGS <<< "${SRUN_ARGS:-}"

PYTHONPATH="$(dirname "$0")/..:${PYTHONPATH:-}" \
srun -p "$PARTITION" \
    --job-name="$JOB_NAME" \
    --gres=gpu:"$GPUS_PER_NODE" \
    --ntasks="$GPUS" \
    --ntasks-per-node="$GPUS_PER_NODE" \
    --cpus-per-task="$CPUS_PER_TASK" \
    --kill-on-bad-exit=1 \
    ${SRUN_ARGS[@]+"${SRUN_ARGS[@]}"} \
    python -u "$(dirname "$0")/test.py" "$CONFIG" \
    --launcher="slurm" "${@:5}"
