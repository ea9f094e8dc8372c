"""What prefill and decode share: llama.cpp and Trimtab on the same file and tokens, in turns."""

import os
from statistics import median

from harness import peer, places
from harness.problem import Problem, say
from harness.runs import machine, run

REQUIREMENTS = os.path.join(places.PEERS, "requirements-llama.txt")
TILE_HEADER = os.path.join(places.PEERS, "amx_tile_config.h")
MODEL = "smollm2-135m-instruct"

# llama.cpp rounds the inputs of its products to 8 bits, of which logarithmic probabilities show some
# hundredths; a wrong token or position shows whole units.
WITNESS_TOLERANCE = 0.5


def add_arguments(parser):
    parser.add_argument(
        "--model", default=MODEL, help="a GGUF file, or an id that Trimtab's cache holds"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repetitions", type=int, default=5, help="in each process")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--plain-peer", action="store_true", help="llama.cpp without repacked weights and AMX"
    )
    parser.add_argument(
        "--trimtab-options",
        default="",
        help="more options of `trimtab bench`, such as '--dtype bf16'",
    )
    parser.add_argument("--side", choices=["both", "peer", "trimtab"], default="both")


def main(job, args, test):
    """Returns the result to print and whether both sides computed the same; test: bench's options."""
    if min(args.rounds, args.repetitions, args.threads) < 1:
        raise Problem("--rounds, --repetitions and --threads must be at least 1")
    file = args.model if os.path.isfile(args.model) else gguf(places.pulled(args.model))
    shared = [*test, "--repetitions", str(args.repetitions), "--threads", str(args.threads)]
    commands = {}
    if args.side != "trimtab":
        python = peer.interpreter(
            "LLAMA_PYTHON", REQUIREMENTS, "import llama_cpp", build_environment()
        )
        script = os.path.join(places.PEERS, "speed_llama.py")
        commands["peer"] = [python, script, "--model", file, *shared]
        if args.plain_peer:
            commands["peer"].append("--plain")
    if args.side != "peer":
        if not os.access(places.LAUNCHER, os.X_OK):
            raise Problem(f"no launcher {places.LAUNCHER}; --side peer runs the peer alone")
        more = args.trimtab_options.split()
        commands["trimtab"] = [places.LAUNCHER, "bench", "--model", file, *shared, *more, "--json"]
    before = machine()
    runs = {side: [] for side in commands}
    for number in range(args.rounds):
        for side, command in commands.items():
            done = run(f"{job}-{side}-{number + 1}", command, args.threads)
            runs[side].append(done)
            test_done = done.answer["tests"][0]
            say(
                f"round {number + 1}/{args.rounds} {side:7} {test_done['test']}"
                f" {middle(test_done):8.1f} tokens/s  loaded in {done.answer['load_seconds']:.2f} s,"
                f" {done.answer['resident_mb']:.0f} MB resident"
            )
    return report(job, args, file, runs, before)


def gguf(directory):
    """The one GGUF file of a directory."""
    files = [name for name in sorted(os.listdir(directory)) if name.endswith(".gguf")]
    if len(files) != 1:
        raise Problem(f"found {len(files)} GGUF files in {directory}, expected one; name it by --model")
    return os.path.join(directory, files[0])


def build_environment():
    """What llama.cpp is built with: see the header."""
    include = f"-include {TILE_HEADER}"
    return {"CFLAGS": include, "CXXFLAGS": include}


def middle(test):
    """The median of a process's repetitions."""
    return median(test["tokens_per_s_each"])


def report(job, args, file, runs, before):
    result = {
        "job": job,
        "file": os.path.basename(file),
        "rounds": args.rounds,
        "repetitions": args.repetitions,
        "threads": args.threads,
        "machine": before,
    }
    for side, done in runs.items():
        speeds = [middle(r.answer["tests"][0]) for r in done]
        result[side] = {
            "test": done[0].answer["tests"][0]["test"],
            "tokens_per_s": round(median(speeds), 1),
            "tokens_per_s_rounds": [round(s, 1) for s in speeds],
            "load_seconds": round(median(r.answer["load_seconds"] for r in done), 3),
            "resident_mb": round(median(r.answer["resident_mb"] for r in done)),
            "peak_memory_mb": round(median(r.peak_memory_mb for r in done)),
            "log_probabilities": done[0].answer["log_probabilities"],
        }
        for key in ("system", "versions", "dtype"):
            if key in done[0].answer:
                result[side][key] = done[0].answer[key]
    if args.side != "both":
        return result, True
    for name, key in (
        ("ratio", "tokens_per_s"),
        ("load_ratio", "load_seconds"),
        ("resident_ratio", "resident_mb"),
    ):
        result[name] = round(result["trimtab"][key] / result["peer"][key], 3)
    gap = largest_gap(
        result["peer"]["log_probabilities"], result["trimtab"]["log_probabilities"]
    )
    result["max_log_probability_gap"] = round(gap, 4)
    result["equal"] = gap <= WITNESS_TOLERANCE
    if not result["equal"]:
        say(f"logarithmic probabilities differ by {gap:.3f}: not the same work")
    return result, result["equal"]


def largest_gap(some, others):
    if len(some) != len(others):
        return float("inf")
    return max(abs(a - b) for a, b in zip(some, others))
