# SPDX-License-Identifier: Apache-2.0
"""`bluezone serve`: its processes, its worker, and metrics."""
