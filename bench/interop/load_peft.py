"""PEFT's side of the interop check; runs on the peers' Python. One JSON object on the last line.

    load_peft.py types                  the methods PEFT knows, and which of them are prompts
    load_peft.py check MODELS WRITTEN   loads what WriteAdapters wrote and compares the logits
"""

import json
import sys

sys.dont_write_bytecode = True

import cases  # noqa: E402 (quietens what comes next)
import peft  # noqa: E402
from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING  # noqa: E402

# Prefixes on encoders: it hands them over as a cache, which transformers has no longer there.
REFUSALS = ("does not support past key values",)


def types():
    return {
        kind.value: issubclass(config, peft.PromptLearningConfig)
        for kind, config in PEFT_TYPE_TO_CONFIG_MAPPING.items()
    }


def load(base, case):
    return peft.PeftModel.from_pretrained(base, case["adapter"])


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
