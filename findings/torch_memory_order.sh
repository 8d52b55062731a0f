#!/usr/bin/env bash
# PyTorch 2.14.1: two calls whose numbers depend on how their tensors lie in memory.
#
# A good guess: channels_last is about speed; a call gives the same numbers, up to rounding, however its tensors lie.
# What it does on the CPU (Linux, x86_64, Python 3.11, float32 and float64 alike):
# - instance_norm of one picture, where the gradient that comes back to it lies channels last: the gradient that it hands
#   on is another one, off by as much as it is large, and not zero in channels that nothing came back to. Of two pictures,
#   or where the gradient lies in PyTorch's own order, it is right.
# - interpolate(antialias=True) of maps of one column in PyTorch's own order: other numbers than the same column among
#   equal ones. The same maps channels last, or of two columns, are right.
# The right values are a closed form (the norm written out) and the column repeated.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cat > "$place/ask.py" <<'PYTHON'
import torch
from torch.nn import functional as F

ORDERS = {"own": torch.contiguous_format, "channels last": torch.channels_last}


def by_hand(x):
    apart = x - x.mean((2, 3), keepdim=True)
    return apart / (apart.square().mean((2, 3), keepdim=True) + 1e-5).sqrt()


def norm_is_right(pictures, order):
    x = torch.arange(120.0, dtype=torch.float64).sin().reshape(1, 4, 6, 5).repeat(pictures, 1, 1, 1).requires_grad_()
    back = torch.zeros(pictures, 4, 6, 5, dtype=torch.float64)
    back[:, 0, 2, 3] = 1
    back = back.contiguous(memory_format=ORDERS[order])
    found, expected = (torch.autograd.grad(norm(x), x, back)[0] for norm in (F.instance_norm, by_hand))
    return torch.allclose(found, expected, atol=1e-9)


def resizing_is_right(columns, order):
    column = torch.arange(36.0, dtype=torch.float64).sin().reshape(2, 2, 9, 1)
    given = column.repeat(1, 1, 1, columns).contiguous(memory_format=ORDERS[order])
    found = F.interpolate(given, size=(5, columns), mode="bilinear", antialias=True)
    expected = F.interpolate(column.repeat(1, 1, 1, 8), size=(5, 8), mode="bilinear", antialias=True)
    return torch.allclose(found, expected[..., :columns], atol=1e-9)


print("torch", torch.__version__.partition("+")[0])
for count in (1, 2):
    print(f"instance_norm, {count} picture(s):", {order: norm_is_right(count, order) for order in ORDERS})
for count in (1, 2):
    print(f"antialias, {count} column(s):", {order: resizing_is_right(count, order) for order in ORDERS})
PYTHON
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet --disable-pip-version-check torch==2.14.1 numpy==2.4.6
seen=$("$place/env/bin/python" "$place/ask.py" 2>/dev/null)
echo "$seen"
expected="torch 2.14.1
instance_norm, 1 picture(s): {'own': True, 'channels last': False}
instance_norm, 2 picture(s): {'own': True, 'channels last': True}
antialias, 1 column(s): {'own': False, 'channels last': True}
antialias, 2 column(s): {'own': True, 'channels last': True}"
[ "$seen" = "$expected" ]
