"""The start job in Python: import, load BERT-base, fill one mask, print it as a JSON line."""

import argparse
import json
import os

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--text", required=True)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()

    tokenizer = transformers.AutoTokenizer.from_pretrained(args.model)
    model = transformers.BertForMaskedLM.from_pretrained(args.model, dtype=torch.float32).eval()
    inputs = tokenizer(args.text, return_tensors="pt")
    with torch.inference_mode():
        logits = model(**inputs).logits[inputs["input_ids"] == tokenizer.mask_token_id]
    probability, token = logits.softmax(-1)[0].max(-1)
    word = tokenizer.convert_ids_to_tokens(int(token))
    print(json.dumps({"word": word, "probability": round(float(probability), 6)}), flush=True)


if __name__ == "__main__":
    main()
