# SPDX-License-Identifier: Apache-2.0
"""An upload endpoint alone under granian, for benches: `python upload_server.py FOLDER keyserver|view PORT`."""

import importlib.util
import os
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from bluezone.keyserver.http import Application
from bluezone.keyserver.service import KeyServer

_FOLDER, _WHAT = "BLUEZONE_BENCH_FOLDER", "BLUEZONE_BENCH_WHAT"


@cache
def _application() -> Any:
    folder = Path(os.environ[_FOLDER])
    server = KeyServer.open(folder)
    if os.environ[_WHAT] == "keyserver":
        return Application(server.parts)
    spec = importlib.util.spec_from_file_location(
        "upload_django_view", Path(__file__).with_name("upload_django_view.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.application(folder, server)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    answer: Iterable[bytes] = _application()(environ, start_response)
    return answer


if __name__ == "__main__":
    from granian import Granian
    from granian.constants import Interfaces

    os.environ[_FOLDER], os.environ[_WHAT] = sys.argv[1:3]
    target = f"{__file__}:application"
    Granian(target, port=int(sys.argv[3]), interface=Interfaces.WSGI, blocking_threads=4, log_enabled=False).serve()
