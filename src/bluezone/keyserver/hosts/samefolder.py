# SPDX-License-Identifier: Apache-2.0
"""Machines that share a database share the keys and configs of its data folder; an old copy must sign nothing."""

from bluezone.keyserver.configs.configfiles import ConfigFiles
from bluezone.keyserver.keys.keyfolder import SigningKeys
from bluezone.keyserver.storage.store import Store, Transaction
from bluezone.protocol.signed.envelope import fingerprint
from bluezone.refusal import Refused


class DataFolderDiffers(Refused):
    """The data folder has other keys than the machines that share the database, or fewer: an old copy."""

    code = "data_folder_differs"


def require_same_folder(keys_store: Store, keys: SigningKeys, configs: ConfigFiles) -> None:
    """Compare this data folder with what was noted in the database. Raises DataFolderDiffers.

    SQLite stores are in the folder, so there is nothing to compare.
    """
    if keys_store.dialect != "postgresql":
        return
    noted = keys_store.read("SELECT signing_key, week_keys, configs FROM data_folder")
    if not noted:
        return
    signing_key, noted_keys, noted_configs = noted[0]
    if signing_key != _signing_key(keys):
        raise DataFolderDiffers(
            f"the database belongs to a data folder whose signing key is {signing_key[:16]}…, this one's is"
            f" {_signing_key(keys)[:16]}…; share the folders keys and configs, or use another database"
        )
    here = keys.week_keys.newest_kid(), configs.newest_number()
    if here[0] < noted_keys or here[1] < noted_configs:
        raise DataFolderDiffers(
            f"this data folder has week keys up to {here[0]} and configs up to {here[1]}, the database has seen"
            f" {noted_keys} and {noted_configs}; copy keys and configs from the machine that made them"
        )


def note_folder(keys_store: Store, keys: SigningKeys, configs: ConfigFiles) -> None:
    """Note in the database how far this data folder is. Call it in the turn, after keys and config were renewed."""
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
