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
source "$(dirname "$0")/_launch.sh"
launch_slurm test.py "$1" "$2" "$4" "$3" --launcher="slurm" "${@:5}"
