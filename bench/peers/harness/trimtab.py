"""Trimtab's side: a JDK, the class path of bench/, the command that starts a main class of it."""

import glob
import os
import shutil
import subprocess
import sys

from harness.places import PROJECT
from harness.problem import Problem, say

MODULE = os.path.join(PROJECT, "bench")
CLASSES = os.path.join(MODULE, "target", "classes")
# Written by Maven when it packages bench/; see the module's pom.
CLASSPATH = os.path.join(MODULE, "target", "classpath.txt")
FIND_JDK = os.path.join(PROJECT, ".mvn", "find-jdk")
# JavaCPP's own limits would stop a process whose natives outgrow the heap; scopes free memory.
JVM_FLAGS = [
    "-Xmx512m",
    "--enable-native-access=ALL-UNNAMED",
    "--add-modules=jdk.incubator.vector",
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
    os.utime(CLASSPATH)  # Maven leaves it alone where the class path is what it was


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
    """The `java` of the JDK that the build uses as well."""
    found = subprocess.run([FIND_JDK], stdout=subprocess.PIPE, text=True, check=False)
    if found.returncode != 0:
        raise Problem("found no JDK 25 or newer; install one or set JAVA_HOME to it")
    return os.path.join(found.stdout.strip(), "bin", "java")
