# SPDX-License-Identifier: Apache-2.0
"""Assumptions under which the model follows the equations of epidemics."""

from bluezone.planning.assumptions import Assumptions, read_assumptions

AGES = 9
# No measures, equal people, and contacts with anybody.
PLAIN = {
    "at_school": [0.0, 0.0],
    "at_work": 0.0,
    "household_sizes": [1.0, 0, 0, 0, 0, 0, 0],
    "chance_contacts": [10.0] * AGES,
    "chance_spread": 1000.0,
    "dispersion": 1000.0,
    "symptoms": [0.98] * AGES,
    "symptoms_factor": 1.0,
    "silent_factor": 1.0,
    "susceptibility": [1.0] * AGES,
    "measures": 1.0,
    "tested": 0.0,
    "isolating": 0.0,
}


def plain(**more: object) -> Assumptions:
    """The assumptions of COVID-19, with equal people (PLAIN), changed by `more`."""
    return read_assumptions().with_values({**PLAIN, **more})
