#!/usr/bin/env bash
# PyTorch 2.14.1, float32 on a processor with AVX2 or AVX-512: an activation's result for a number depends on where in its
# tensor the number stands.
#
# A good guess: a function of each number by itself gives the same bits for the same number, so that the last image of a
# batch gets what the same image gets as the first.
# What it does: whole registers of numbers go through one routine, and the few that are left at the end through another.
# mish and softplus of the last image of eight differ in their last digits from those of the same image in the first place
# (images of 75 numbers, no multiple of a register); gelu, silu, elu, mish, softplus and sigmoid of 4,096 numbers differ
# from those of each number alone, for 150 to 1,300 of them; tanh, relu and hardswish never do. Whoever compares a batch
# with another order of its images to the bit finds differences that say nothing. How many differ depends on the width of
# the registers; that some do was seen with both widths. Linux x86-64, Python 3.11, numpy 2.4.6.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cat > "$place/ask.py" <<'PYTHON'
import torch
import torch.nn.functional as F

torch.set_num_threads(1)
torch.manual_seed(0)
images, numbers = torch.randn(8, 3, 5, 5) * 2, torch.randn(4096) * 2


def said(a, b):
    return "the same" if torch.equal(a, b) else "different"


for name in ("gelu", "silu", "elu", "mish", "softplus", "sigmoid", "tanh", "relu", "hardswish"):
    f = getattr(F, name, None) or getattr(torch, name)
    alone = torch.cat([f(number) for number in numbers.split(1)])
    line = f"{name}: each number alone is {said(f(numbers), alone)}"
    if name in ("mish", "softplus", "relu"):
        line += f", the last image as the first is {said(f(images)[-1], f(images.roll(1, 0))[0])}"
    print(line)
PYTHON
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet --disable-pip-version-check "torch==2.14.1" "numpy==2.4.6"
found=$("$place/env/bin/python" "$place/ask.py")
printf '%s\n' "$found"
[ "$found" = "gelu: each number alone is different
silu: each number alone is different
elu: each number alone is different
mish: each number alone is different, the last image as the first is different
softplus: each number alone is different, the last image as the first is different
sigmoid: each number alone is different
tanh: each number alone is the same
relu: each number alone is the same, the last image as the first is the same
hardswish: each number alone is the same" ]
echo "as seen"
