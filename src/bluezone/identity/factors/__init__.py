# SPDX-License-Identifier: Apache-2.0
"""Second factors: codes of an app, passkeys, recovery codes, and when an act needs one."""
