# SPDX-License-Identifier: Apache-2.0
"""The permissions that the app needs on each version of Android, and the guide for each maker's background settings."""

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

ANDROID_10 = 29
ANDROID_12 = 31
ANDROID_13 = 33

Step = Literal[
    "agree", "nearby", "location", "location_always", "blocked", "location_switch", "notices", "battery", "maker", "go"
]

Guide = Literal["samsung", "xiaomi", "oppo", "vivo", "huawei", "vsmart", "other"]

# By Build.MANUFACTURER in lower case. realme and OnePlus have OPPO's menus; Redmi and POCO are Xiaomi's, iQOO
# is vivo's; HONOR kept Huawei's.
_MAKERS: dict[str, Guide] = {
    "samsung": "samsung", "xiaomi": "xiaomi", "redmi": "xiaomi", "poco": "xiaomi", "oppo": "oppo", "realme": "oppo",
    "oneplus": "oppo", "vivo": "vivo", "iqoo": "vivo", "huawei": "huawei", "honor": "huawei", "vsmart": "vsmart",
    "vinsmart": "vsmart",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PhoneState:
    """The permissions and settings of the phone now.

    api_level:      of the phone's Android, 26 or more.
    granted:        granted permissions.
    settled:        permissions that were refused so often that Android no longer asks the owner.
    location_on:    whether location is switched on; before Android 12, Bluetooth scans need it.
    battery_exempt: whether the app is exempt from Android's battery optimisation.
    """

    api_level: int
    granted: frozenset[str] = frozenset()
    settled: frozenset[str] = frozenset()
    location_on: bool = True
    battery_exempt: bool = False


def step_permissions(step: Step) -> tuple[str, ...]:
    """The permissions that the button of a step requests."""
    return {
        "nearby": (SCAN, ADVERTISE, CONNECT), "location": (FINE_LOCATION,), "location_always": (BACKGROUND_LOCATION,),
        "notices": (NOTIFICATIONS,),
    }.get(step, ())  # fmt: skip


def required_steps(api_level: int) -> tuple[Step, ...]:
    """Return the steps without which the phone cannot hear others, in order. Android 12 or later needs no location."""
    if api_level >= ANDROID_12:
        return ("nearby",)
    # A service that starts when the phone boots counts as background.
    if api_level >= ANDROID_10:
        return ("location", "location_always")
    return ("location",)


def required_permissions(api_level: int) -> tuple[str, ...]:
    """The permissions without which the phone cannot hear others."""
    names: list[str] = []
    for step in required_steps(api_level):
        names += step_permissions(step)
    return tuple(names)


def may_run(state: PhoneState, answers: Answers) -> bool:
    """Whether the service may start: the owner has agreed, and all needed permissions are granted."""
    return answers.agreed and state.granted.issuperset(required_permissions(state.api_level))


def next_step(state: PhoneState, answers: Answers) -> Step:
    """Return the step to show now; "go" means the phone's page."""
    if not answers.agreed:
        return "agree"
    for step in required_steps(state.api_level):
        if not _granted(step, state):
            return "blocked" if state.settled.intersection(step_permissions(step)) else step
    if state.api_level < ANDROID_12 and not state.location_on and not answers.location_switch_asked:
        return "location_switch"
    if state.api_level >= ANDROID_13 and not _granted("notices", state) and not answers.notices_asked:
        return "notices"
    if not state.battery_exempt and not answers.battery_asked:
        return "battery"
    return "maker" if answers.killed or not answers.maker_read else "go"


def answers_after(step: Step) -> dict[str, bool]:
    """The answers to store when the owner leaves a step by its button or by "not now"."""
    answers: dict[Step, dict[str, bool]] = {
        "agree": {"agreed": True}, "location_switch": {"location_switch_asked": True},
        "notices": {"notices_asked": True}, "battery": {"battery_asked": True},
        "maker": {"maker_read": True, "killed": False},
    }  # fmt: skip
    return answers.get(step, {})


def _granted(step: Step, state: PhoneState) -> bool:
    return state.granted.issuperset(step_permissions(step))


def maker_guide(maker: str) -> Guide:
    """The guide for a phone's maker, by Android's name for it; "other" describes Android's own menu."""
    return _MAKERS.get(maker.strip().lower(), "other")
