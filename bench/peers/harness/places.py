"""Where things lie: the project, what the comparison writes, the data, the model."""

import json
import os
import subprocess

from harness.problem import Problem, say

PROJECT = os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
)
PEERS = os.path.join(PROJECT, "bench", "peers")
WORK = os.path.join(PROJECT, "bench", "target", "peers")
LOGS = os.path.join(WORK, "logs")
LAUNCHER = os.path.join(PROJECT, "trimtab")
SST2 = os.path.join(PROJECT, "..", "shared", "data", "sst2", "stsa.binary.train")
NEEDED = ("config.json", "model.safetensors")
VOCABULARIES = ("tokenizer.json", "vocab.txt")


def data_file(path):
    """The SST-2 training file, given or beside the project."""
    if not os.path.isfile(path):
        raise Problem(
            f"no SST-2 file at {os.path.normpath(path)}; give one with --data FILE"
            " (lines of `label text`, as stsa.binary.train)"
        )
    return os.path.abspath(path)


def model_directory(name):
    """A directory in Hugging Face layout: `name` itself, or where Trimtab's cache holds that id."""
    if os.path.isdir(name):
        directory = os.path.abspath(name)
    else:
        directory = pulled(name)
    missing = [f for f in NEEDED if not os.path.isfile(os.path.join(directory, f))]
    # Without a vocabulary transformers builds an empty tokenizer and says nothing.
    if not any(os.path.isfile(os.path.join(directory, f)) for f in VOCABULARIES):
        missing.append(" or ".join(VOCABULARIES))
    if missing:
        raise Problem(
            f"{directory} lacks {', '.join(missing)}: the peers read only the Hugging Face layout;"
            " give such a directory with --model DIR"
        )
    return directory


def pulled(name):
    """Asks `trimtab pull`, which answers at once where the cache has the model."""
    if not os.access(LAUNCHER, os.X_OK):
        raise Problem(f"no directory '{name}' and no launcher {LAUNCHER}; give --model DIR")
    say(f"asking trimtab for {name} …")
    answer = subprocess.run(
        [LAUNCHER, "pull", name, "--json"], stdout=subprocess.PIPE, text=True, check=False
    )
    if answer.returncode != 0:
        raise Problem(f"trimtab pull {name} failed; give --model DIR")
    try:
        return json.loads(answer.stdout.strip().splitlines()[-1])["directory"]
    except (IndexError, ValueError, KeyError, TypeError) as e:
        raise Problem(
            f"trimtab pull {name} --json did not end with an object that has 'directory';"
            " give --model DIR"
        ) from e
