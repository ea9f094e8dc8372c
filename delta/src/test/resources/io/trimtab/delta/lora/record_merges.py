"""Records what PEFT's add_weighted_adapter makes of two adapters on one layer.

usage: python record_merges.py OUT.safetensors     (peft 0.21.2, torch 2.15.0)
"""
import sys

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file

RANK, ALPHAS, WEIGHTS = 3, (6, 4), [0.7, -0.4]
CASES = {
    "linear": {}, "cat": {}, "svd": {"svd_rank": 2},
    "ties": {"density": 0.6}, "ties_svd": {"density": 0.6},
    "magnitude_prune": {"density": 0.45}, "magnitude_prune_svd": {"density": 0.45},
}


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.query = torch.nn.Linear(16, 16)

    def forward(self, x):
        return self.query(x)


def main(out):
    torch.manual_seed(3)
    one, two = (LoraConfig(r=RANK, lora_alpha=a, target_modules=["query"]) for a in ALPHAS)
    model = get_peft_model(Net(), one, adapter_name="one")
    model.add_adapter("two", two)
    layer = model.base_model.model.query
    record = {}
    for name in ("one", "two"):
        for side in ("lora_A", "lora_B"):
            weight = getattr(layer, side)[name].weight
            with torch.no_grad():
                weight.copy_(torch.randn(weight.shape))
            record[f"{name}.{side}"] = weight.detach().clone()
    for case, options in CASES.items():
        for majority in ("total", "frequency") if "ties" in case else ("total",):
            name = case + "-" + majority
            model.add_weighted_adapter(["one", "two"], WEIGHTS, name, combination_type=case,
                                       majority_sign_method=majority, **options)
            record[name] = layer.get_delta_weight(name).detach().clone()
    save_file({k: v.contiguous() for k, v in record.items()}, out)


main(sys.argv[1])
