# SPDX-License-Identifier: Apache-2.0
"""The phone's Java side behind bluezone.handset.android.device: key store, notices, radio, permissions."""

import math
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from android.app import Notification, NotificationChannel, NotificationManager, PendingIntent
from android.content import Context, Intent
from android.content.pm import PackageManager
from android.content.res import Resources
from android.location import LocationManager
from android.os import Build, PowerManager
from android.security.keystore import KeyGenParameterSpec, KeyPermanentlyInvalidatedException, KeyProperties
from java import cast, jarray, jbyte, jchar, jclass
from java.lang import Exception as JavaException
from java.lang import String
from java.security import Key, KeyStore
from javax.crypto import AEADBadTagException, Cipher, KeyGenerator
from javax.crypto.spec import GCMParameterSpec

from bluezone.handset.android import permissions
from bluezone.handset.android.cityfile import CityFile
from bluezone.handset.android.device import Keystore, KeystoreKeyLost, KeystoreUnavailable, WakeLock
from bluezone.handset.android.notices import Notice, app_words
from bluezone.handset.android.permissions import PhoneState
from bluezone.handset.android.service import PhoneService
from bluezone.handset.android.setup import Answers, Setup
from bluezone.handset.page.api import Voice
from bluezone_phone.voice import AndroidVoice

if TYPE_CHECKING:
    from android.app import Activity

    from bluezone.handset.clocks import Clock
    from bluezone.radio.interface import Radio

CITY_FILE = Path(__file__).parent / "city.toml"
SERVICE = "bluezone.phone.TracingService"
ACTIVITY = "bluezone.phone.MainActivity"
RUNNING_CHANNEL, NEWS_CHANNEL = "running", "news"
RUNNING_ID, NEWS_ID = 1, 2

_PROVIDER, _ALIAS, _CIPHER = "AndroidKeyStore", "bluezone.handset.key", "AES/GCM/NoPadding"
_NONCE_LENGTH, _TAG_BITS, _KEY_BITS = 12, 128, 256
_ALL_PERMISSIONS = (
    permissions.SCAN, permissions.ADVERTISE, permissions.CONNECT, permissions.FINE_LOCATION,
    permissions.BACKGROUND_LOCATION, permissions.NOTIFICATIONS, permissions.CAMERA,
)  # fmt: skip


class AndroidKeystore:
    """One AES key that never leaves Android's key store; usable without the owner, as a service must be."""

    def create(self) -> None:
        """Make the key, in place of any before it."""
        purposes = KeyProperties.PURPOSE_ENCRYPT | KeyProperties.PURPOSE_DECRYPT
        try:
            generator = KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, _PROVIDER)
            wanted = KeyGenParameterSpec.Builder(_ALIAS, purposes)
            wanted.setBlockModes(String(KeyProperties.BLOCK_MODE_GCM))
            wanted.setEncryptionPaddings(String(KeyProperties.ENCRYPTION_PADDING_NONE))
            wanted.setKeySize(_KEY_BITS)
            generator.init(wanted.build())
            generator.generateKey()
        except JavaException as error:
            raise _unavailable(error) from error

    def encrypt(self, plain: bytes) -> bytes:
        """nonce || ciphertext || tag; the key store draws the nonce."""
        try:
            cipher = Cipher.getInstance(_CIPHER)
            cipher.init(Cipher.ENCRYPT_MODE, self._key())
            return bytes(cipher.getIV()) + bytes(cipher.doFinal(jarray(jbyte)(plain)))
        except JavaException as error:
            raise _unavailable(error) from error

    def decrypt(self, sealed: bytes) -> bytes:
        """What was sealed. Only what certainly cannot come back is called lost."""
        try:
            nonce = GCMParameterSpec(_TAG_BITS, jarray(jbyte)(sealed[:_NONCE_LENGTH]))
            cipher = Cipher.getInstance(_CIPHER)
            cipher.init(Cipher.DECRYPT_MODE, self._key(), nonce)
            return bytes(cipher.doFinal(jarray(jbyte)(sealed[_NONCE_LENGTH:])))
        except (AEADBadTagException, KeyPermanentlyInvalidatedException) as error:
            raise KeystoreKeyLost("the keystore key does not open this phone's key any more") from error
        except JavaException as error:
            raise _unavailable(error) from error

    def delete(self) -> None:
        """Destroy the key."""
        try:
            self._store().deleteEntry(_ALIAS)
        except JavaException as error:
            raise _unavailable(error) from error

    def _store(self) -> KeyStore:
        store = KeyStore.getInstance(_PROVIDER)
        store.load(cast(KeyStore.LoadStoreParameter, None))
        return store

    def _key(self) -> Key:
        store = self._store()
        if not store.containsAlias(_ALIAS):
            raise KeystoreKeyLost("the key store has no key for this app")
        return store.getKey(_ALIAS, cast(jarray(jchar), None))  # such a key has no password


def _unavailable(error: JavaException) -> KeystoreUnavailable:
    return KeystoreUnavailable(f"the key store answered {type(error).__name__}")


