#!/usr/bin/env bash
# Test in several processes, one per GPU:
#   bash tools/dist_test.sh CONFIG GPUS --checkpoint FILE [arguments of tools/test.py]
# On several machines, set NNODES, NODE_RANK, MASTER_ADDR and PORT on each.
# Without a GPU the processes share the CPU.
set -euo pipefail

if [ $# -lt 2 ]; then
    echo "usage: bash $0 CONFIG GPUS --checkpoint FILE [arguments of tools/test.py]" >&2
    exit 2
fi
source "$(dirname "$0")/_launch.sh"
# As many threads as tools/test.py has by itself, so that results are the same
# to the last digit; torchrun would say one. Threads that wait must not keep
# the other processes' cores busy.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-$(($(nproc) < 2 ? 1 : 2))}"
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-PASSIVE}"
launch_distributed test.py "$@"
