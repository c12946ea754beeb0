# SPDX-License-Identifier: Apache-2.0
"""The service in a process of its own, for a test that kills it: arguments folder, key store, server, trust."""

import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.builders.androidphone import AndroidPhone, Keystore, wait_for
from tests.builders.handset import PhoneClock, World

from bluezone.handset.android.cityfile import CityFile

folder, keystore, server, trust = sys.argv[1:]
world = World()
phone = AndroidPhone(
    Path(folder), Keystore(Path(keystore)), PhoneClock(world, world.now - 86_400), CityFile(server, trust)
)
tracing, device, _ = phone.process()
tracing.start()
wait_for(lambda: tracing.url)
device.fed.hear(bytes(range(20)))
sys.stdout.write("heard\n")
sys.stdout.flush()
threading.Event().wait(120)
