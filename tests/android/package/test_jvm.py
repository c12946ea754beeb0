# SPDX-License-Identifier: Apache-2.0
"""The app's Java and Python run together on Android's own classes, in a JVM of this machine (FirstDayTest.java,
WarnedDayTest.java).

What of it is real and what a shadow is said in docs/android.md.
"""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import urllib.request
from pathlib import Path

import pytest
from tests.android.package.androidxstubs import write_stubs
from tests.android.package.distantcity import a_distant_city
from tools.apk.fetching import fetch
from tools.apk.native import KERNEL, NATIVE, kernel_source
from tools.apk.programs import jni_headers, run

HERE = Path(__file__).parent
JAVA = HERE / "jvm"
OVERLAY = HERE.parents[2] / "android" / "overlay"


@pytest.fixture(scope="module")
def machine(apk, tmp_path_factory) -> tuple[list[Path], Path, Path]:
    """The class path, the folder of frameworks for Robolectric, and the folder of this machine's native libraries."""
    work, build = tmp_path_factory.mktemp("jvm"), apk.parent
    jars = fetch(HERE / "pins.toml", build / "fetched-for-tests")
    frameworks = work / "frameworks"
    frameworks.mkdir()
    for name in [name for name in jars if name.startswith("android-all")]:
        (frameworks / name).symlink_to(jars.pop(name))
    (android,) = build.glob("framework-*/classes.jar")
    classes = work / "classes"
    sources = [*write_stubs(work / "stubs"), *JAVA.glob("*.java")]
    path = [*jars.values(), build / "classes", android]
    run(
        "javac", "-nowarn", "-proc:none", "-encoding", "UTF-8", "-cp", ":".join(map(str, path)), "-d", classes, *sources
    )
    told = classes / "com" / "android" / "tools" / "test_config.properties"
    told.parent.mkdir(parents=True)
    told.write_text(
        f"android_merged_manifest={OVERLAY / 'AndroidManifest.xml'}\n"
        f"android_resource_apk={build / 'unsigned.apk'}\nandroid_custom_package=bluezone.phone\n"
    )
    return [classes, *path], frameworks, native_of_this_machine(work / "native")


def native_of_this_machine(folder: Path) -> Path:
    """The native libraries under the names of a phone's: the bridge compiled here, this machine's CPython 3.11."""
    folder.mkdir()
    python = next(Path(sysconfig.get_config_var("LIBDIR")).rglob("libpython3.11.so.1.0"), None)
    modules = Path("/usr/lib/python3.11/lib-dynload")
    if python is None or not modules.is_dir():
        pytest.skip("needs the system's libpython3.11")
    (folder / "libpython3.11.so").symlink_to(python)
    for module in modules.glob("*.so"):
        (folder / f"libpy_{module.name.partition('.')[0]}.so").symlink_to(module)
    for name in ("crypto", "ssl", "sqlite3"):  # what they hold is in Python's own modules here
        run("gcc", "-shared", "-o", folder / f"lib{name}_python.so", "-x", "c", "/dev/null")
    run(
        "gcc", "-O2", "-fPIC", "-shared", "-fvisibility=hidden", f'-DBLUEZONE_KERNEL_SOURCE="{kernel_source()}"', "-o",
        folder / "libbzkernel.so", KERNEL,
    )  # fmt: skip
    headers = jni_headers()
    run(
        "gcc", "-O1", "-Wall", "-Werror", "-fPIC", "-shared", f"-I{headers}", f"-I{headers / 'linux'}", "-o",
        folder / "libbluezone.so", NATIVE / "bridge.c",
    )  # fmt: skip
    return folder


def run_on_the_jvm(machine, test: str, *properties: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a test class of Java's; what it says is in the answer."""
    path, frameworks, native = machine
    return subprocess.run(
        [
            shutil.which("java"), f"-Djava.library.path={native}", f"-Dbluezone.python={JAVA}", "-Xmx1g",
            "-Drobolectric.offline=true", f"-Drobolectric.dependency.dir={frameworks}", "-Dfile.encoding=UTF-8",
            *properties, "-cp", ":".join(map(str, path)), "org.junit.runner.JUnitCore", f"bluezone.phone.{test}",
        ],
        # Python's own modules on this machine find Python's symbols only where those are the whole process's. Of this
        # machine's build the package's library has no settings, in which zoneinfo would look for its path.
        env={**os.environ, "LD_PRELOAD": str(native / "libpython3.11.so"), "BLUEZONE_NATIVE": str(native),
            "BLUEZONE_KERNEL_LIBRARY": str(native / "libbzkernel.so"), "PYTHONTZPATH": "", **environment,
        },
        capture_output=True, text=True, timeout=800,
    )  # fmt: skip


def said(ran: subprocess.CompletedProcess[str]) -> str:
    """What matters of it."""
    lines = (ran.stdout + ran.stderr).splitlines()
    return "\n".join(line for line in lines if not line.startswith(("\tat java.", "\tat org.")))


def print_times(ran: subprocess.CompletedProcess[str]) -> None:
    """What a run measured, which no test judges, and the machine's load: `make test-apk ARGS=-rP` shows it."""
    lines = [line for line in ran.stdout.splitlines() if " ms: " in line]
    sys.stdout.write("\n".join([*lines, f"load {os.getloadavg()[0]:.1f}\n"]))


def test_the_first_day_of_a_phone_on_androids_own_classes(machine):
    ran = run_on_the_jvm(machine, "FirstDayTest")

    assert ran.returncode == 0, said(ran)
    assert "OK (" in ran.stdout
    print_times(ran)


def test_a_phone_that_was_killed_after_a_meeting_is_warned_reports_and_is_erased(machine, tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    with a_distant_city(tmp_path) as city:
        properties = (f"-Dbluezone.kept={kept}", f"-Dbluezone.city={city.url}", f"-Dbluezone.trust={city.trust}")
        environment = {"BLUEZONE_TEST_CITY": city.control, "SSL_CERT_FILE": str(city.authority)}
        before = run_on_the_jvm(machine, "WarnedDayTest", *properties, "-Dbluezone.part=before", **environment)
        assert before.returncode == -signal.SIGKILL, said(before)
        print_times(before)
        urllib.request.urlopen(f"{city.control}/report").close()
        after = run_on_the_jvm(machine, "WarnedDayTest", *properties, "-Dbluezone.part=after", **environment)

    assert after.returncode == 0, said(after)
    assert "OK (" in after.stdout
    print_times(after)
