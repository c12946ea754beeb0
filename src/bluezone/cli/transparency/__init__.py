# SPDX-License-Identifier: Apache-2.0
"""The commands of the public log: the city's side, and the witness's."""
