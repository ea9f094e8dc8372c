"""Peer: llama.cpp through its C API (llama-cpp-python): prefill and single-stream decoding of given tokens.

usage: speed_llama.py --model GGUF [--prompt-tokens N] [--new-tokens N] [--depth N] [--repetitions N] [--threads N]
Ends standard output with one JSON line, in the words of `trimtab bench --json`.
"""

import argparse
import ctypes
import json
import math
import sys
import time

import llama_cpp as llama

WITNESSES = [5, 28, 198, 253, 1000]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--prompt-tokens", type=int, default=512)
    parser.add_argument("--new-tokens", type=int, default=128)
    parser.add_argument("--depth", type=int, default=1)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--plain",
        action="store_true",
        help="keep weights as the file has them: no repacking, no AMX",
    )
    args = parser.parse_args()

    quiet = llama.llama_log_callback(lambda level, text, data: None)
    llama.llama_log_set(quiet, ctypes.c_void_p(0))
    llama.llama_backend_init()
    start = time.perf_counter()
    settings = llama.llama_model_default_params()
    settings.use_extra_bufts = not args.plain
    model = llama.llama_model_load_from_file(args.model.encode(), settings)
    if not model:
        sys.exit(f"speed_llama.py: found no model that llama.cpp reads in {args.model}")
    run = Run(model, args)
    loaded = time.perf_counter() - start
    tests = []
    if args.prompt_tokens:
        seconds = [run.prefill() for _ in range(args.repetitions + 1)][1:]
        tests.append(figures(f"pp{args.prompt_tokens}", args.prompt_tokens, seconds))
    if args.new_tokens:
        seconds = [run.decode() for _ in range(args.repetitions + 1)][1:]
        tests.append(figures(f"tg{args.new_tokens}", args.new_tokens, seconds))
    answer = {
        "threads": args.threads,
        "load_seconds": loaded,
        "resident_mb": resident_mb(),
        "tests": tests,
        "witnesses": WITNESSES,
        "log_probabilities": run.log_probabilities(64, 16),
        "system": llama.llama_print_system_info().decode().strip(),
        "versions": {"llama-cpp-python": llama.__version__},
    }
    print(json.dumps(answer))


def figures(name, tokens, seconds):
    speeds = [tokens / s for s in seconds]
    return {
        "test": name,
        "tokens": tokens,
        "tokens_per_s": sum(speeds) / len(speeds),
        "tokens_per_s_each": speeds,
    }


def resident_mb():
    with open("/proc/self/status", encoding="utf-8") as file:
        line = next(line for line in file if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024 / 1e6


class Run:
    def __init__(self, model, args):
        self.args = args
        self.vocabulary = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(model))
        most = max(args.prompt_tokens, args.depth + args.new_tokens, 64)
        settings = llama.llama_context_default_params()
        settings.n_ctx = most + 8
        settings.n_batch = max(most, 32)
        settings.n_ubatch = 512
        settings.n_threads = settings.n_threads_batch = args.threads
        self.context = llama.llama_init_from_model(model, settings)
        self.batch = llama.llama_batch_init(max(most, 32), 0, 1)

    def token(self, place):
        """As Trimtab's Throughput.token."""
        spared = 100 if self.vocabulary > 1000 else 0
        return spared + place * 7919 % (self.vocabulary - 2 * spared)

    def take(self, first, count):
        """Takes tokens in and waits for the last one's scores."""
        self.batch.n_tokens = count
        for i in range(count):
            self.batch.token[i] = self.token(first + i)
            self.batch.pos[i] = first + i
            self.batch.n_seq_id[i] = 1
            self.batch.seq_id[i][0] = 0
            self.batch.logits[i] = i == count - 1
        if llama.llama_decode(self.context, self.batch) != 0:
            sys.exit("speed_llama.py: llama_decode failed")
        return llama.llama_get_logits_ith(self.context, count - 1)

    def clear(self):
        llama.llama_memory_clear(llama.llama_get_memory(self.context), True)

    def prefill(self):
        self.clear()
        start = time.perf_counter()
        self.take(0, self.args.prompt_tokens)
        return time.perf_counter() - start

    def decode(self):
        self.clear()
        self.take(0, self.args.depth)
        start = time.perf_counter()
        for i in range(self.args.new_tokens):
            self.take(self.args.depth + i, 1)
        return time.perf_counter() - start

    def log_probabilities(self, tokens, alone):
        self.clear()
        self.take(0, tokens - alone)
        for i in range(alone):
            scores = self.take(tokens - alone + i, 1)
        scores = [scores[i] for i in range(self.vocabulary)]
        largest = max(scores)
        total = largest + math.log(sum(math.exp(s - largest) for s in scores))
        return [scores[i] - total for i in WITNESSES if i < self.vocabulary]


if __name__ == "__main__":
    main()
