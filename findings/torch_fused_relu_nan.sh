#!/usr/bin/env bash
# PyTorch 2.14.1, float32 on a processor: where a convolution and its rectifier are made one call of oneDNN, NaN becomes 0.
# torch.jit.optimize_for_inference does so; torch.compile with torch._inductor.config.freezing does the same (it needs a
# C++ compiler, and is not run here).
#
# A good guess: what makes a network faster keeps NaN, as torch.relu does, and as ONNX Runtime 1.31.1 does with Conv and
# Relu at its highest optimisation.
# What it does: the 8 x 3 x 3 numbers that see a NaN of the input are NaN in eager mode and 0 behind the joined call; a
# convolution alone keeps them. A network that overflows gives sound-looking zeros, and a check of its outputs for NaN
# finds none. Linux x86-64, Python 3.11, numpy 2.4.6.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cat > "$place/ask.py" <<'PYTHON'
import warnings

import torch
from torch import nn

warnings.simplefilter("ignore")
x = torch.ones(1, 3, 8, 8)
x[0, 0, 4, 4] = float("nan")


def seen(*layers):
    torch.manual_seed(0)
    model = nn.Sequential(*layers).eval()
    with torch.no_grad():
        joined = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(model, torch.ones(1, 3, 8, 8))))
        return int(model(x).isnan().sum()), int(joined(x).isnan().sum())


print("convolution, NaN in eager mode and optimised:", *seen(nn.Conv2d(3, 8, 3, padding=1)))
print("with a rectifier:", *seen(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU()))
PYTHON
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet --disable-pip-version-check "torch==2.14.1" "numpy==2.4.6"
found=$("$place/env/bin/python" "$place/ask.py")
printf '%s\n' "$found"
[ "$found" = "convolution, NaN in eager mode and optimised: 72 72
with a rectifier: 72 0" ]
echo "as seen"
