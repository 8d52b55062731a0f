"""A network in bfloat16, where processors have instructions for it: faster, and good enough to propose with.

Half the bytes and twice the multiplications an instruction, at three digits. Without such instructions it is slower
than float32, many times for convolutions, and is refused.
"""

import torch

from layerscope.graph.program import Program
from layerscope.graph.runner import Carrier

# What a processor needs for products of bfloat16, as torch.cpu.get_capabilities names it.
INSTRUCTIONS = {"avx512_bf16": "AVX512_BF16", "amx_bf16": "AMX"}


def in_bfloat16(program: Carrier) -> Program:
    """The same network with its numbers in bfloat16; integers and truth values stay what they are."""
    weights = {n: w.to(torch.bfloat16) if w.is_floating_point() else w for n, w in program.weights.items()}
    return Program(program.graph, weights)


def why_not(program: Carrier) -> str:
    """Why this network does not run faster in bfloat16 here, as a clause; "" where it may."""
    if program.dtype != torch.float32:
        return f"the network computes in {str(program.dtype).removeprefix('torch.')}, and it proposes for float32 alone"
    if program.device.type == "cuda":
        return "" if torch.cuda.is_bf16_supported(including_emulation=False) else "this device computes no bfloat16"
    if program.device.type != "cpu":
        return f"it is made for processors and CUDA, and the network is on {program.device.type}"
    able = torch.cpu.get_capabilities()
    if any(able.get(name) for name in INSTRUCTIONS):
        return ""
    return f"this processor has no instructions for it ({' or '.join(INSTRUCTIONS.values())})"
