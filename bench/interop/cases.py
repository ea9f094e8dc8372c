"""What the loaders of all libraries share: the recorded cases, run one by one, and their outcomes."""

import json
import os
import warnings

os.environ["HF_HUB_OFFLINE"] = "1"
warnings.filterwarnings("ignore")

import torch
import transformers
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


def quieten():
    """No words of transformers but errors, and one thread: models this small only wait for more."""
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)


class Refused(Exception):
    """What the other library has not, found before it is asked to compute it."""


def check(models, written, load, versions, refusals=(), prepare=lambda base: None):
    """All that WriteAdapters wrote; load(base, case) gives the base with the case's adapter.

    An error that holds one of `refusals` is what the library says of a method or model that it does
    not have. `prepare` does to a base what comes before any adapter: where the plain base then gives
    other logits than those recorded, the library computes another model, and nothing can be told of
    an adapter on it.
    """
    quieten()
    with open(os.path.join(written, "written.json"), encoding="utf-8") as file:
        said = json.load(file)
    plain = {}  # by model, what the library makes of it without an adapter
    cases = [outcome(case, models, load, refusals, prepare, plain) for case in said["cases"]]
    count = {s: sum(c["status"] == s for c in cases) for s in ("ok", "refused", "wrong")}
    versions = {
        **versions,
        "transformers": transformers.__version__,
        "torch": torch.__version__,
    }
    return {**count, "versions": versions, "unread_models": said["unread_models"], "cases": cases}


def outcome(case, models, load, refusals, prepare, plain):
    line = {key: case[key] for key in ("method", "peft_type", "model")}
    if "refused" in case:
        return {**line, "status": "refused", "why": case["refused"]}
    if case["moved"] < MOVED:
        return {**line, "status": "wrong", "why": f"moves the logits by {case['moved']:.1e} only"}
    try:
        path = os.path.join(models, case["model"])
        base, inputs, recorded = opened(path, prepare)
        if case["model"] not in plain:
            plain[case["model"]] = plain_error(base, inputs, recorded)
        if plain[case["model"]] > ALLOWED:
            raise Refused(f"computes the model without an adapter otherwise: {plain[case['model']]:.1e}")
        error = compare(case, base, inputs, load)
    except Exception as e:  # whatever a library does with a file it cannot use
        said = isinstance(e, Refused) or any(text in str(e) for text in refusals)
        status = "refused" if said else "wrong"
        return {**line, "status": status, "why": f"{type(e).__name__}: {e}".split("\n")[0]}
    right = error <= ALLOWED
    line.update(status="ok" if right else "wrong", error=error)
    return line if right else {**line, "why": f"off by {error:.1e}, allowed {ALLOWED:.0e}"}


def opened(model_path, prepare):
    """The model as transformers opens it, prepared; its inputs; and the logits recorded for them."""
    with open(os.path.join(model_path, "config.json"), encoding="utf-8") as file:
        architecture = json.load(file)["architectures"][0]
    base = getattr(transformers, architecture).from_pretrained(
        model_path, attn_implementation="eager"
    )
    prepare(base)
    recorded = load_file(os.path.join(model_path, "io.safetensors"))
    inputs = {name: recorded[name] for name in INPUTS if name in recorded}
    return base.eval(), inputs, recorded["logits"]


def plain_error(base, inputs, recorded):
    """How far a model's logits are from those recorded, at real tokens, relative to the largest."""
    with torch.no_grad():
        found = base(**inputs).logits
    if found.dim() == 3:
        mask = inputs.get("decoder_attention_mask", inputs["attention_mask"]).bool()
        found, recorded = found[mask], recorded[mask]
    return ((found - recorded).abs().max() / recorded.abs().max()).item()


def compare(case, base, inputs, load):
    """The largest difference of the logits over the largest logit."""
    model = load(base, case).eval()
    inputs = dict(inputs)
    if not case["token_types"]:
        inputs.pop("token_type_ids", None)
    with torch.no_grad():
        theirs = model(**inputs).logits
    ours = load_file(os.path.join(case["adapter"], "ours.safetensors"))["logits"]
    mask = inputs.get("decoder_attention_mask", inputs["attention_mask"]).bool()
    rows = mask.all(dim=1)  # those without padding
    if theirs.dim() == 3:
        theirs = real_tokens(theirs, mask, len(ours), case.get("virtual_at", 0))
        if len(theirs) == int(mask.sum()):
            rows = rows[:, None].expand_as(mask)[mask]
    if theirs.shape != ours.shape:
        raise ValueError(f"logits {list(theirs.shape)}, Trimtab {list(ours.shape)}")
    if case.get("full_rows"):  # what looks at padding elsewhere
        theirs, ours = theirs[rows], ours[rows]
        if not len(ours):
            raise ValueError("no row without padding to compare")
    return ((theirs - ours).abs().max() / theirs.abs().max()).item()


def real_tokens(logits, mask, wanted, at):
    """[rows, tokens, n] to [real tokens, n], with a prompt's own tokens where ours has them too.

    The prompt's tokens stand behind the first `at` others.
    """
    virtual = logits.shape[1] - mask.shape[1]
    if wanted == int(mask.sum()):
        return torch.cat([logits[:, :at], logits[:, at + virtual :]], dim=1)[mask]
    before = torch.ones(mask.shape[0], virtual, dtype=torch.bool)
    return logits[torch.cat([mask[:, :at], before, mask[:, at:]], dim=1)]
