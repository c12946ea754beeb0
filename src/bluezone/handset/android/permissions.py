# SPDX-License-Identifier: Apache-2.0
"""Which permissions the app needs on which Android, and where each maker puts the setting for background use."""

from dataclasses import dataclass
from typing import Literal

from bluezone.handset.android.setup import Answers

SCAN = "android.permission.BLUETOOTH_SCAN"
ADVERTISE = "android.permission.BLUETOOTH_ADVERTISE"
CONNECT = "android.permission.BLUETOOTH_CONNECT"
FINE_LOCATION = "android.permission.ACCESS_FINE_LOCATION"
BACKGROUND_LOCATION = "android.permission.ACCESS_BACKGROUND_LOCATION"
NOTIFICATIONS = "android.permission.POST_NOTIFICATIONS"
CAMERA = "android.permission.CAMERA"

ANDROID_10, ANDROID_12, ANDROID_13 = 29, 31, 33

Step = Literal[
    "agree", "nearby", "location", "location_always", "blocked", "location_switch", "notices", "battery", "maker", "go"
]


@dataclass(frozen=True, slots=True)
class PhoneState:
    """The phone as it is now.

    api_level: of its Android, 26 or more. granted: permissions given. settled: refused so often that Android shows no
    question any more. location_on: the location switch, which Android before 12 wants for any Bluetooth search.
    battery_exempt: Android's own battery optimisation leaves the app alone.
    """

    api_level: int
    granted: frozenset[str] = frozenset()
    settled: frozenset[str] = frozenset()
    location_on: bool = True
    battery_exempt: bool = False


def asked_at(step: Step) -> tuple[str, ...]:
    """The permissions that a step's button asks for."""
    return {
        "nearby": (SCAN, ADVERTISE, CONNECT), "location": (FINE_LOCATION,), "location_always": (BACKGROUND_LOCATION,),
        "notices": (NOTIFICATIONS,),
    }.get(step, ())  # fmt: skip


def needed(api_level: int) -> tuple[Step, ...]:
    """The steps without which the phone hears nobody, in order. From Android 12 on, no location among them."""
    if api_level >= ANDROID_12:
        return ("nearby",)
    # A service that was started by the phone's own start counts as background, from Android 10 on.
    return ("location", "location_always") if api_level >= ANDROID_10 else ("location",)


def permissions_needed(api_level: int) -> tuple[str, ...]:
    """The permissions without which the phone hears nobody."""
    return tuple(name for step in needed(api_level) for name in asked_at(step))


def may_run(state: PhoneState, answers: Answers) -> bool:
    """Whether the service may start: agreed to, and every needed permission is there."""
    return answers.agreed and state.granted.issuperset(permissions_needed(state.api_level))


def next_step(state: PhoneState, answers: Answers) -> Step:
    """The screen to show now; "go" is the phone's page."""
    if not answers.agreed:
        return "agree"
    for step in needed(state.api_level):
        if not _granted(step, state):
            return "blocked" if state.settled.intersection(asked_at(step)) else step
    if state.api_level < ANDROID_12 and not state.location_on and not answers.location_switch_asked:
        return "location_switch"
    if state.api_level >= ANDROID_13 and not _granted("notices", state) and not answers.notices_asked:
        return "notices"
    if not state.battery_exempt and not answers.battery_asked:
        return "battery"
    return "maker" if answers.killed or not answers.maker_read else "go"


def left(step: Step) -> dict[str, bool]:
    """The answers to note when the owner leaves a step by its button or by "not now"."""
    noted: dict[Step, dict[str, bool]] = {
        "agree": {"agreed": True}, "location_switch": {"location_switch_asked": True},
        "notices": {"notices_asked": True}, "battery": {"battery_asked": True},
        "maker": {"maker_read": True, "killed": False},
    }  # fmt: skip
    return noted.get(step, {})


def _granted(step: Step, state: PhoneState) -> bool:
    return state.granted.issuperset(asked_at(step))


Guide = Literal["samsung", "xiaomi", "oppo", "vivo", "huawei", "vsmart", "other"]

# What Build.MANUFACTURER says, in lower case. realme and OnePlus have OPPO's menus; Redmi and POCO are Xiaomi's, iQOO
# is vivo's; HONOR kept Huawei's.
_MAKERS: dict[str, Guide] = {
    "samsung": "samsung", "xiaomi": "xiaomi", "redmi": "xiaomi", "poco": "xiaomi", "oppo": "oppo", "realme": "oppo",
    "oneplus": "oppo", "vivo": "vivo", "iqoo": "vivo", "huawei": "huawei", "honor": "huawei", "vsmart": "vsmart",
    "vinsmart": "vsmart",
}  # fmt: skip


def guide_for(maker: str) -> Guide:
    """The guide for what Android calls the phone's maker; "other" is Android's own menu."""
    return _MAKERS.get(maker.strip().lower(), "other")
