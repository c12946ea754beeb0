# SPDX-License-Identifier: Apache-2.0
"""The limits of a connection and of the head of a request. Reasons: docs/adr/0013-front.md.

The times and rates of bodies are in `bodies`, their largest size is `MAX_BODY_BYTES` in `web.settings` and
`web.settings_public`; the limits of a network are in `threads`.
"""

# How long the head of a request may take, and the pause between two requests of a connection.
HEAD_MILLISECONDS = 5_000
# The longest head of a request; longer ones get 431.
HEAD_BYTES = 64 * 1024
# The most connections of one process, if it may open that many descriptors.
MOST_CONNECTIONS = 16_384
# Descriptors for stores, files being sent, bodies on disk.
OTHER_DESCRIPTORS = 1024
