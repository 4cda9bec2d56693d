# Sourced by dist_*.sh and slurm_*.sh: start a tool in several processes.
TOOLS=$(dirname "${BASH_SOURCE[0]}")
export PYTHONPATH="$TOOLS/..:${PYTHONPATH:-}"

# launch_distributed TOOL CONFIG GPUS [arguments of the tool]
launch_distributed() {
    python -m torch.distributed.run \
        --nnodes="${NNODES:-1}" \
        --node_rank="${NODE_RANK:-0}" \
        --master_addr="${MASTER_ADDR:-127.0.0.1}" \
        --nproc_per_node="$3" \
        --master_port="${PORT:-29500}" \
        "$TOOLS/$1" \
        "$2" \
        --launcher pytorch \
        "${@:4}"
}

# launch_slurm TOOL PARTITION JOB_NAME GPUS CONFIG [arguments of the tool]
launch_slurm() {
    # Several arguments in one string.
    read -r -a SRUN_ARGS <<< "${SRUN_ARGS:-}"
    set -x
    srun -p "$2" \
        --job-name="$3" \
        --gres=gpu:"${GPUS_PER_NODE:-8}" \
        --ntasks="$4" \
        --ntasks-per-node="${GPUS_PER_NODE:-8}" \
        --cpus-per-task="${CPUS_PER_TASK:-2}" \
        --kill-on-bad-exit=1 \
        ${SRUN_ARGS[@]+"${SRUN_ARGS[@]}"} \
        python -u "$TOOLS/$1" "${@:5}"
}
