"""The tune-smol job as a user of transformers and PEFT would write it; one JSON line at the end.

The causal model's own loss over all tokens, AdamW over the LoRA alone, f32 or bf16 by autocast. A
step's seconds run from the batch in memory to the updated parameters.
"""

import argparse
import json
import os
import resource
import sys
import time

os.environ["HF_HUB_OFFLINE"] = "1"

import peft
import torch
import transformers
from safetensors.torch import load_file


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--workload", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--loss", choices=["all-tokens"], default="all-tokens")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--warmup", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()

    with open(os.path.join(args.workload, "workload.json"), encoding="utf-8") as file:
        workload = json.load(file)
    if not args.warmup < args.steps <= workload["steps"]:
        raise SystemExit(
            f"need warmup < steps <= {workload['steps']} (the workload's),"
            f" found warmup {args.warmup} and steps {args.steps}"
        )
    tensors = load_file(os.path.join(args.workload, "batches.safetensors"))
    batches = [tensors[f"{step:02d}.input_ids"] for step in range(args.steps)]
    base = transformers.AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32)
    model = peft.PeftModel.from_pretrained(
        base, os.path.join(args.workload, "start"), is_trainable=True
    )
    model.train()
    parameters = [p for p in model.parameters() if p.requires_grad]
    settings = workload["optimizer"]
    optimizer = torch.optim.AdamW(
        parameters,
        lr=settings["learning_rate"],
        betas=(settings["beta1"], settings["beta2"]),
        eps=settings["epsilon"],
        weight_decay=settings["weight_decay"],
    )

    losses, seconds = [], []
    for ids in batches:
        start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=args.dtype == "bf16"):
            loss = model(input_ids=ids, attention_mask=torch.ones_like(ids), labels=ids).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        seconds.append(time.perf_counter() - start)
        losses.append(float(loss.detach()))

    real = workload["real_tokens"][args.warmup : args.steps]
    # The kernel counts in KiB, but macOS in bytes.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak_mb = peak / 1024 if sys.platform != "darwin" else peak / 1024**2
    print(
        json.dumps(
            {
                "dtype": args.dtype,
                "loss": args.loss,
                "threads": torch.get_num_threads(),
                "trainable": sum(p.numel() for p in parameters),
                "losses": losses,
                "step_seconds": [round(s, 4) for s in seconds],
                "tokens_per_s": round(sum(real) / sum(seconds[args.warmup :]), 1),
                "peak_memory_mb": round(peak_mb),
                "versions": {
                    "python": ".".join(map(str, sys.version_info[:3])),
                    "torch": torch.__version__,
                    "transformers": transformers.__version__,
                    "peft": peft.__version__,
                },
            }
        )
    )


if __name__ == "__main__":
    main()
