# SPDX-License-Identifier: Apache-2.0
"""The anonymous API and its two stores: phones upload reports and fetch files. No Django.

`http` answers phones, `service` puts the parts together: `codes` (issued, checked, redeemed), `uploads`, `limits`,
`publication` (embargo, padding, files, indexes), `venues`, `declarations`, `push`, `gatetokens`, `retention`; below
them `keys` and `storage`. Which may import which is a contract in pyproject.toml.
"""
