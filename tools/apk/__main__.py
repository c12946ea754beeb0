# SPDX-License-Identifier: Apache-2.0
"""Makes the Android package: `python -m tools.apk [--city FILE] [--out FILE]`, see docs/android.md.

A release is signed where BLUEZONE_KEYSTORE, BLUEZONE_KEYSTORE_PASSWORD and BLUEZONE_KEY_ALIAS name a key; without them
a key for trying is made in the build folder.
"""

import argparse
import hashlib
import os
import shutil
import sys
import tomllib
import zipfile
from pathlib import Path

from tools.apk.contents import PHONE, engine_zip, library_zip, native_files
from tools.apk.fetching import PINS, fetch
from tools.apk.framework import write_classes, write_framework
from tools.apk.native import ABIS, ROOT, build_native
from tools.apk.packing import misaligned, pack
from tools.apk.programs import BuildFailed, missing, run
from tools.apk.proxies import write_proxies

from bluezone import __version__

APP = ROOT / "android"
WORK = ROOT / "build" / "apk"
MIN_SDK, TARGET_SDK = 26, 36
APPLICATION = "vn.example.bluezone"
PROXIES = {
    "bluezone_phone.components": PHONE / "components.py",
    "bluezone.radio.android.platform": ROOT / "src/bluezone/radio/android/platform.py",
}
# Compressed, because three kinds of phone are in one package, and Android unpacks the one it needs.
STORED = frozenset({"resources.arsc"})
# Of the icon, by the density that its size in pixels is for.
ICONS = {48: "mdpi", 72: "hdpi", 96: "xhdpi", 144: "xxhdpi", 192: "xxxhdpi"}
LAYERS = {108: "mdpi", 162: "hdpi", 216: "xhdpi", 324: "xxhdpi", 432: "xxxhdpi"}


def build(city: Path, out: Path) -> None:
    """Make the package. Raises BuildFailed."""
    if lacking := missing():
        raise BuildFailed("make apk needs more programs:  sudo apt-get install " + " ".join(lacking))
    told = tomllib.loads(city.read_text())
    pinned = fetch(PINS, WORK / "fetched")
    framework = _framework(pinned["android.jar"])
    base = _resources(framework / "resources.apk", told)
    files = _unzipped(base)
    files["classes.dex"] = _dex(framework / "classes.jar", pinned["dx.jar"])
    for abi in ABIS:
        libraries = native_files(pinned[f"python-{abi.name}.zip"], abi.name)
        python = WORK / "native" / abi.name / "libpython3.11.so"
        python.parent.mkdir(parents=True, exist_ok=True)
        python.write_bytes(libraries["libpython3.11.so"])
        libraries |= {path.name: path.read_bytes() for path in build_native(abi, python, python.parent)}
        files |= {f"lib/{abi.name}/{name}": content for name, content in libraries.items()}
    files["assets/python/engine.zip"] = engine_zip(city, WORK)
    files["assets/python/stdlib.zip"] = library_zip(pinned["stdlib.zip"])
    parts = hashlib.sha256(files["assets/python/engine.zip"] + files["assets/python/stdlib.zip"])
    files["assets/python/build"] = parts.hexdigest().encode()
    unsigned = WORK / "unsigned.apk"
    pack(unsigned, files, STORED)
    _sign(unsigned, out)
    if wrong := misaligned(out):
        raise BuildFailed(f"not aligned: {', '.join(wrong)}")


def _framework(jar: Path) -> Path:
    """A folder with Android's classes and resources, made once for each pinned jar."""
    folder = WORK / f"framework-{jar.stat().st_mtime_ns}"
    if not folder.is_dir():
        shutil.rmtree(WORK / "unfinished", ignore_errors=True)
        (WORK / "unfinished").mkdir()
        write_framework(jar, WORK / "unfinished" / "resources.apk")
        write_classes(jar, WORK / "unfinished" / "classes.jar")
        (WORK / "unfinished").rename(folder)
    return folder


