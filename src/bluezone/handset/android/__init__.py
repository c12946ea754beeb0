# SPDX-License-Identifier: Apache-2.0
"""The phone inside an Android app, without the Java part: service, notices, permissions and screens.

Nothing here imports a Java class. `android/src/bluezone_phone` imports them and passes in a Device.
"""
