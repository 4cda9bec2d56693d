#!/usr/bin/env bash
# Train in several processes, one per GPU:
#   bash tools/dist_train.sh CONFIG GPUS [arguments of tools/train.py]
# On several machines, set NNODES, NODE_RANK, MASTER_ADDR and PORT on each.
# Without a GPU the processes share the CPU.
set -euo pipefail

if [ $# -lt 2 ]; then
    echo "usage: bash $0 CONFIG GPUS [arguments of tools/train.py]" >&2
    exit 2
fi
source "$(dirname "$0")/_launch.sh"
launch_distributed train.py "$@"
