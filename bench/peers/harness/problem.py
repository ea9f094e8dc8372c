"""The one exception that ends a comparison with a line for the user instead of a stack trace."""


class Problem(Exception):
    """Says what was found, what was expected and what to do next."""


def say(message):
    """Progress goes to standard error; standard output is for the JSON line."""
    import sys

    print(message, file=sys.stderr, flush=True)
