"""tune-smol: the same LoRA steps on SmolLM2-135M by PEFT and by Trimtab, in turns."""

import json
import os
import shutil

from harness import peer, places, trimtab, tune_bert
from harness.problem import Problem, say
from harness.runs import machine, run

MAIN_CLASS = "io.trimtab.bench.TuneSmol"
LOSS = "all-tokens"


def add_arguments(parser):
    parser.add_argument(
        "--model",
        default="random",
        help="HF directory of a decoder, or 'random' (default) for random weights of SmolLM2-135M's"
        " shape, which are as fast",
    )
    parser.add_argument("--dtypes", default="f32,bf16", help="default %(default)s")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--warmup", type=int, default=2, help="steps not timed")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--length", type=int, default=256, help="tokens of a row")
    parser.add_argument(
        "--parts",
        type=int,
        default=2,
        help="parts that Trimtab computes a step in, each weighted by its tokens; default %(default)s",
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--side", choices=["both", "peer", "trimtab"], default="both")
    parser.set_defaults(loss=LOSS)


def main(args):
    """Returns the result to print and whether the two sides did equal work."""
    dtypes = args.dtypes.split(",")
    if not set(dtypes) <= {"f32", "bf16"}:
        raise Problem(f"--dtypes {args.dtypes}: expected f32, bf16 or f32,bf16")
    if not 0 <= args.warmup < args.steps or min(args.rounds, args.batch, args.threads) < 1:
        raise Problem("need 0 <= warmup < steps, and --rounds, --batch and --threads of 1 or more")
    if not 1 <= args.parts <= args.batch:
        raise Problem(f"--parts {args.parts}: need 1 to the {args.batch} rows of a batch")
    if args.length < 2 or args.steps > 99:
        raise Problem("need --length of 2 or more and --steps of 99 or fewer")
    sides = ["peer", "trimtab"] if args.side == "both" else [args.side]
    python = peer.interpreter()
    workload, model = prepare(args, python)
    with open(os.path.join(workload, "workload.json"), encoding="utf-8") as file:
        work = json.load(file)

    def command(side, dtype):
        arguments = ["--workload", workload, "--model", model, "--dtype", dtype, "--loss", LOSS]
        arguments += ["--steps", str(args.steps), "--warmup", str(args.warmup)]
        arguments += ["--threads", str(args.threads)]
        if side == "peer":
            return [python, os.path.join(places.PEERS, "tune_smol_peft.py"), *arguments]
        return trimtab.command(MAIN_CLASS, [*arguments, "--parts", str(args.parts)])

    commands = {(side, dtype): command(side, dtype) for dtype in dtypes for side in sides}
    before = machine()
    runs = {key: [] for key in commands}
    for number in range(args.rounds):
        # Every round takes the sides in turns, so that a busy spell of the machine hits both.
        for (side, dtype), line in commands.items():
            done = run(f"tune-smol-{side}-{dtype}-{number + 1}", line, args.threads)
            tune_bert.check(side, done.answer, args, work)
            runs[side, dtype].append(done)
            say(
                f"round {number + 1}/{args.rounds} {side:7} {dtype:4}"
                f" {tune_bert.speed(done, work, args):8.1f} tokens/s {done.peak_memory_mb:7.0f} MB"
                f" last loss {done.answer['losses'][-1]:.5f}"
            )
    result, equal = tune_bert.report(args, work, sides, dtypes, runs, before)
    return {**result, "job": "tune-smol", "length": args.length, "parts": args.parts}, equal


def prepare(args, python):
    """The workload's folder, made by the peers' Python at first use, and the model's."""
    is_random = args.model == "random"
    model = "random" if is_random else os.path.abspath(args.model)
    missing = [] if is_random else [f for f in places.NEEDED if not os.path.isfile(f"{model}/{f}")]
    if missing:
        raise Problem(f"{model} lacks {', '.join(missing)}; give a directory in HF layout")
    name = f"{args.steps}x{args.batch}x{args.length}-seed{args.seed}"
    folder = os.path.join(places.WORK, f"tune-smol-{os.path.basename(model)}-{name}")
    maker = os.path.join(places.PEERS, "make_smol_workload.py")
    made_of = [tune_bert.stamp(maker)]
    made_of += [] if is_random else [tune_bert.stamp(f"{model}/{f}") for f in places.NEEDED]
    mark = folder + ".made-of.json"
    if not (os.path.isdir(folder) and tune_bert.same(mark, made_of)):
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(places.WORK, exist_ok=True)
        say(f"writing the workload {folder} …")
        with open(mark, "w", encoding="utf-8") as file:
            json.dump(made_of, file)
        line = [python, maker, "--out", folder, "--model", model, "--steps", str(args.steps)]
        line += ["--batch", str(args.batch), "--length", str(args.length)]
        line += ["--seed", str(args.seed)]
        run("make-smol-workload", line, args.threads)
    return folder, os.path.join(folder, "model") if is_random else model
