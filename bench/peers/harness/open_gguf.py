"""open-gguf: load time and resident memory of a GGUF model, llama.cpp against Trimtab, in turns."""

import os
from statistics import median

from harness import peer, places, trimtab
from harness.problem import Problem, say
from harness.runs import machine, run

TEXT = "The capital of France is the city of"
REQUIREMENTS = os.path.join(places.PROJECT, "bench", "interop", "gguf-requirements.txt")


def add_arguments(parser):
    parser.add_argument(
        "--model", default="smollm2-135m-instruct", help="a GGUF file, or a name of the catalogue"
    )
    parser.add_argument("--tokens", type=int, default=16, help="generated after opening")
    parser.add_argument("--dtypes", default="f32,bf16", help="what Trimtab computes in")
    parser.add_argument("--rounds", type=int, default=3, help="timed rounds, after one to warm up")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--side", choices=["both", "peer", "trimtab"], default="both")


def main(args):
    """Returns the result to print and whether both sides read the same text and its next word."""
    if min(args.rounds, args.threads, args.tokens) < 1:
        raise Problem("--rounds, --threads and --tokens must be at least 1")
    model = gguf_file(args.model)
    job = ["--model", model, "--text", TEXT]
    job += ["--tokens", str(args.tokens), "--threads", str(args.threads)]
    commands = {}
    if args.side != "trimtab":
        python = peer.interpreter("GGUF_PYTHON", REQUIREMENTS, "import llama_cpp, numpy")
        script = os.path.join(places.PEERS, "open_gguf_llama.py")
        commands["peer"] = [python, script, *job]
    if args.side != "peer":
        for dtype in args.dtypes.split(","):
            arguments = [*job, "--dtype", dtype]
            commands[f"trimtab-{dtype}"] = trimtab.command("io.trimtab.bench.OpenGguf", arguments)

    before = machine()
    runs = {side: [] for side in commands}
    # Round 0 brings files from the disk and is not counted.
    for number in range(args.rounds + 1):
        for side, command in commands.items():
            done = run(f"open-gguf-{side}-{number}", command, args.threads)
            if number > 0:
                runs[side].append(done)
            say(
                f"round {number}/{args.rounds} {side:12} open {done.answer['open_seconds']:6.2f} s,"
                f" then {done.answer['after_open_mb']['resident']:5} MB"
                + (" (not counted)" if number == 0 else "")
            )
    return report(args, model, runs, before)


def gguf_file(name):
    """The file itself, or the one in the directory that `trimtab pull` answers with."""
    if os.path.isfile(name):
        return os.path.abspath(name)
    directory = places.pulled(name)
    files = [f for f in os.listdir(directory) if f.endswith(".gguf")]
    if len(files) != 1:
        raise Problem(f"{directory} holds {len(files)} GGUF files; give one with --model FILE")
    return os.path.join(directory, files[0])


def report(args, model, runs, before):
    result = {
        "job": "open-gguf",
        "model": os.path.basename(model),
        "file_mb": round(os.path.getsize(model) / 2**20, 1),
        "text": TEXT,
        "rounds": args.rounds,
        "threads": args.threads,
        "machine": before,
    }
    for side, done in runs.items():
        answers = [r.answer for r in done]
        result[side] = {
            "open_seconds": round(median(a["open_seconds"] for a in answers), 3),
            "open_seconds_rounds": [round(a["open_seconds"], 3) for a in answers],
            "generate_seconds": round(median(a["generate_seconds"] for a in answers), 3),
            "peak_memory_mb": round(median(r.peak_memory_mb for r in done)),
        }
        for when in ("after_open_mb", "after_generate_mb"):
            result[side][when] = {k: median(a[when][k] for a in answers) for k in answers[0][when]}
        result[side]["tokens"] = answers[0]["tokens"]
    first = {(tuple(r[0].answer["prompt"]), r[0].answer["tokens"][0]) for r in runs.values()}
    result["equal"] = len(first) == 1
    if not result["equal"]:
        say(f"the sides read other tokens, or differ in the first one they made: {first}")
    return result, result["equal"]
