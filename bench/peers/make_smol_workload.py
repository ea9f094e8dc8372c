"""Writes the work of the tune-smol job once, so that both sides do exactly the same.

Runs on the peers' interpreter (torch, transformers, peft, safetensors). The same arguments give
the same tensors and settings.

The folder holds
  workload.json        settings and tokens of every batch
  batches.safetensors  NN.input_ids, i64 [batch, length], no padding: every token is learnt
  start/               the LoRA before the first step, a PEFT adapter directory
  model/               only with --model random: a decoder of SmolLM2-135M's shape, HF layout
"""

import argparse
import json
import os
import shutil

os.environ["HF_HUB_OFFLINE"] = "1"

import peft
import torch
import transformers
from safetensors.torch import save_file

# SmolLM2-135M's config.json, as far as it differs from a Llama's usual values.
SHAPE = {
    "vocab_size": 49152,
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "max_position_embeddings": 8192,
    "rms_norm_eps": 1e-5,
    "rope_theta": 100000.0,
    "tie_word_embeddings": True,
    "initializer_range": 0.041666666666666664,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", required=True)
    parser.add_argument("--model", required=True, help="HF directory of a decoder, or 'random'")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()

    target, temporary = args.out, f"{args.out}.{os.getpid()}.tmp"
    os.makedirs(temporary)
    try:
        torch.manual_seed(args.seed)
        if args.model == "random":
            model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**SHAPE))
            model.save_pretrained(os.path.join(temporary, "model"))
        else:
            model = transformers.AutoModelForCausalLM.from_pretrained(
                args.model, dtype=torch.float32
            )
        words = model.config.vocab_size
        lora = peft.LoraConfig(
            r=8,
            lora_alpha=16,
            lora_dropout=0.0,
            target_modules=["q_proj", "v_proj"],
            task_type="CAUSAL_LM",
        )
        tuned = peft.get_peft_model(model, lora)
        tuned.peft_config["default"].base_model_name_or_path = "smollm2-135m"
        tuned.save_pretrained(os.path.join(temporary, "start"))

        generator = torch.Generator().manual_seed(args.seed)
        shape = (args.batch, args.length)
        tensors = {
            f"{step:02d}.input_ids": torch.randint(100, words - 100, shape, generator=generator)
            for step in range(args.steps)
        }
        save_file(tensors, os.path.join(temporary, "batches.safetensors"))
        tokens = [args.batch * args.length] * args.steps
        description = {
            "seed": args.seed,
            "steps": args.steps,
            "batch": args.batch,
            "length": args.length,
            "weights": "random" if args.model == "random" else "pretrained",
            "optimizer": {
                "name": "adamw",
                "learning_rate": 1e-3,
                "beta1": 0.9,
                "beta2": 0.999,
                "epsilon": 1e-8,
                "weight_decay": 0.01,
            },
            "trainable": sum(p.numel() for p in tuned.parameters() if p.requires_grad),
            "real_tokens": tokens,
            "padded_tokens": tokens,
        }
        with open(os.path.join(temporary, "workload.json"), "w", encoding="utf-8") as out:
            json.dump(description, out, indent=1)
            out.write("\n")
        os.replace(temporary, target)
        print(json.dumps({"workload": target}))
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


if __name__ == "__main__":
    main()
