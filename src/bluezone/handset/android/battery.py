# SPDX-License-Identifier: Apache-2.0
"""Where each maker's phones hide the switch that lets an app live on in the background.

The steps are what the makers' own menus are called, as far as known; they change with versions, and none was tried on
a phone by us (docs/android.md). Source: specs/original-bluezone.md 5, phones on which it "cannot work properly".
"""

from typing import Literal

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
