# SPDX-License-Identifier: Apache-2.0
"""A process of a part that says it is ready, if it is told to, and ends by itself or with its parent."""

import argparse
import sys

from bluezone.server.processes.lifeline import report_ready

parser = argparse.ArgumentParser()
parser.add_argument("life", choices=["dies", "dies_unready", "lives", "lives_unready"])
for name in ("ready", "meters", "row"):
    parser.add_argument(f"--{name}", type=int)
given = parser.parse_args()
if not given.life.endswith("_unready"):
    report_ready(given.ready)
if given.life.startswith("lives"):
    sys.stdin.read()
