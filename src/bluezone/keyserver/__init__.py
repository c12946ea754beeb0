# SPDX-License-Identifier: Apache-2.0
"""The anonymous API and its two stores: phones upload reports and fetch files. No Django.

`http` answers phones. `service` composes the parts, which use `codes` (issued, checked, redeemed), `uploads`, `limits`,
`publication` (embargo, padding, files, indexes), `venues`, `declarations`, `push`, `gatetokens` and `retention`. Below
these are `keys` and `storage`. Contracts in pyproject.toml limit their imports.
"""
