# SPDX-License-Identifier: Apache-2.0
"""The part that governs: week keys, configs, settings, and what the stores delete."""

from collections.abc import Callable
from pathlib import Path

from bluezone.city_settings import City
from bluezone.keyserver.codes.decoys import add_decoys
from bluezone.keyserver.configs.applied_settings import AppliedSettings, SettingsOutdated, settings_digest
from bluezone.keyserver.configs.configfiles import KIND as CONFIG_KIND
from bluezone.keyserver.configs.configuration import ConfigWriter
from bluezone.keyserver.datafolder import Notes
from bluezone.keyserver.hosts.samefolder import note_folder
from bluezone.keyserver.keys.keyfolder import ApprovalMissing, Secrets
from bluezone.keyserver.publication.mingling import mingle_once_an_hour
from bluezone.keyserver.retention import purge_stores
from bluezone.keyserver.storage.store import Store


class Governance:
    """Governs one city. Call its methods within the turn.

    show: shows the signer what was signed before; takes kind and content. notes: where this process notes its ticks.
    sync: exchanges keys, configs and settings with the hosts that share the database.
    """

    def __init__(
        self,
        data_dir: Path,
        city: City,
        codes_store: Store,
        keys_store: Store,
        secrets: Secrets,
        configs: ConfigWriter,
        applied: AppliedSettings,
        notes: Notes,
        sync: Callable[[], None],
        show: Callable[[str, bytes], object],
    ) -> None:
        self.city = city
        self.codes_store = codes_store
        self.keys_store = keys_store
        self.configs = configs
        # Whether other settings were applied after those of this process, so that it signs nothing.
        self.settings_outdated = False
        self._data_dir = data_dir
        self._secrets = secrets
        self._applied = applied
        self._notes = notes
        self._sync = sync
        self._show = show

    def renew_config(self, now: float, history_is_known: bool) -> SettingsOutdated | None:
        """Make missing week keys and the next config; returns why nothing may be signed, None if it may.

        history_is_known: whether the store knows everything that was published; if not, only a first config is made.
        """
        self._secrets.week_keys.rotate_week_keys(now)
        # Other hosts get the new keys before a config announces them.
        self._sync()
        # A city that has no config yet has published nothing.
        if not history_is_known and self.configs.newest_number():
            return None
        try:
            self._applied.require(self.keys_store, settings_digest(self.city, self._data_dir))
        except SettingsOutdated as outdated:
            self.settings_outdated = True
            if history_is_known:
                self._notes.set_signing_problem(None)
            return outdated
        self.settings_outdated = False
        newest = self.configs.newest_number()
        if newest:
            self._show(CONFIG_KIND, self.configs.path(newest).read_bytes())
        self.configs.renew(self.city, self._data_dir, now)
        if history_is_known:
            self._notes.set_signing_problem(ApprovalMissing.code if self.configs.waits_for_approval else None)
        note_folder(self.keys_store, self._secrets, self.configs)
        return None

    def mingle_once_an_hour(self, hour: int) -> bool:
        """Mingle keys and random keys of earlier hours; returns whether this is the first call in the hour."""
        return mingle_once_an_hour(self.keys_store, hour)

    def purge(self, now: float) -> None:
        """Delete from the stores what has expired at `now` (Unix seconds), and add decoys."""
        add_decoys(self.codes_store, self.keys_store, now, self.city.zone, self.city.padding_mean)
        purge_stores(self.codes_store, self.keys_store, now, self.city.hold_seconds)

    def apply_settings(self) -> None:
        """Apply this process's settings in place of those applied last; a person has decided so."""
        self._applied.apply(self.keys_store, settings_digest(self.city, self._data_dir))
        self.settings_outdated = False

    def newest_settings(self) -> int:
        """The number of the settings that were applied last."""
        return self._applied.newest(self.keys_store)[0]
