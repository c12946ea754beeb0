# SPDX-License-Identifier: Apache-2.0
"""The signing daemon: only it has the city key, the export key and the week keys; it signs what its rules allow."""
