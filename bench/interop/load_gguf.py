"""llama.cpp's side of the interop check; runs on a Python with llama-cpp-python. One JSON object on the last line.

    load_gguf.py check MODELS ADAPTERS WRITTEN   loads what WriteGguf wrote
    load_gguf.py tokens FILE RECORDED   loads a file with a tokenizer and compares its numbers with recorded ones

Right is: in F32, logits within 1e-3 of the largest logit of those recorded by transformers, and the recorded greedy tokens; in all other
formats, finite logits, and blocks that are byte for byte what the `gguf` package packs of the same values.
"""

import json
import os
import subprocess
import sys

import gguf
import llama_cpp
import numpy as np
from gguf import quants
from safetensors.numpy import load_file

ALLOWED = 1e-3  # relative to the largest logit


def as_mapped(usual=llama_cpp.llama_cpp.llama_model_default_params):
    """Parameters with which llama.cpp computes on a file's blocks as they lie, whatever the CPU.

    Its kernels for AMX want another layout; built by GCC 12 they stop the process (SIGILL), since that compiler's
    _tile_loadconfig names eight of the 64 bytes it reads, and the rest of the tiles' configuration is never stored.
    """
    parameters = usual()
    parameters.use_extra_bufts = False
    return parameters


llama_cpp.llama_cpp.llama_model_default_params = as_mapped


def check(models, adapters, written):
    with open(os.path.join(written, "written.json"), encoding="utf-8") as file:
        cases = json.load(file)["cases"]
    outcomes = [apart(case, models, adapters, written) for case in cases]
    count = {s: sum(c["status"] == s for c in outcomes) for s in ("ok", "refused", "wrong")}
    return {**count, "versions": versions(), "cases": outcomes}


def apart(case, models, adapters, written):
    """The outcome from a process of its own: where llama.cpp dislikes something, it stops the process."""
    command = [sys.executable, __file__, "one", json.dumps(case), models, adapters, written]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return {**case, "status": "wrong", "why": f"exit code {done.returncode}: {last}"}
    return json.loads(done.stdout.strip().splitlines()[-1])


def one(case, models, adapters, written):
    return outcome(json.loads(case), models, adapters, written)


def outcome(case, models, adapters, written):
    case = dict(case)
    if "refused" in case:
        return {**case, "status": "refused", "why": case["refused"]}
    base = os.path.join(models, case["model"])
    try:
        if "adapter" in case:
            path = os.path.join(written, f"{case['model']}.F32.gguf")
            if not os.path.exists(path):
                return {**case, "status": "refused", "why": "its base has no GGUF form"}
            lora = os.path.join(written, case["adapter"])
            error = evaluate(path, base, os.path.join(adapters, case["type"]), True, lora)
            return {**case, "status": "ok", "error": error}
        path = os.path.join(written, case["file"])
        logits = evaluate(path, base, base, case["type"] == "F32", None)
        if case["type"] != "F32":
            blocks(path, os.path.join(written, f"{case['model']}.F32.gguf"))
        return {**case, "status": "ok", "error": logits}
    except (AssertionError, ValueError, RuntimeError, KeyError) as error:
        return {**case, "status": "wrong", "why": f"{type(error).__name__}: {error}"}


def evaluate(path, base, folder, exact, lora):
    """The largest difference of the logits in `folder` for the inputs of `base`, relative to the largest logit."""
    io = load_file(os.path.join(base, "io.safetensors"))
    io["logits"] = load_file(os.path.join(folder, "io.safetensors"))["logits"]
    with open(os.path.join(folder, "io.json"), encoding="utf-8") as file:
        said = json.load(file)
    # Keys and values in half precision, llama.cpp's default, would be most of the difference.
    llm = llama_cpp.Llama(
        path, n_ctx=64, logits_all=True, n_threads=1, verbose=False, lora_path=lora,
        type_k=llama_cpp.GGML_TYPE_F32, type_v=llama_cpp.GGML_TYPE_F32,
    )
    with open(os.path.join(base, "config.json"), encoding="utf-8") as file:
        end = json.load(file)["eos_token_id"]
    context = llama_cpp.llama_model_n_ctx_train(llm.model)
    try:
        worst = 0.0
        for row, length in enumerate(io["attention_mask"].sum(axis=1)):
            # A window that llama.cpp does not know is written as the context: beyond it, results differ.
            whole = length <= context
            length = min(length, context)
            ids = io["input_ids"][row, :length].tolist()
            llm.reset()
            llm.eval(ids)
            found = np.array(llm.scores[:length])
            assert np.isfinite(found).all(), "logits that are not finite"
            expected = io["logits"][row, :length]
            worst = max(worst, float(np.abs(found - expected).max() / np.abs(expected).max()))
            if exact:
                assert worst <= ALLOWED, f"logits differ by {worst:.1e} of the largest"
                wanted = said["greedy"][row][:context] if whole else []
                for token in wanted[length:]:
                    scores = np.array(llm.scores[llm.n_tokens - 1])
                    scores[end] = -np.inf  # the recorded texts go on to their length
                    best = int(np.argmax(scores))
                    assert best == token, f"greedy token {best}, expected {token}"
                    llm.eval([best])
        return worst
    finally:
        llm.close()


def blocks(path, exact):
    """Compares packed tensors with what the gguf package makes of the values in the F32 file."""
    plain = {t.name: t for t in gguf.GGUFReader(exact).tensors}
    for tensor in gguf.GGUFReader(path).tensors:
        expected = quants.quantize(np.array(plain[tensor.name].data), tensor.tensor_type)
        same = np.ascontiguousarray(expected).tobytes() == np.ascontiguousarray(tensor.data).tobytes()
        assert same, f"{tensor.name}: other bytes than the gguf package makes"


def tokens(path, recorded):
    with open(recorded, encoding="utf-8") as file:
        said = json.load(file)
    llm = llama_cpp.Llama(path, n_ctx=64, vocab_only=True, verbose=False)
    wrong = 0
    for case in said["tokenize"]:
        for special in (False, True):
            found = llm.tokenize(case["text"].encode(), add_bos=False, special=special)
            wrong += found != case["special" if special else "plain"]
    return {"ok": 2 * len(said["tokenize"]) - wrong, "wrong": wrong, "versions": versions()}


def versions():
    from importlib.metadata import version

    return {"llama-cpp-python": llama_cpp.__version__, "gguf": version("gguf")}


if __name__ == "__main__":
    print(json.dumps({"check": check, "one": one, "tokens": tokens}[sys.argv[1]](*sys.argv[2:])))
