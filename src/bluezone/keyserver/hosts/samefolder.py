# SPDX-License-Identifier: Apache-2.0
"""Refuse an old copy of the data folder: machines that share a database must have the same keys and configs."""

from bluezone.keyserver.configs.configfiles import ConfigFiles
from bluezone.keyserver.keys.keyfolder import SigningKeys
from bluezone.keyserver.storage.store import Store, Transaction
from bluezone.protocol.signed.envelope import fingerprint
from bluezone.refusal import Refused


class DataFolderDiffers(Refused):
    """The data folder has other or fewer keys and configs than the machines that share the database."""

    code = "data_folder_differs"


def require_same_keys(keys_store: Store, keys: SigningKeys) -> None:
    """Compare this data folder's keys with what was noted in the database. Raises DataFolderDiffers.

    SQLite stores are in the folder, so there is nothing to compare.
    """
    noted = _noted(keys_store)
    if noted is None:
        return
    signing_key, noted_keys, _ = noted
    if signing_key != _signing_key(keys):
        raise DataFolderDiffers(
            f"the database belongs to a data folder whose signing key is {signing_key[:16]}…, this one's is"
            f" {_signing_key(keys)[:16]}…; share the folders keys and configs, or use another database"
        )
    _require_newest("week keys", keys.week_keys.newest_kid(), noted_keys)


def require_same_configs(keys_store: Store, configs: ConfigFiles) -> None:
    """As `require_same_keys`, for the configs. Call it after those that are missing were adopted."""
    noted = _noted(keys_store)
    if noted is not None:
        _require_newest("configs", configs.newest_number(), noted[2])


def _noted(keys_store: Store) -> tuple[str, int, int] | None:
    """The signing key's fingerprint and the newest week key and config; None with SQLite and before the first note."""
    if keys_store.dialect != "postgresql":
        return None
    rows = keys_store.read("SELECT signing_key, week_keys, configs FROM data_folder")
    return rows[0] if rows else None


def _require_newest(what: str, newest: int, noted: int) -> None:
    if newest < noted:
        raise DataFolderDiffers(
            f"this data folder has {what} up to {newest}, the database has seen {noted}; copy keys and configs from the"
            " machine that made them"
        )


def note_folder(keys_store: Store, keys: SigningKeys, configs: ConfigFiles) -> None:
    """Note the newest key and config in the database. Call it within the turn, after keys and config were renewed."""
    if keys_store.dialect != "postgresql":
        return
    row = (1, _signing_key(keys), keys.week_keys.newest_kid(), configs.newest_number())
    if keys_store.read("SELECT * FROM data_folder") == [row]:
        return

    def action(transaction: Transaction) -> None:
        transaction.execute(
            "INSERT INTO data_folder VALUES (?, ?, ?, ?) ON CONFLICT (one) DO UPDATE"
            " SET signing_key = excluded.signing_key, week_keys = excluded.week_keys, configs = excluded.configs",
            row,
        )

    keys_store.write(action)


def _signing_key(keys: SigningKeys) -> str:
    return fingerprint(keys.city_key)
