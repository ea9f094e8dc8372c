"""methods: step time and memory of every delta method, against full tuning and against PEFT."""

import json
import os
import subprocess
from statistics import median

from harness import peer, places, trimtab, tune_bert
from harness.problem import Problem, say
from harness.runs import machine, run

STARTS = "io.trimtab.bench.MethodStarts"
# Rounding of both sides, which some methods (rotations by a series) enlarge.
LOSS_TOLERANCE = 1e-3


def add_arguments(parser):
    parser.add_argument("--methods", default="all", help="names by commas; default %(default)s")
    parser.add_argument(
        "--record",
        help="JSON file to put each method's figures into as soon as they are known; the table is of"
        " all in it, so that a long list can be measured in pieces",
    )
    parser.add_argument("--model", help="as for tune-bert")
    parser.add_argument("--data", default=places.SST2, help="SST-2, lines of `label text`")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--warmup", type=int, default=1, help="steps not timed")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--side", choices=["both", "peer", "trimtab"], default="both")
    parser.set_defaults(loss="label-words", dtypes="f32")


def main(args):
    """Returns the table as an object and whether methods on both sides did equal work."""
    if not 0 <= args.warmup < args.steps or min(args.rounds, args.batch, args.threads) < 1:
        raise Problem("need 0 <= warmup < steps, and --rounds, --batch and --threads of 1 or more")
    python = peer.interpreter()
    workload, model = tune_bert.prepare(args, python)
    with open(os.path.join(workload, "workload.json"), encoding="utf-8") as file:
        work = json.load(file)
    starts = written_starts(args, python, workload, model)
    record = read(args.record)
    before = machine()
    for name, start in starts.items():
        record[name] = measured(name, start, args, work, workload, model, python)
        record[name]["machine"] = before
        if args.record:
            write(args.record, record)
    return report(args, work, record)


def written_starts(args, python, workload, model):
    """What every method starts from: a directory for both sides, or a name that only we know."""
    types = subprocess.run(
        [python, "-c", "import peft; print(','.join(t.value for t in peft.PeftType))"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    ).stdout.strip()
    out = os.path.join(workload + "-starts")
    arguments = ["--model", model, "--methods", args.methods, "--types", types, "--out", out]
    return run("method-starts", trimtab.command(STARTS, arguments), args.threads).answer


def measured(name, start, args, work, workload, model, python):
    """Both sides' figures of one method; the peer's reason where it cannot do it."""
    shared = ["--workload", workload, "--model", model, "--dtype", "f32", "--loss", args.loss]
    shared += ["--steps", str(args.steps), "--warmup", str(args.warmup)]
    shared += ["--threads", str(args.threads)]
    ours = ["--start", start["start"]] if start["shared"] else ["--method", name]
    commands = {}
    if args.side != "peer":
        commands["trimtab"] = trimtab.command(tune_bert.MAIN_CLASS, shared + ours)
    theirs = "full" if name == "full" else start.get("start")
    if args.side != "trimtab" and theirs:
        script = os.path.join(places.PEERS, "tune_bert_peft.py")
        commands["peer"] = [python, script, *shared, "--start", theirs]
    found = {"method": name, "peft_type": start["peft_type"]}
    runs = {side: [] for side in commands}
    for number in range(args.rounds):
        for side, command in commands.items():
            if "refused" in found.get(side, {}):
                continue
            try:
                runs[side].append(run(f"methods-{name}-{side}-{number + 1}", command, args.threads))
            except Problem as problem:
                if side == "trimtab":
                    raise
                found[side] = {"refused": str(problem).strip().splitlines()[-1]}
    for side, done in runs.items():
        if done:
            found[side] = figures(done, work, args)
            say(
                f"{name:12} {side:7} {found[side]['trainable']:12,} numbers"
                f" {found[side]['tokens_per_s']:8.1f} tokens/s"
                f" {found[side]['peak_memory_mb']:6.0f} MB"
            )
    mine, other = found.get("trimtab", {}), found.get("peer", {})
    if "losses" in mine and "losses" in other:
        found["ratio"] = round(mine["tokens_per_s"] / other["tokens_per_s"], 3)
        found["memory_ratio"] = round(mine["peak_memory_mb"] / other["peak_memory_mb"], 3)
        gap = tune_bert.largest_gap(runs["trimtab"], runs["peer"])
        found["max_loss_gap"] = gap
        same_count = mine["trainable"] == other["trainable"]
        found["equal"] = bool(same_count and gap <= LOSS_TOLERANCE)
    return found


def figures(done, work, args):
    """Medians over rounds of one side."""
    return {
        "trainable": done[0].answer["trainable"],
        "tokens_per_s": round(median(tune_bert.speed(r, work, args) for r in done), 1),
        "step_ms": round(
            1000 * median(s for r in done for s in r.answer["step_seconds"][args.warmup :]), 1
        ),
        "peak_memory_mb": round(median(r.peak_memory_mb for r in done)),
        "losses": done[0].answer["losses"],
    }


def read(path):
    if not path or not os.path.isfile(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return json.load(file)["methods"]


def write(path, record):
    temporary = f"{path}.tmp"
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump({"methods": dict(sorted(record.items()))}, file, indent=1)
        file.write("\n")
    os.replace(temporary, path)


def report(args, work, record):
    """The table, of methods in the order of their speed, and whether all work was equal."""
    full = record.get("full", {}).get("trimtab")
    for line in table(record):
        say(line)
    unequal = [name for name, each in record.items() if each.get("equal") is False]
    if unequal:
        say(f"not the same work on both sides: {', '.join(unequal)}")
    result = {
        "job": "methods",
        "weights": work["weights"],
        "steps": args.steps,
        "batch": args.batch,
        "threads": args.threads,
        "full": full,
        "methods": record,
        "unequal": unequal,
    }
    return result, not unequal


def table(record):
    """Lines of a Markdown table."""
    full = record.get("full", {}).get("trimtab")
    yield "| method | trained | tokens/s | of full tuning | peak MB | PEFT tokens/s | peak MB | speed |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|"
    rows = [each for each in record.values() if "trimtab" in each]
    for each in sorted(rows, key=lambda e: -e["trimtab"]["tokens_per_s"]):
        ours, theirs = each["trimtab"], each.get("peer", {})
        over = f"{ours['tokens_per_s'] / full['tokens_per_s']:.1f} ×" if full else ""
        peer_part = ["–", "–", "–"]
        if "ratio" in each:
            peer_part = [
                f"{theirs['tokens_per_s']:.0f}",
                f"{theirs['peak_memory_mb']:,}",
                f"{each['ratio']:.1f} ×",
            ]
        cells = [f"`{each['method']}`", f"{ours['trainable']:,}", f"{ours['tokens_per_s']:.0f}"]
        cells += [over, f"{ours['peak_memory_mb']:,}", *peer_part]
        yield "| " + " | ".join(cells) + " |"