class AndroidAwake:
    """The wake lock and the alarm. They are Java's, because the alarm comes to Java first."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._java: Any = jclass("bluezone.phone.Awake")

    def hold(self, seconds: float) -> None:
        """Keep the processor awake for so long."""
        self._java.hold(self._context, round(seconds * 1000))

    def release(self) -> None:
        """Let it sleep."""
        self._java.release()

    def wake_at(self, boot_seconds: float) -> None:
        """Wake it; never early."""
        self._java.wakeAt(self._context, math.ceil(boot_seconds * 1000))

    def cancel(self) -> None:
        """Let it sleep, and wake it no more."""
        self._java.forget(self._context)


class AndroidDevice:
    """The phone as the engine needs it. context: the application's own."""

    def __init__(self, context: Context) -> None:
        self.keystore: Keystore = AndroidKeystore()
        self.wake_lock: WakeLock = AndroidAwake(context)
        self.voice: Voice = AndroidVoice(context)
        self._context = context

    def radio(self) -> "Radio":
        """The phone's Bluetooth."""
        from bluezone.radio.android import AndroidRadio

        radio: Radio = AndroidRadio(self._context)
        return radio

    def clock(self) -> "Clock":
        """The phone's clocks."""
        from bluezone.radio.android import AndroidClock

        clock: Clock = AndroidClock(self._context)
        return clock

    def show_running(self, notice: Notice) -> None:
        """Put it into the permanent notice."""
        self._manager().notify(RUNNING_ID, self.built(notice, RUNNING_CHANNEL))

    def show_news(self, notice: Notice) -> None:
        """Notify the owner."""
        self._manager().notify(NEWS_ID, self.built(notice, NEWS_CHANNEL))

    def end_service(self) -> None:
        """Take the notices away and end the service."""
        self._manager().cancelAll()
        self._context.stopService(service_intent(self._context))

    def make_channels(self, language: str) -> None:
        """Say once more what the two kinds of notice are called; Android keeps what the owner set for them."""
        words = app_words(language)
        for channel, importance in (
            (RUNNING_CHANNEL, NotificationManager.IMPORTANCE_LOW), (NEWS_CHANNEL, NotificationManager.IMPORTANCE_HIGH),
        ):  # fmt: skip
            made = NotificationChannel(channel, String(words[f"channel.{channel}"]), importance)
            made.setLockscreenVisibility(Notification.VISIBILITY_PUBLIC)
            self._manager().createNotificationChannel(made)

    def built(self, notice: Notice, channel: str) -> Notification:
        """The notice as Android has it; it opens the app. Public, because it never says what others may not read."""
        package = self._context.getPackageName()
        resources = cast(Resources, self._context.getResources())
        icon = resources.getIdentifier("bluezone_notice", "drawable", package)
        opening = Intent().setClassName(self._context, ACTIVITY)
        opened = PendingIntent.getActivity(self._context, 0, opening, PendingIntent.FLAG_IMMUTABLE)
        builder = Notification.Builder(self._context, channel)
        builder.setContentTitle(String(notice.title)).setContentText(String(notice.text)).setSmallIcon(icon)
        builder.setStyle(Notification.BigTextStyle().bigText(String(notice.text)))
        builder.setContentIntent(cast(PendingIntent, opened)).setVisibility(Notification.VISIBILITY_PUBLIC)
        builder.setOngoing(channel == RUNNING_CHANNEL).setAutoCancel(channel == NEWS_CHANNEL).setOnlyAlertOnce(True)
        return builder.build()

    def _manager(self) -> NotificationManager:
        return cast(NotificationManager, self._context.getSystemService(Context.NOTIFICATION_SERVICE))


class Parts:
    """What the service, the receiver and the activity share: one of each in a process."""

    _made: "Parts | None" = None
    _lock = threading.Lock()

    def __init__(self, context: Context) -> None:
        folder = Path(str(context.getFilesDir().getPath())) / "bluezone"
        needed = permissions.required_permissions(int(Build.VERSION.SDK_INT))
        self.device, self.setup = AndroidDevice(context), Setup(folder, needed)
        self.tracing = PhoneService(folder, lambda: CityFile.read(CITY_FILE), self.setup, self.device)

    @classmethod
    def of(cls, context: Context) -> "Parts":
        """The process's parts, from whichever thread asks first."""
        with cls._lock:
            if cls._made is None:
                cls._made = cls(context.getApplicationContext())
            return cls._made


def service_intent(context: Context) -> Intent:
    """Names the service."""
    return Intent().setClassName(context, SERVICE)


def maker() -> str:
    """As Android calls it."""
    return str(Build.MANUFACTURER)


def state_of(context: Context, answers: Answers, activity: "Activity | None" = None) -> PhoneState:
    """The phone now. activity: without one nobody can be asked, so nothing is called settled."""
    api_level = int(Build.VERSION.SDK_INT)
    granted = {name for name in _ALL_PERMISSIONS if _is_granted(context, name)}
    refused = set(answers.requested) - granted
    settled = {name for name in refused if activity and not activity.shouldShowRequestPermissionRationale(name)}
    power = cast(PowerManager, context.getSystemService(Context.POWER_SERVICE))
    location = cast(LocationManager, context.getSystemService(Context.LOCATION_SERVICE))
    return PhoneState(
        api_level, frozenset(granted), frozenset(settled),
        location_on=api_level < Build.VERSION_CODES.P or bool(location.isLocationEnabled()),
        battery_exempt=bool(power.isIgnoringBatteryOptimizations(context.getPackageName())),
    )  # fmt: skip


def _is_granted(context: Context, name: str) -> bool:
    return int(context.checkSelfPermission(name)) == PackageManager.PERMISSION_GRANTED
