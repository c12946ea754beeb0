# SPDX-License-Identifier: Apache-2.0
"""What Briefcase's activity runs once it is there."""

from bluezone_phone.front import begin

begin()
