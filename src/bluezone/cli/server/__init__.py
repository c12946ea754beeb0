# SPDX-License-Identifier: Apache-2.0
"""The commands of a city's server: one module for each command or group."""
