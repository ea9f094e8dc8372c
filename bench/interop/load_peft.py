"""PEFT's side of the interop check; runs on the peers' Python. One JSON object on the last line.

    load_peft.py types                  the methods PEFT knows, and which of them are prompts
    load_peft.py check MODELS WRITTEN   loads what WriteAdapters wrote and compares the logits
"""

import inspect
import json
import sys

sys.dont_write_bytecode = True

import cases  # noqa: E402 (quietens what comes next)
import peft  # noqa: E402
from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING  # noqa: E402

# GPT-2's layers are of a kind of their own, which most methods do not know.
REFUSALS = ("Target module Conv1D(", "pytorch_utils.Conv1D'> not supported")


def types():
    return {
        kind.value: issubclass(config, peft.PromptLearningConfig)
        for kind, config in PEFT_TYPE_TO_CONFIG_MAPPING.items()
    }


def load(base, case):
    if case["peft_type"] == "PREFIX_TUNING":
        check_cache(base)
    return peft.PeftModel.from_pretrained(base, case["adapter"])


def check_cache(base):
    """PEFT hands prefixes over as a cache, and looks for one only where it knows what a head is for."""
    if base.config.is_encoder_decoder:
        return
    for module in (base, base.base_model):
        if "past_key_values" in inspect.signature(module.forward).parameters:
            return
    raise cases.Refused("prefixes are a cache, which transformers does not take there")


def main():
    if sys.argv[1:] == ["types"]:
        result = types()
    elif len(sys.argv) == 4 and sys.argv[1] == "check":
        versions = {"peft": peft.__version__}
        result = cases.check(sys.argv[2], sys.argv[3], load, versions, REFUSALS)
    else:
        raise SystemExit(__doc__)
    print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()