def _resources(framework: Path, told: dict[str, object]) -> Path:
    """Manifest and resources, compiled, and the Java class of their numbers."""
    folder, base = WORK / "res", WORK / "base.apk"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(APP / "overlay" / "res", folder)
    for size, density in ICONS.items():
        into = folder / f"mipmap-{density}"
        into.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(APP / "icons" / f"bluezone-round-{size}.png", into / "bluezone.png")
    for size, density in LAYERS.items():
        into = folder / f"mipmap-{density}"
        shutil.copyfile(APP / "icons" / f"bluezone-adaptive-{size}.png", into / "bluezone_layer.png")
    run("aapt2", "compile", "--dir", folder, "-o", WORK / "res.zip")
    # Debian's aapt2 is older than <queries>, and keeps it in the manifest all the same.
    run(
        "aapt2", "link", "--warn-manifest-validation", "-I", framework,
        "--manifest", APP / "overlay" / "AndroidManifest.xml", "-o", base,
        "--java", WORK / "gen", "--min-sdk-version", str(MIN_SDK), "--target-sdk-version", str(TARGET_SDK),
        "--version-code", str(told.get("version_code", 1)), "--version-name", str(told.get("version", __version__)),
        "--rename-manifest-package", str(told.get("application", APPLICATION)), "--auto-add-overlay", WORK / "res.zip",
    )  # fmt: skip
    return base


def _unzipped(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _dex(framework: Path, dx: Path) -> bytes:
    """The Java of the app and of its proxies."""
    classes, out = WORK / "classes", WORK / "classes.dex"
    for name, source in PROXIES.items():
        write_proxies(source, name, WORK / "gen")
    shutil.rmtree(classes, ignore_errors=True)
    classes.mkdir()
    sources = sorted([*(APP / "java").rglob("*.java"), *(WORK / "gen").rglob("*.java")])
    run(
        "javac", "-nowarn", "-Xlint:-options", "-g:none", "--release", "8", "-encoding", "UTF-8", "-proc:none",
        "-classpath", framework, "-d", classes, *sources,
    )  # fmt: skip
    run(
        "java", "-cp", dx, "com.android.dx.command.Main", "--dex", f"--min-sdk-version={MIN_SDK}", f"--output={out}",
        classes,
    )  # fmt: skip
    return out.read_bytes()


def _sign(unsigned: Path, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    store = os.environ.get("BLUEZONE_KEYSTORE")
    alias, secret = os.environ.get("BLUEZONE_KEY_ALIAS", "bluezone"), "env:BLUEZONE_KEYSTORE_PASSWORD"
    environment = {}
    if not store:
        store, alias, environment = str(WORK / "debug.p12"), "debug", {"BLUEZONE_KEYSTORE_PASSWORD": "for trying only"}
        if not Path(store).is_file():
            run(
                "keytool", "-genkeypair", "-keystore", store, "-storetype", "PKCS12", "-storepass:env",
                "BLUEZONE_KEYSTORE_PASSWORD", "-alias", alias, "-keyalg", "EC", "-groupname", "secp256r1", "-sigalg",
                "SHA256withECDSA", "-validity", "10000", "-dname", "CN=Bluezone for trying only",
                environment=environment,
            )  # fmt: skip
        print("signed with a key for trying: nobody's phone will take an update of it from another machine")
    run(
        "apksigner", "sign", "--ks", store, "--ks-pass", secret, "--ks-key-alias", alias,
        "--min-sdk-version", str(MIN_SDK), "--v1-signing-enabled", "false", "--v2-signing-enabled", "true",
        "--v3-signing-enabled", "true", "--v4-signing-enabled", "false", "--out", out, unsigned,
        environment=environment,
    )  # fmt: skip


def main() -> int:
    """Build as the command line says; 1 with the reason where it cannot be."""
    parser = argparse.ArgumentParser(prog="tools.apk", description="Make the Android package.")
    parser.add_argument("--city", type=Path, default=PHONE / "city.toml", help="the city's file: server, trust")
    parser.add_argument("--out", type=Path, default=WORK / "bluezone.apk")
    asked = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    try:
        build(asked.city, asked.out)
    except BuildFailed as failed:
        print(f"apk: {failed}", file=sys.stderr)
        return 1
    size = asked.out.stat().st_size
    print(f"{asked.out} {size:,} bytes, sha256 {hashlib.sha256(asked.out.read_bytes()).hexdigest()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
