"""The peers' Python: the one PEER_PYTHON names, else an environment of our own, versions pinned."""

import hashlib
import os
import shutil
import subprocess
import sys

from harness.places import PEERS
from harness.problem import Problem, say

REQUIREMENTS = os.path.join(PEERS, "requirements.txt")
IMPORTS = "import torch, transformers, peft, safetensors"


def interpreter(
    variable="PEER_PYTHON", requirements=REQUIREMENTS, imports=IMPORTS, environment=None
):
    """Path of a Python that can import the peers: the one a variable names, else one of our own.

    `environment` has variables for what is built when that is made.
    """
    named = os.environ.get(variable)
    if not named:
        return own_environment(variable, requirements, environment or {})
    python = shutil.which(named)
    if python is None:
        raise Problem(
            f"{variable} names '{named}', which is no program; name a Python or unset it"
        )
    tried = subprocess.run([python, "-c", imports], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        reason = (tried.stderr.strip().splitlines() or ["no message"])[-1]
        raise Problem(
            f"{variable} {python} cannot import the peers ({reason});"
            f" install {requirements} there or unset {variable}"
        )
    say(f"peers run on {variable} {python}")
    return python


def own_environment(variable, requirements, environment):
    """Makes the environment at first use; its folder is named by the pinned versions' hash."""
    with open(requirements, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()[:12]
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    directory = os.path.join(cache, "trimtab", "peers", digest)
    python = os.path.join(directory, "bin", "python")
    # The mark is written last, so that an environment cut short is made anew.
    mark = os.path.join(directory, "complete")
    if not os.path.isfile(mark):
        say(f"making an environment for the peers in {directory}; torch is a large download …")
        steps = (
            [sys.executable, "-m", "venv", "--clear", directory],
            [python, "-m", "pip", "install", "--quiet", "-r", requirements],
        )
        for command in steps:
            done = subprocess.run(
                command, stdout=sys.stderr, check=False, env={**os.environ, **environment}
            )
            if done.returncode != 0:
                raise Problem(
                    f"'{' '.join(command)}' failed; install {requirements} into a Python of yours"
                    f" and name it by {variable}"
                )
        with open(mark, "w", encoding="utf-8"):
            pass
    say(f"peers run on {python}")
    return python
