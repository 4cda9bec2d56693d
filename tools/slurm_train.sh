#!/usr/bin/env bash
# Train under Slurm, one process per GPU:
#   bash tools/slurm_train.sh PARTITION JOB_NAME CONFIG WORK_DIR GPUS \
#       [arguments of tools/train.py]
# Environment: GPUS_PER_NODE (8), CPUS_PER_TASK (2), SRUN_ARGS.
set -euo pipefail

if [ $# -lt 5 ]; then
    echo "usage: bash $0 PARTITION JOB_NAME CONFIG WORK_DIR GPUS" \
        "[arguments of tools/train.py]" >&2
    exit 2
fi
source "$(dirname "$0")/_launch.sh"
launch_slurm train.py "$1" "$2" "$5" "$3" \
    --work-dir="$4" --launcher="slurm" "${@:6}"
