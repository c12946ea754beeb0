# SPDX-License-Identifier: Apache-2.0
"""What the backups register."""

from bluezone.duties.duty import Duty, Work

DUTY = Duty(
    name="backup",
    hourly=(Work("purge_backups", "bluezone.backup.purging.purge_backups"),),
)
