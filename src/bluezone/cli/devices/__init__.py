# SPDX-License-Identifier: Apache-2.0
"""Gates, loudspeakers and radios, and the boxes that they may run on."""
