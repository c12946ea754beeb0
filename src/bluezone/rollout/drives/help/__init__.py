# SPDX-License-Identifier: Apache-2.0
"""Help that people ask for: opening a request, and the queue in which teams take it on and close it."""
