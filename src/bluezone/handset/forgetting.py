# SPDX-License-Identifier: Apache-2.0
"""Forgetting a phone that cannot or need not be opened: key first, then everything sealed with it."""

from pathlib import Path

from bluezone.handset.store import KEY_FILE, LOCK_FILE, STORE_FILE, HandsetMissing, take_lock
from bluezone.handset.vault import AS_IT_IS, KeySealing, overwrite_and_remove


def forget_folder(folder: Path, sealing: KeySealing = AS_IT_IS) -> None:
    """Destroy the key, then overwrite and remove the store; works on a damaged or newer store too.

    sealing: how the key lies in its file.
    Raises HandsetMissing, HandsetBusy (the agent is running: stop it first).
    """
    if not (folder / STORE_FILE).exists() and not (folder / KEY_FILE).exists():
        raise HandsetMissing(f"no phone in {folder}: there is nothing to erase")
    with take_lock(folder):
        sealing.destroy()
        overwrite_and_remove(folder / KEY_FILE)
        for suffix in ("-wal", "-shm", ""):
            overwrite_and_remove(folder / (STORE_FILE + suffix))
        (folder / LOCK_FILE).unlink(missing_ok=True)
