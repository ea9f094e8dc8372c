"""Writes the work of the tune-bert job once, so that both sides do exactly the same.

Runs on the peers' interpreter (torch, transformers, peft, safetensors). The same arguments give
the same tensors and settings.

The folder holds
  workload.json        settings, label words, real and padded tokens of every batch
  batches.safetensors  NN.input_ids, NN.attention_mask, NN.labels, each i64 [batch, longest];
                       a label is the word's id at the mask and -100 elsewhere
  start/               the LoRA before the first step, a PEFT adapter directory
  model/               only with --model random: a BERT-base of random weights, HF layout
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import zlib

os.environ["HF_HUB_OFFLINE"] = "1"

import peft
import torch
import transformers
from safetensors.torch import save_file

TEMPLATE = "{text} it was [MASK] ."
LABEL_WORDS = ("terrible", "great")  # of the labels 0 and 1
CLS, SEP, MASK, IGNORED = 101, 102, 103, -100  # BERT-base uncased


def read_examples(path):
    """Lines of `label text`; returns (label, text) pairs."""
    with open(path, encoding="utf-8") as lines:
        pairs = [line.rstrip("\n").split(" ", 1) for line in lines if line.strip()]
    return [(int(label), text) for label, text in pairs]


class HashedWords:
    """Stands in for the tokenizer where there is no vocabulary: similar lengths, made-up ids.

    A word of more than seven letters counts as two pieces: on SST-2 that is 2 % below WordPiece.
    """

    label_ids = [6659, 2307]

    def encode(self, text):
        pieces = []
        for word in TEMPLATE.replace("{text}", text).split():
            parts = [word] if len(word) <= 7 else [word[:5], word[5:]]
            pieces += [
                MASK if p == "[MASK]" else 2000 + zlib.crc32(p.encode()) % 28000 for p in parts
            ]
        return [CLS] + pieces + [SEP]


class RealWords:
    """The tokenizer that lies beside the weights."""

    def __init__(self, directory):
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
        self.label_ids = []
        for word in LABEL_WORDS:
            ids = self.tokenizer.encode(word, add_special_tokens=False)
            if len(ids) != 1:
                raise SystemExit(f"label word '{word}' is {len(ids)} tokens in {directory}, need 1")
            self.label_ids.append(ids[0])
        if self.tokenizer.mask_token_id != MASK:
            raise SystemExit(
                f"the mask of {directory} has id {self.tokenizer.mask_token_id}, BERT's is {MASK}:"
                " give a directory with BERT-base uncased and its vocabulary"
            )

    def encode(self, text):
        return self.tokenizer.encode(TEMPLATE.replace("{text}", text))


def make_batches(examples, words, settings):
    """Picks sentences at random, in no order of length, as a shuffling loader would."""
    picked = random.Random(settings["seed"]).sample(
        examples, settings["steps"] * settings["batch"]
    )
    tensors, real, padded = {}, [], []
    for step in range(settings["steps"]):
        rows = picked[step * settings["batch"] : (step + 1) * settings["batch"]]
        encoded = [words.encode(text) for _, text in rows]
        longest = max(map(len, encoded))
        ids = torch.zeros(len(rows), longest, dtype=torch.int64)
        attention = torch.zeros_like(ids)
        labels = torch.full_like(ids, IGNORED)
        for row, ((label, _), tokens) in enumerate(zip(rows, encoded)):
            ids[row, : len(tokens)] = torch.tensor(tokens)
            attention[row, : len(tokens)] = 1
            labels[row, tokens.index(MASK)] = words.label_ids[label]
        tensors[f"{step:02d}.input_ids"] = ids
        tensors[f"{step:02d}.attention_mask"] = attention
        tensors[f"{step:02d}.labels"] = labels
        real.append(int(attention.sum()))
        padded.append(ids.numel())
    return tensors, real, padded


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", required=True)
    parser.add_argument("--data", required=True, help="SST-2, lines of `label text`")
    parser.add_argument("--model", required=True, help="HF directory of BERT-base, or 'random'")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()

    target, temporary = args.out, f"{args.out}.{os.getpid()}.tmp"
    os.makedirs(temporary)
    try:
        if args.model == "random":
            torch.manual_seed(args.seed)
            model = transformers.BertForMaskedLM(transformers.BertConfig())
            model.save_pretrained(os.path.join(temporary, "model"))
            words = HashedWords()
        else:
            model = transformers.BertForMaskedLM.from_pretrained(args.model, dtype=torch.float32)
            words = RealWords(args.model)

        torch.manual_seed(args.seed)
        lora = peft.LoraConfig(
            r=8, lora_alpha=16, lora_dropout=0.0, target_modules=["query", "value"]
        )
        tuned = peft.get_peft_model(model, lora)
        tuned.peft_config["default"].base_model_name_or_path = "bert-base-uncased"
        tuned.save_pretrained(os.path.join(temporary, "start"))

        settings = {"seed": args.seed, "steps": args.steps, "batch": args.batch}
        tensors, real, padded = make_batches(read_examples(args.data), words, settings)
        save_file(tensors, os.path.join(temporary, "batches.safetensors"))
        with open(args.data, "rb") as data:
            digest = hashlib.sha256(data.read()).hexdigest()
        description = {
            **settings,
            "weights": "random" if args.model == "random" else "pretrained",
            "data_sha256": digest,
            "template": TEMPLATE,
            "label_words": list(LABEL_WORDS),
            "label_word_ids": words.label_ids,
            "optimizer": {
                "name": "adamw",
                "learning_rate": 1e-3,
                "beta1": 0.9,
                "beta2": 0.999,
                "epsilon": 1e-8,
                "weight_decay": 0.01,
            },
            "trainable": sum(p.numel() for p in tuned.parameters() if p.requires_grad),
            "real_tokens": real,
            "padded_tokens": padded,
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
