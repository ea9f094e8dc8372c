"""prefill: a text taken in at once, llama.cpp against Trimtab on the same GGUF file, in turns."""

from harness import speed


def add_arguments(parser):
    speed.add_arguments(parser)
    parser.add_argument("--tokens", type=int, default=512)


def main(args):
    """Returns the result to print and whether both sides computed the same."""
    return speed.main("prefill", args, ["--prompt-tokens", str(args.tokens), "--new-tokens", "0"])
