# SPDX-License-Identifier: Apache-2.0
"""The anonymous API and its two stores: reports come in, files for phones go out. No Django.

`http` answers phones, `service` puts the parts together: `reports` (codes, submission, limits), `publication` (embargo,
padding, files, indexes), `venues`, `declarations`, `push`, `gatetokens`, `retention`; below them `keyfolder` and
`storage`. Which may import which is a contract in pyproject.toml.
"""
