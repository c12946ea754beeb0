# SPDX-License-Identifier: Apache-2.0
"""`bluezone plan` and `bluezone twin`: models of a city."""
