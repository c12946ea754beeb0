# SPDX-License-Identifier: Apache-2.0
"""Puts the Android package together without Gradle and without an NDK: `python -m tools.apk`, see docs/android.md."""
