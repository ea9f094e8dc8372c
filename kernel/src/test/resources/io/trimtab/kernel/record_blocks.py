"""Writes blocks.txt: a line for each block format, its bytes and the weights that gguf's Python makes of them, both as hexadecimal digits.

pip install gguf==0.19.0 numpy; python record_blocks.py > blocks.txt
"""

import numpy
from gguf import quants
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

random = numpy.random.default_rng(5)
HALVES = {"Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q4_K": [0, 2], "Q6_K": [208]}

for name, halves in HALVES.items():
    kind = GGMLQuantizationType[name]
    block = random.integers(0, 256, GGML_QUANT_SIZES[kind][1], dtype=numpy.uint8)
    for at in halves:
        block[at : at + 2] = numpy.array([random.normal() * 0.1], dtype=numpy.float16).view(numpy.uint8)
    weights = quants.dequantize(block, kind).astype("<f4")
    print(name, block.tobytes().hex(), weights.tobytes().hex())
