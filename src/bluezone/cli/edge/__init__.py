# SPDX-License-Identifier: Apache-2.0
"""Commands of phones, gates and loudspeakers: handset, gate, speaker, radio."""
