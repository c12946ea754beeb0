# SPDX-License-Identifier: Apache-2.0
"""The package itself: signature, manifest as Android reads it, every library, the dex, size and contents."""

import io
import re
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tools.apk.contents import engine_files
from tools.apk.native import ABIS, PAGE
from tools.apk.packing import misaligned

REPOSITORY = Path(__file__).parents[3]
LARGEST = 30_000_000
# Of Android itself; whatever else a library needs must be in the package.
SYSTEM = {"libc.so", "libm.so", "libdl.so", "libz.so", "liblog.so"}
READERS = "/usr/share/java"


def libraries(unpacked: Path, abi: str) -> list[Path]:
    return sorted((unpacked / "lib" / abi).glob("*.so"))


def test_the_signature_holds_by_both_schemes_that_phones_from_android_8_on_read(apk, say):
    told = say("apksigner", "verify", "--verbose", "--min-sdk-version", "26", apk)

    assert "(APK Signature Scheme v2): true" in told
    assert "(APK Signature Scheme v3): true" in told


def test_android_reads_the_manifest_as_it_was_meant(apk, say):
    badging = say("aapt2", "dump", "badging", apk)
    assert "sdkVersion:'26'" in badging
    assert "targetSdkVersion:'36'" in badging
    assert "application-debuggable" not in badging
    tree = say("aapt2", "dump", "xmltree", apk, "--file", "AndroidManifest.xml")
    parts = re.split(r"\n +E: (?=activity|service|receiver|provider|application)", tree)
    said = {
        re.search(r'name\(0x01010003\)="([^"]+)"', part).group(1): part
        for part in parts
        if part.startswith(("activity", "service", "receiver", "provider"))
    }
    assert {name: "exported(0x01010010)=true" in part for name, part in said.items()} == {
        "bluezone.phone.MainActivity": True, "bluezone.phone.TracingService": False, "bluezone.phone.Watchdog": False,
        "bluezone.phone.StartReceiver": False,
    }  # fmt: skip
    assert "foregroundServiceType(0x01010599)=0x00000010" in said["bluezone.phone.TracingService"]  # connectedDevice
    application = next(part for part in parts if part.startswith("application"))
    for promise in ("allowBackup(0x01010280)=false", "usesCleartextTraffic(0x010104ec)=false", "networkSecurityConfig"):
        assert promise in application


@pytest.mark.parametrize("abi", ABIS, ids=lambda abi: abi.name)
def test_every_library_is_for_its_phone_lies_on_large_pages_and_needs_nothing_that_is_not_there(unpacked, say, abi):
    there = libraries(unpacked, abi.name)
    assert {"libbluezone.so", "libbzkernel.so", "libcrypto_python.so", "libpython3.11.so"} <= {
        one.name for one in there
    }
    for library in there:
        head = library.read_bytes()[:20]
        assert head[:4] == b"\x7fELF"
        assert struct.unpack_from("<H", head, 18) == (abi.machine,), library.name
        loads = [
            line.split() for line in say("llvm-readelf", "-lW", library).splitlines() if line.strip().startswith("LOAD")
        ]
        assert {int(load[-1], 16) for load in loads} == {PAGE}, library.name
        dynamic = say("llvm-readelf", "-d", library)
        assert "TEXTREL" not in dynamic, library.name
        needed = set(re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic))
        assert needed <= SYSTEM | {one.name for one in there}, library.name


@pytest.mark.parametrize("abi", ABIS, ids=lambda abi: abi.name)
def test_the_kernel_takes_nothing_but_libc_and_the_bridge_nothing_but_python(unpacked, say, abi):
    folder = unpacked / "lib" / abi.name

    def symbols(library: str, kind: str) -> set[str]:
        table = say("llvm-readelf", "--dyn-syms", "-W", folder / library).splitlines()
        rows = [line.split() for line in table]
        return {row[7].partition("@")[0] for row in rows if len(row) > 7 and (row[6] == "UND") == (kind == "taken")}

    libc = {
        "malloc",
        "calloc",
        "realloc",
        "free",
        "abort",
        "memcpy",
        "memmove",
        "memset",
        "memcmp",
        "strlen",
        "getauxval",
    }
    plain = {name for name in symbols("libbzkernel.so", "taken") if not name.startswith("__aeabi_mem")}
    assert plain <= libc
    python = symbols("libpython3.11.so", "given")
    bridge = {name for name in symbols("libbluezone.so", "taken") if not name.startswith("__aeabi_mem")}
    assert bridge - python <= libc | {"pthread_key_create", "pthread_setspecific"}


def test_two_independent_readers_find_the_same_classes_in_the_dex(unpacked, say):
    dex = unpacked / "classes.dex"
    first = set(re.findall(r"Class descriptor +: '(.+)'", say("dexdump", "-f", dex)))
    jars = ":".join(str(path) for path in Path(READERS).glob("*.jar"))
    second = set(say("java", "-cp", jars, "org.jf.baksmali.Main", "list", "classes", dex).split())

    assert first == second
    for name in (
        "phone/MainActivity", "phone/TracingService", "phone/StartReceiver", "phone/Watchdog", "phone/Python",
        "radio/android/platform/ScanListener", "radio/android/platform/AdvertisingListener",
    ):  # fmt: skip
        assert f"Lbluezone/{name};" in first
    assert {"Lbluezone_phone/components/PageClient;", "Lbluezone_phone/components/PageChrome;"} <= first


def test_the_package_is_small_aligned_and_holds_nothing_of_the_desktop(apk):
    assert apk.stat().st_size < LARGEST
    assert misaligned(apk) == []
    with zipfile.ZipFile(apk) as archive:
        names = archive.namelist()
        engine = zipfile.ZipFile(io.BytesIO(archive.read("assets/python/engine.zip")))
        library = zipfile.ZipFile(io.BytesIO(archive.read("assets/python/stdlib.zip")))
    packed = {name for name in engine.namelist() if "__pycache__" not in name}
    assert {name for name in packed if not name.startswith("tzdata")} == set(engine_files())
    sources = {name: path for name, path in engine_files().items() if not name.endswith("city.toml")}
    assert [name for name, path in sources.items() if engine.read(name) != path.read_bytes()] == []
    everything = [*names, *packed, *library.namelist()]
    desktop = re.compile(r"(django|bumble|numpy|cryptography|pytest)/|bluezone/(web|rollout|server|cli|portal)/")
    assert [name for name in everything if desktop.match(name)] == []
    assert {entry.compress_type for entry in library.infolist()} == {zipfile.ZIP_STORED}


def test_a_second_build_gives_the_same_bytes_but_for_the_signature(apk):
    unsigned = apk.with_name("unsigned.apk")
    before = unsigned.read_bytes()
    subprocess.run([sys.executable, "-m", "tools.apk", "--out", apk.with_name("again.apk")], cwd=REPOSITORY, check=True)

    assert unsigned.read_bytes() == before
