# SPDX-License-Identifier: Apache-2.0
"""Directives: a letter taken in, proposed as tasks, sent to its recipients, and registered."""
