"""transformers' side of the check of packed directories; runs on a Python of its own. One JSON object on the last line.

    load_quantized.py make MODELS OUT SEED   the tiny models once more, with rows that every layout can pack
    load_quantized.py check MADE WRITTEN     loads what WriteQuantized wrote and compares the logits

The tiny models' rows of 32 and 56 numbers are no whole blocks of 64, which bitsandbytes' kernels for the CPU take for granted, and no
whole groups of 32. So models of the same configurations but wider are made, with random weights.
"""

import json
import os
import shutil
import sys

sys.dont_write_bytecode = True

import cases  # noqa: E402 (quietens what comes next)
import bitsandbytes  # noqa: E402
import compressed_tensors  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

# What configurations call the width of a block, of its inner layer, and of an attention head.
WIDTHS = {
    64: ("hidden_size", "d_model", "dim", "word_embed_proj_dim"),
    128: (
        "intermediate_size",
        "d_ff",
        "hidden_dim",
        "ffn_dim",
        "encoder_ffn_dim",
        "decoder_ffn_dim",
    ),
    16: ("head_dim", "d_kv"),
}


def make(models, out, seed):
    """A folder for each model that opens: config.json, model.safetensors, io.safetensors with the inputs and logits."""
    made, unmade = [], {}
    for name in sorted(os.listdir(models)):
        if not os.path.isfile(os.path.join(models, name, "io.safetensors")):
            continue
        try:
            make_one(os.path.join(models, name), os.path.join(out, name), int(seed))
            made.append(name)
        except Exception as e:  # a configuration that cannot be widened so
            unmade[name] = f"{type(e).__name__}: {e}".split("\n")[0]
    return {"made": made, "unmade": unmade}


def make_one(source, target, seed):
    with open(os.path.join(source, "config.json"), encoding="utf-8") as file:
        said = json.load(file)
    for width, names in WIDTHS.items():
        said.update({name: width for name in names if said.get(name) is not None})
    os.makedirs(target)
    with open(os.path.join(target, "config.json"), "w", encoding="utf-8") as file:
        json.dump(said, file)
    config = transformers.AutoConfig.from_pretrained(target)
    torch.manual_seed(seed)
    model = getattr(transformers, said["architectures"][0])._from_config(
        config, attn_implementation="eager"
    )
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:  # scores that tell tokens apart, and do not grow from layer to layer
                parameter.normal_(0, parameter.shape[-1] ** -0.5)
            else:
                parameter.add_(torch.randn_like(parameter), alpha=0.1)
    model.save_pretrained(target)
    recorded = load_file(os.path.join(source, "io.safetensors"))
    inputs = {key: recorded[key] for key in cases.INPUTS if key in recorded}
    with torch.no_grad():
        logits = model.eval()(**inputs).logits
    save_file({**inputs, "logits": logits.contiguous()}, os.path.join(target, "io.safetensors"))


def check(made, written):
    with open(os.path.join(written, "written.json"), encoding="utf-8") as file:
        said = json.load(file)["cases"]
    lines = [outcome(case, os.path.join(made, case["model"])) for case in said]
    count = {s: sum(line["status"] == s for line in lines) for s in ("ok", "refused", "wrong")}
    versions = {
        "transformers": transformers.__version__,
        "torch": torch.__version__,
        "bitsandbytes": bitsandbytes.__version__,
        "compressed-tensors": compressed_tensors.__version__,
    }
    return {**count, "versions": versions, "cases": lines}


def outcome(case, model):
    line = {"method": case["form"], "peft_type": "", "model": case["model"]}
    if "refused" in case:
        return {**line, "status": "refused", "why": case["refused"]}
    try:
        line.update(compare(case, model))
    except Exception as e:  # whatever transformers does with a directory it cannot read
        status = "refused" if isinstance(e, cases.Refused) else "wrong"
        return {**line, "status": status, "why": f"{type(e).__name__}: {e}".split("\n")[0]}
    if line["error"] > cases.ALLOWED:
        return {**line, "status": "wrong", "why": f"off by {line['error']:.1e}, allowed {cases.ALLOWED:.0e}"}
    return {**line, "status": "ok"}


def compare(case, model):
    """The difference of logits by the unpacked weights from ours, and that of the model as it is opened.

    bitsandbytes' products round what they multiply, to BF16 or to 8 bits, so that their difference is shown and not judged.
    """
    recorded = load_file(os.path.join(model, "io.safetensors"))
    inputs = {key: recorded[key] for key in cases.INPUTS if key in recorded}
    ours = load_file(case["logits"])["logits"]
    if case["form"] == "int4":
        return compare_compressed(case["directory"], inputs, ours)
    as_opened = error(opened(case["directory"]), inputs, ours)
    # Opened anew: products lay the blocks out otherwise.
    unpacked = opened(case["directory"]).dequantize()
    return {"error": error(unpacked, inputs, ours), "as_opened": as_opened}


def compare_compressed(directory, inputs, ours):
    """compressed-tensors unpacks the weights before the first product, in the type that a layer is computed in.

    Not so where transformers has a layer's tensors another way (experts in one tensor), or looks into layers first, to
    initialise them. There it unpacks while it loads, if asked to, in the type of the scales: half precision, which rounds.
    That all is where it belongs is then told by the same numbers as wider scales.
    """
    try:
        model = opened(directory)
        as_opened = error(model, inputs, ours)
        if not has_experts(model):
            return {"error": as_opened, "as_opened": as_opened}
    except AttributeError as e:
        as_opened = f"{type(e).__name__}: {e}"
    wide = directory + "-wide-scales"
    shutil.copytree(directory, wide)
    path = os.path.join(wide, "model.safetensors")
    tensors = load_file(path)
    scales = {name: t.float() for name, t in tensors.items() if name.endswith(".weight_scale")}
    save_file({**tensors, **scales}, path, {"format": "pt"})
    how = transformers.CompressedTensorsConfig(dequantize=True)
    unpacked = opened(wide, quantization_config=how)
    return {"error": error(unpacked, inputs, ours), "as_opened": as_opened}


def opened(directory, **how):
    config = transformers.AutoConfig.from_pretrained(directory)
    architecture = getattr(transformers, config.architectures[0])
    if config.quantization_config["quant_method"] == "bitsandbytes":
        with torch.device("meta"):
            plain = architecture(config)
        if has_experts(plain):
            raise cases.Refused("bitsandbytes packs no experts, which transformers has in one tensor")
    model, loading = architecture.from_pretrained(
        directory, attn_implementation="eager", output_loading_info=True, **how
    )
    left = {what: sorted(keys)[:3] for what, keys in loading.items() if keys}
    if left:
        raise ValueError(f"not all was loaded: {left}")
    return model.eval()


def has_experts(model):
    return any(parameter.dim() == 3 for parameter in model.parameters())


def error(model, inputs, ours):
    """The largest difference at real tokens, relative to the largest logit."""
    with torch.no_grad():
        theirs = model(**inputs).logits
    if theirs.dim() == 3:
        mask = inputs.get("decoder_attention_mask", inputs["attention_mask"]).bool()
        theirs = theirs[mask]
    if theirs.shape != ours.shape:
        raise ValueError(f"logits {list(theirs.shape)}, Trimtab {list(ours.shape)}")
    return ((theirs - ours).abs().max() / ours.abs().max()).item()


def main():
    cases.quieten()
    if len(sys.argv) == 5 and sys.argv[1] == "make":
        result = make(*sys.argv[2:])
    elif len(sys.argv) == 4 and sys.argv[1] == "check":
        result = check(*sys.argv[2:])
    else:
        raise SystemExit(__doc__)
    print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()
