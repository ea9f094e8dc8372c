"""decode: tokens one by one, llama.cpp against Trimtab on the same GGUF file, in turns."""

from harness import speed


def add_arguments(parser):
    speed.add_arguments(parser)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--depth", type=int, default=64, help="tokens before the first timed one")


def main(args):
    """Returns the result to print and whether both sides computed the same."""
    test = ["--prompt-tokens", "0", "--new-tokens", str(args.tokens), "--depth", str(args.depth)]
    return speed.main("decode", args, test)
