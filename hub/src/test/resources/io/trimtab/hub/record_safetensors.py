"""Records recorded.safetensors with the reference implementation.

usage: python record_safetensors.py OUT_DIR     (needs torch and safetensors)
Written with safetensors 0.8.0, torch 2.15.0. SafetensorsTest knows the values.
"""

import sys

import torch
from safetensors.torch import save_file

save_file(
    {
        "matrix": torch.arange(6, dtype=torch.float32).reshape(2, 3) / 4,
        "double": torch.tensor([-1.5, 2.5e300], dtype=torch.float64),
        "half": torch.tensor([1.0, -2.0, 0.5], dtype=torch.float16),
        "brain": torch.tensor([1.0, -2.0, 0.5], dtype=torch.bfloat16),
        "long": torch.tensor([-1, 2**40], dtype=torch.int64),
        "int": torch.tensor([[-7], [2**30]], dtype=torch.int32),
        "byte": torch.tensor([-128, 127], dtype=torch.int8),
        "ubyte": torch.tensor([0, 255, 7], dtype=torch.uint8),
        "bool": torch.tensor([True, False, True]),
        "scalar": torch.tensor(42.0),
        "empty": torch.zeros(0, 4),
        'größe 𝛂"x"/\\\n': torch.tensor([3.0]),
        "größe \uffee": torch.tensor([4.0]),
    },
    sys.argv[1] + "/recorded.safetensors",
    metadata={"format": "pt"},
)
