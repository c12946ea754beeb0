# SPDX-License-Identifier: Apache-2.0
"""The signing daemon: it alone holds the city key, the export key and the week keys, and signs what its rules allow."""
