# SPDX-License-Identifier: Apache-2.0
"""What becomes a duty: a judgement learnt from letters whose orders are known looks at all that the rules read, and did
not read (docs/letters.md). From the sentences to the decision: `sentences`, `facts`, `features`, `likelihood`,
`candidates`, `decision`.
"""
