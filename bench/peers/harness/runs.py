"""Runs one process and measures it from outside, in the same way for every side."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass

from harness.places import LOGS, PROJECT
from harness.problem import Problem


@dataclass(frozen=True)
class Run:
    """What a process printed last, when its first line came, and the most memory it held."""

    answer: dict
    seconds_to_first_line: float
    peak_memory_mb: float


def run(name, command, threads):
    """Runs to the end; the last line of standard output must be a JSON object.

    Peak memory is the kernel's count for this child, so neither side reports on itself. Standard
    error goes to a log, of which a failure shows the end.
    """
    os.makedirs(LOGS, exist_ok=True)
    log = os.path.join(LOGS, f"{name}.log")
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": str(threads),
        "PYTHONWARNINGS": "ignore",
    }
    with open(log, "wb") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, cwd=PROJECT, env=environment
        )
        first = process.stdout.readline()
        seconds = time.perf_counter() - start
        printed = (first + process.stdout.read()).decode("utf-8", "replace")
        process.stdout.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise Problem(
            f"{name} ended with {process.returncode}; the end of {log}:\n{last_lines(log)}"
        )
    lines = printed.strip().splitlines()
    try:
        answer = json.loads(lines[-1])
    except (IndexError, ValueError):
        answer = None
    if not isinstance(answer, dict):
        raise Problem(f"{name} printed no JSON object last on standard output; see {log}")
    # The kernel counts in KiB, but macOS in bytes.
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return Run(answer, seconds, usage.ru_maxrss / unit)


def last_lines(path, count=12):
    """The end of a log, for a message."""
    with open(path, encoding="utf-8", errors="replace") as file:
        return "".join(file.readlines()[-count:]).rstrip()


def machine():
    """What a reader needs to judge the figures by; a load above 1 says that others were at work."""
    model = None
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            named = (line for line in file if line.startswith("model name"))
            model = next(named, ":").split(":", 1)[1].strip() or None
    except OSError:
        pass
    return {"cpu": model, "cores": os.cpu_count(), "load_at_start": round(os.getloadavg()[0], 2)}
