"""PEFT's side of the interop check; runs on the peers' Python. One JSON object on the last line.

    load_peft.py types                  the methods PEFT knows, and which of them are prompts
    load_peft.py check MODELS WRITTEN   loads what WriteAdapters wrote and compares the logits
"""

import json
import os
import sys
import warnings

os.environ["HF_HUB_OFFLINE"] = "1"
warnings.filterwarnings("ignore")

import peft
import torch
import transformers
from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING
from safetensors.torch import load_file

ALLOWED = 1e-5  # relative to the largest logit
MOVED = 1e-4  # an adapter that does less proves nothing
INPUTS = (
    "input_ids",
    "attention_mask",
    "token_type_ids",
    "decoder_input_ids",
    "decoder_attention_mask",
)


def types():
    return {
        kind.value: issubclass(config, peft.PromptLearningConfig)
        for kind, config in PEFT_TYPE_TO_CONFIG_MAPPING.items()
    }


def check(models, written):
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    with open(os.path.join(written, "written.json"), encoding="utf-8") as file:
        said = json.load(file)
    cases = [outcome(case, models) for case in said["cases"]]
    count = {s: sum(c["status"] == s for c in cases) for s in ("ok", "refused", "wrong")}
    versions = {
        "peft": peft.__version__,
        "transformers": transformers.__version__,
        "torch": torch.__version__,
    }
    return {**count, "versions": versions, "unread_models": said["unread_models"], "cases": cases}


def outcome(case, models):
    line = {key: case[key] for key in ("method", "peft_type", "model")}
    if "refused" in case:
        return {**line, "status": "refused", "why": case["refused"]}
    if case["moved"] < MOVED:
        return {**line, "status": "wrong", "why": f"moves the logits by {case['moved']:.1e} only"}
    try:
        error = compare(case, os.path.join(models, case["model"]))
    except Exception as e:  # whatever PEFT does with a file it cannot use
        return {**line, "status": "wrong", "why": f"{type(e).__name__}: {e}".split("\n")[0]}
    right = error <= ALLOWED
    line.update(status="ok" if right else "wrong", error=error)
    return line if right else {**line, "why": f"off by {error:.1e}, allowed {ALLOWED:.0e}"}


def compare(case, model_path):
    """The largest difference of the logits over the largest logit."""
    with open(os.path.join(model_path, "config.json"), encoding="utf-8") as file:
        architecture = json.load(file)["architectures"][0]
    base = getattr(transformers, architecture).from_pretrained(
        model_path, attn_implementation="eager"
    )
    model = peft.PeftModel.from_pretrained(base.eval(), case["adapter"]).eval()
    recorded = load_file(os.path.join(model_path, "io.safetensors"))
    inputs = {name: recorded[name] for name in INPUTS if name in recorded}
    if not case["token_types"]:
        inputs.pop("token_type_ids", None)
    with torch.no_grad():
        theirs = model(**inputs).logits
    ours = load_file(os.path.join(case["adapter"], "ours.safetensors"))["logits"]
    if theirs.dim() == 3:
        mask = inputs.get("decoder_attention_mask", inputs["attention_mask"])
        theirs = real_tokens(theirs, mask.bool(), len(ours))
    if theirs.shape != ours.shape:
        raise ValueError(f"PEFT gives logits {list(theirs.shape)}, Trimtab {list(ours.shape)}")
    return ((theirs - ours).abs().max() / theirs.abs().max()).item()


def real_tokens(logits, mask, wanted):
    """[rows, tokens, n] to [real tokens, n], with a prompt's own tokens where ours has them too."""
    virtual = logits.shape[1] - mask.shape[1]
    if wanted == int(mask.sum()):
        return logits[:, virtual:][mask]
    before = torch.ones(mask.shape[0], virtual, dtype=torch.bool)
    return logits[torch.cat([before, mask], dim=1)]


def main():
    if sys.argv[1:] == ["types"]:
        result = types()
    elif len(sys.argv) == 4 and sys.argv[1] == "check":
        result = check(sys.argv[2], sys.argv[3])
    else:
        raise SystemExit(__doc__)
    print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()
