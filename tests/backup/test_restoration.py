# SPDX-License-Identifier: Apache-2.0
import io
import tarfile

import pytest

from bluezone.backup.restoration import extract_archive


def packed(*members):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, kind, target in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.mode = kind, target, 0o4777
            archive.addfile(member)
    made.seek(0)
    return tarfile.open(fileobj=made)


def test_files_and_folders_are_unpacked_without_rights_for_others_to_write(tmp_path):
    folders = [(name, tarfile.DIRTYPE, "") for name in ("keys", "exports")]
    extract_archive(
        packed(*folders, ("keys/pepper", tarfile.REGTYPE, ""), ("exports/file", tarfile.REGTYPE, "")), tmp_path
    )

    assert oct((tmp_path / "exports" / "file").stat().st_mode & 0o7777) == "0o755"
    assert oct((tmp_path / "keys" / "pepper").stat().st_mode & 0o7777) == "0o700", "nor for the group, of a key"


@pytest.mark.parametrize(
    ("name", "kind", "target"),
    [
        ("../outside", tarfile.REGTYPE, ""),
        ("/tmp/bluezone-outside", tarfile.REGTYPE, ""),
        ("link", tarfile.SYMTYPE, "/etc/passwd"),
        ("link", tarfile.LNKTYPE, "keys"),
        ("pipe", tarfile.FIFOTYPE, ""),
    ],
)
def test_what_leads_out_of_the_folder_is_refused_and_not_written(tmp_path, name, kind, target):
    made = tmp_path / "made"
    made.mkdir()
    with pytest.raises(tarfile.ReadError):
        extract_archive(packed((name, kind, target)), made)

    assert sorted(tmp_path.rglob("*")) == [made]
