"""The tune-bert job as a user of transformers and PEFT would write it; one JSON line at the end.

Padded batches, AdamW over the LoRA alone, dropout 0, f32 or bf16 by autocast. A step's seconds run
from the padded batch in memory to the updated parameters. README.md has the contract that Trimtab's
side shares.
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


def label_word_loss(model, batch, word_ids):
    """Cross-entropy over the label words alone, at the masks: what a cloze prompt learns by."""
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    logits = logits[:, -batch["input_ids"].size(1) :]  # a prompt's own vectors come first
    at_mask = batch["labels"] != -100
    scores = logits[at_mask][:, word_ids]
    classes = (batch["labels"][at_mask][:, None] == word_ids).int().argmax(dim=1)
    return torch.nn.functional.cross_entropy(scores, classes)


def start_of(base, directory):
    """The delta that both sides start from."""
    config = peft.PeftConfig.from_pretrained(directory)
    if not config.is_prompt_learning:
        return peft.PeftModel.from_pretrained(base, directory, is_trainable=True)
    # PEFT has no task for masked words; this one's forward puts the prompt in and nothing else. It
    # does not go on training a prompt that it loads, so a new one is given the numbers.
    config.task_type = "FEATURE_EXTRACTION"
    config.inference_mode = False
    model = peft.get_peft_model(base, config)
    numbers = load_file(os.path.join(directory, "adapter_model.safetensors"))
    peft.set_peft_model_state_dict(model, numbers)
    return model


def full_loss(model, batch, word_ids):
    """Cross-entropy over the whole vocabulary, as the masked language model computes it itself."""
    return model(**batch).loss


LOSSES = {"label-words": label_word_loss, "full": full_loss}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--workload", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--start", help="a PEFT directory, or 'full'; default the workload's")
    parser.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--loss", choices=list(LOSSES), default="label-words")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--warmup", type=int, default=2)
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
    fields = ("input_ids", "attention_mask", "labels")
    batches = [{f: tensors[f"{step:02d}.{f}"] for f in fields} for step in range(args.steps)]
    word_ids = torch.tensor(workload["label_word_ids"])

    base = transformers.BertForMaskedLM.from_pretrained(
        args.model,
        dtype=torch.float32,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    if args.start == "full":
        model = base
    else:
        model = start_of(base, args.start or os.path.join(args.workload, "start"))
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
    for batch in batches:
        start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=args.dtype == "bf16"):
            loss = LOSSES[args.loss](model, batch, word_ids)
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
