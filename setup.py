# SPDX-License-Identifier: Apache-2.0
"""Build the native matcher and the native model if there is a compiler; pyproject.toml says everything else.

Both are plain shared libraries, called through ctypes, and no Python modules; setuptools builds them as if they were.
Each carries the checksum of the source it was built from, so that a build of older source is never used
(bluezone.protocol.kernel, bluezone.planning.kernel); and each is built anew or not at all, so that no older build is
packed into a wheel.
"""

import hashlib
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

SOURCES = {
    "bluezone.protocol._kernel": Path("src/bluezone/protocol/_kernel.c"),
    "bluezone.planning._simulation": Path("src/bluezone/planning/_simulation.c"),
}


class AlwaysAnew(build_ext):
    """Compile even when an object file looks newer than the source, and leave no earlier build where that fails."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.force = True

    def get_ext_filename(self, fullname: str) -> str:
        """A name that no search for modules takes for a module."""
        return str(Path(*fullname.split(".")).with_name("kernel.native.so"))

    def build_extension(self, ext: Extension) -> None:
        # The extension is optional: without a compiler the wheel is made all the same, of what lies in build/.
        Path(self.get_ext_fullpath(ext.name)).unlink(missing_ok=True)
        super().build_extension(ext)


setup(
    cmdclass={"build_ext": AlwaysAnew},
    ext_modules=[
        Extension(
            name,
            [str(source)],
            define_macros=[("BLUEZONE_KERNEL_SOURCE", f'"{hashlib.sha256(source.read_bytes()).hexdigest()}"')],
            extra_compile_args=["-O3", "-fvisibility=hidden", "-Wall", "-Wextra"],
            py_limited_api=True,
            optional=True,
        )
        for name, source in SOURCES.items()
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
