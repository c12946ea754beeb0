# SPDX-License-Identifier: Apache-2.0
"""Gates, loudspeakers and radios, and the boxes they may be."""
