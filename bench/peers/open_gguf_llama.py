"""The open-gguf job in llama.cpp: open a GGUF file, generate greedily, say times and memory as a JSON line."""

import argparse
import json
import time


def memory():
    """What the kernel counts for this process, in megabytes: all, its own, and mapped files."""
    fields = {"VmRSS": "resident", "RssAnon": "anonymous", "RssFile": "file"}
    with open("/proc/self/status", encoding="utf-8") as file:
        lines = [line.split() for line in file]
    return {fields[w[0][:-1]]: int(w[1]) // 1024 for w in lines if w and w[0][:-1] in fields}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--text", required=True)
    parser.add_argument("--tokens", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repack", action="store_true", help="llama.cpp's own default: another layout for some CPUs")
    args = parser.parse_args()

    import llama_cpp
    import numpy as np

    if not args.repack:
        low = llama_cpp.llama_cpp
        usual = low.llama_model_default_params

        def as_mapped():
            parameters = usual()
            parameters.use_extra_bufts = False
            return parameters

        low.llama_model_default_params = as_mapped

    start = time.perf_counter()
    llm = llama_cpp.Llama(
        args.model, n_ctx=256, n_threads=args.threads, n_threads_batch=args.threads, verbose=False
    )
    said = {"open_seconds": time.perf_counter() - start, "after_open_mb": memory()}
    prompt = llm.tokenize(args.text.encode(), add_bos=False)
    start = time.perf_counter()
    made = []
    pending = prompt
    while len(made) < args.tokens:
        llm.eval(pending)
        logits = np.ctypeslib.as_array(llm._ctx.get_logits(), shape=(llm.n_vocab(),))
        pending = [int(np.argmax(logits))]
        made += pending
    said |= {"generate_seconds": time.perf_counter() - start, "after_generate_mb": memory()}
    print(json.dumps({**said, "prompt": prompt, "tokens": made}), flush=True)


if __name__ == "__main__":
    main()
