"""adapters: many LoRAs in one batch, a merged one and switching, against the base alone."""

import os

from harness import places, trimtab
from harness.problem import Problem
from harness.runs import machine, run

MAIN_CLASS = "io.trimtab.bench.Adapters"


def add_arguments(parser):
    parser.add_argument("--data", default=places.SST2, help="SST-2, lines of `label text`")
    parser.add_argument("--adapters", default="1,10,100", help="how many; default %(default)s")
    parser.add_argument("--targets", default="query,value", help="an address; or all-linear")
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--rows", type=int, default=128, help="sentences in the batch")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--model", help="HF directory of a BERT; default random weights")


def main(args):
    """Returns the figures of one process, and that there is nobody to be unequal to."""
    if min(args.rank, args.rows, args.rounds, args.threads) < 1:
        raise Problem("--rank, --rows, --rounds and --threads must be at least 1")
    arguments = ["--data", places.data_file(args.data)]
    for name in ("adapters", "targets", "rank", "rows", "rounds", "threads"):
        arguments += [f"--{name}", str(getattr(args, name))]
    if args.model:
        arguments += ["--model", os.path.abspath(args.model)]
    before = machine()
    done = run("adapters", trimtab.command(MAIN_CLASS, arguments), args.threads)
    return {**done.answer, "peak_memory_mb": round(done.peak_memory_mb), "machine": before}, True
