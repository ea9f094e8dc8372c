"""Trimtab's side: a JDK, the class path of bench/, the command that starts a main class of it."""

import glob
import os
import re
import shutil
import subprocess
import sys

from harness.places import PROJECT
from harness.problem import Problem, say

MODULE = os.path.join(PROJECT, "bench")
CLASSES = os.path.join(MODULE, "target", "classes")
# Written by Maven when it packages bench/; see the module's pom.
CLASSPATH = os.path.join(MODULE, "target", "classpath.txt")
LEAST_JAVA = 25
# JavaCPP's own limits would stop a process whose natives outgrow the heap; scopes free memory.
JVM_FLAGS = [
    "-Xmx512m",
    "--enable-native-access=ALL-UNNAMED",
    "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0",
    "-Dorg.bytedeco.javacpp.maxBytes=0",
]


def command(main_class, arguments):
    """The command line that runs `main_class` of bench/, after a build if one is due."""
    build()
    compiled = os.path.join(CLASSES, *main_class.split(".")) + ".class"
    if not os.path.isfile(compiled):
        raise Problem(
            f"bench/ has no class {main_class}, which is Trimtab's side of this job;"
            " --side peer runs the peer alone"
        )
    with open(CLASSPATH, encoding="utf-8") as file:
        dependencies = file.read().strip()
    classpath = os.pathsep.join([CLASSES, dependencies])
    return [java(), *JVM_FLAGS, "-cp", classpath, main_class, *arguments]


def build():
    """Packages bench/ and what it needs, where a source or a pom is newer than the last time."""
    if os.path.isfile(CLASSPATH) and newest_source() <= os.path.getmtime(CLASSPATH):
        return
    maven = shutil.which("mvn")
    if maven is None:
        raise Problem("no mvn on PATH to build bench/ with; install Maven 3.8 or newer")
    say("building bench/ …")
    goal = [maven, "-q", "-B", "-pl", "bench", "-am", "-DskipTests", "package"]
    if subprocess.run(goal, cwd=PROJECT, stdout=sys.stderr, check=False).returncode != 0:
        raise Problem(f"'{' '.join(goal[1:])}' failed; mend the build first")


def newest_source():
    """The newest change among poms and main sources, in seconds since the epoch."""
    patterns = ("pom.xml", "*/pom.xml", "*/src/main/**/*")
    files = (
        file
        for pattern in patterns
        for file in glob.glob(os.path.join(PROJECT, pattern), recursive=True)
    )
    return max(os.path.getmtime(file) for file in files if os.path.isfile(file))


def java():
    """A `java` of JDK 25 or newer: JAVA_HOME, PATH, then the usual folders."""
    homes = [os.environ.get("JAVA_HOME", "")]
    on_path = shutil.which("java")
    if on_path:
        homes.append(os.path.dirname(os.path.dirname(os.path.realpath(on_path))))
    for pattern in (
        "/usr/lib/jvm/*",
        "/opt/java/*",
        "/Library/Java/JavaVirtualMachines/*/Contents/Home",
        os.path.expanduser("~/.sdkman/candidates/java/*"),
        os.path.expanduser("~/.jdks/*"),
    ):
        homes += sorted(glob.glob(pattern), reverse=True)
    for home in homes:
        if home and version(home) >= LEAST_JAVA:
            return os.path.join(home, "bin", "java")
    raise Problem(f"found no JDK {LEAST_JAVA} or newer; install one or set JAVA_HOME to it")


def version(home):
    """The feature version in a JDK's `release` file, 0 where there is none."""
    try:
        with open(os.path.join(home, "release"), encoding="utf-8") as file:
            found = re.search(r'^JAVA_VERSION="(\d+)', file.read(), re.MULTILINE)
    except OSError:
        return 0
    return int(found.group(1)) if found and os.path.exists(home + "/bin/java") else 0
