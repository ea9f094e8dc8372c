"""AdapterHub's side of the interop check; runs on a Python of its own. One JSON object on the last line.

    load_adapterhub.py check MODELS WRITTEN   loads what WriteAdapters wrote and compares the logits
"""

import json
import sys

sys.dont_write_bytecode = True
sys.modules["datasets"] = None  # adapters imports it where it is, and needs none of it

import cases  # noqa: E402 (quietens what comes next)
import adapters  # noqa: E402

# Of architectures that it does not know, of methods that it does not have there, and of prompts before DistilBERT, whose mask it
# takes for one of four dimensions.
REFUSALS = (
    "not pre-supported by adapters",
    "is not supported by this model",
    "list assignment index out of range",
)


def load(base, case):
    name = base.load_adapter(case["adapter"], set_active=True, use_safetensors=True)
    if not any(f".{name}." in key for key, _ in base.named_parameters()):
        raise ValueError(f"no parameter of the adapter {name} in the model")
    return base


def main():
    if len(sys.argv) == 4 and sys.argv[1] == "check":
        versions = {"adapters": adapters.__version__}
        result = cases.check(sys.argv[2], sys.argv[3], load, versions, REFUSALS, adapters.init)
    else:
        raise SystemExit(__doc__)
    print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()
