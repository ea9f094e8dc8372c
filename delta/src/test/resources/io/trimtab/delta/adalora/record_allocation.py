"""Records what PEFT's AdaLoRA does to the ranks of three layers when it is given these gradients.

usage: python record_allocation.py OUT.safetensors     (peft 0.21.2, torch 2.15.0)
"""
import sys

import torch
from peft import AdaLoraConfig, get_peft_model
from safetensors.torch import save_file

SIZES = [(6, 5), (5, 4), (7, 6)]
STEPS, RATE = 14, 0.1


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.ModuleList([torch.nn.Linear(i, o) for i, o in SIZES])

    def forward(self, x):
        return x


def main(out):
    torch.manual_seed(11)
    config = AdaLoraConfig(
        init_r=4, target_r=2, lora_alpha=8, tinit=2, tfinal=3, deltaT=2, beta1=0.8, beta2=0.7,
        total_step=STEPS, target_modules=["layers.0", "layers.1", "layers.2"])
    model = get_peft_model(Net(), config)
    named = {n.replace(".default", "").replace("base_model.model.", ""): p
             for n, p in model.named_parameters() if p.requires_grad}
    record = {}
    for name, p in named.items():
        with torch.no_grad():
            p.copy_(torch.randn(p.shape) * 0.3)
        record["start." + name] = p.detach().clone()
    for step in range(1, STEPS + 1):
        for name, p in named.items():
            p.grad = torch.randn(p.shape)
            record[f"{step}.grad.{name}"] = p.grad.clone()
            with torch.no_grad():
                p -= RATE * p.grad
        model.base_model.update_and_allocate(step)
        for name, p in named.items():
            if "lora_E" in name:
                record[f"{step}.value.{name}"] = p.detach().clone()
    for name, kept in model.peft_config["default"].rank_pattern.items():
        key = name.replace(".default", "").replace("base_model.model.", "")
        record["kept." + key] = torch.tensor(kept, dtype=torch.float32)
    a = [p for n, p in named.items() if "lora_A" in n or "lora_B" in n]
    penalty = 0
    for n, p in named.items():
        if "lora_A" in n or "lora_B" in n:
            cov = p @ p.T if "lora_A" in n else p.T @ p
            penalty = penalty + torch.norm(cov - torch.eye(cov.shape[0]))
    record["penalty"] = (0.5 * penalty / len(a)).detach().reshape(1)
    save_file({k: v.contiguous() for k, v in record.items()}, out)



main(sys.argv[1])
