"""start: from process start to BERT-base's first prediction, Python against Trimtab, in turns."""

import os
from collections.abc import Iterable
from statistics import median

from harness import peer, places
from harness.problem import Problem, say
from harness.runs import machine, run

TEXT = "the capital of france is [MASK] ."


def add_arguments(parser):
    parser.add_argument(
        "--model",
        default="bert-base-uncased",
        help="HF directory with a tokenizer, or an id that Trimtab's cache holds",
    )
    parser.add_argument("--rounds", type=int, default=5, help="timed rounds, after one to warm up")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--side", choices=["both", "peer", "trimtab"], default="both")


def main(args):
    """Returns the result to print and whether both sides filled the mask with the same word."""
    if min(args.rounds, args.threads) < 1:
        raise Problem("--rounds and --threads must be at least 1")
    commands = {}
    if args.side != "trimtab":
        python = peer.interpreter()
        directory = places.model_directory(args.model)
        script = os.path.join(places.PEERS, "start_bert_hf.py")
        commands["peer"] = [python, script, "--model", directory, "--text", TEXT]
    if args.side != "peer":
        if not os.access(places.LAUNCHER, os.X_OK):
            raise Problem(f"no launcher {places.LAUNCHER}; --side peer runs the peer alone")
        fill = [places.LAUNCHER, "fill", "--model", args.model, "--text", TEXT]
        commands["trimtab"] = [*fill, "--top", "1", "--json"]
    for command in commands.values():
        command += ["--threads", str(args.threads)]

    before = machine()
    runs = {side: [] for side in commands}
    # Round 0 brings files from the disk, builds what is not yet built, and is not counted.
    for number in range(args.rounds + 1):
        for side, command in commands.items():
            done = run(f"start-{side}-{number}", command, args.threads)
            if number > 0:
                runs[side].append(done)
            say(
                f"round {number}/{args.rounds} {side:7} {done.seconds_to_first_line:6.2f} s"
                f" {done.peak_memory_mb:6.0f} MB" + (" (not counted)" if number == 0 else "")
            )
    return report(args, runs, before)


def report(args, runs, before):
    result = {
        "job": "start",
        "text": TEXT,
        "rounds": args.rounds,
        "threads": args.threads,
        "machine": before,
    }
    for side, done in runs.items():
        seconds = [r.seconds_to_first_line for r in done]
        result[side] = {
            "seconds": round(median(seconds), 3),
            "seconds_rounds": [round(s, 3) for s in seconds],
            "peak_memory_mb": round(median(r.peak_memory_mb for r in done)),
            "answer": done[0].answer,
        }
    if args.side != "both":
        return result, True
    result["ratio"] = round(result["trimtab"]["seconds"] / result["peer"]["seconds"], 3)
    # Trimtab printed one word (--top 1) in an object of its own form, so look for it anywhere.
    word = result["peer"]["answer"]["word"]
    result["answers_equal"] = word in strings(result["trimtab"]["answer"])
    if not result["answers_equal"]:
        say(f"the peer says '{word}', Trimtab's answer has no such string")
    return result, result["answers_equal"]


def strings(value):
    """All strings inside a JSON value."""
    if isinstance(value, str):
        return {value}
    children = value.values() if isinstance(value, dict) else value
    if not isinstance(children, Iterable):
        return set()
    return {found for child in children for found in strings(child)}
