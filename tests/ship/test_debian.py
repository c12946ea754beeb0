# SPDX-License-Identifier: Apache-2.0
"""The package of each release of Debian in a fresh root: installed, run as its unit says, upgraded, removed, purged.

No systemd runs here, as it does in test_systemd.py: tests/ship/unit.py starts a unit's command as the unit's user, with
its system calls and on a file system that is read-only but for its own folder, and listens at the socket like systemd.
"""

import json
import shutil
import subprocess

import pytest
from tests.server.upgrade.test_upgrade import FORGOTTEN, STORES, missing, rows
from tests.server.upgrade.test_upgrade import HERE as KEPT
from tests.ship.conftest import REPOSITORY, bash

# Making a root of Debian, and installing there, take as long as they take.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]

PACKAGES = "adduser,ca-certificates,debconf,systemd,python3-seccomp"
RELEASES = {"bookworm": "deb12", "trixie": "deb13"}
APART = ("public", "pages", "codes", "admission", "publication", "signer")
UNITS = ("bluezone", "bluezone-signer", "bluezone-gate", "bluezone-speaker")
PAGES = ["http://127.0.0.1:8000/", "http://127.0.0.1:8001/sign-in/", "http://127.0.0.1:8002/ready"]


class Machine:
    """A fresh Debian whose changes lie in a folder of their own."""

    def __init__(self, suite, package, folder):
        self.over = folder
        self.system = folder / "upper"
        self.folder = self.system / "var/lib/bluezone"
        self._suite, self._package = suite, package
        bash('make_root "$1" "$ship_folder/$1-plain" "$2"; lend_settings "$ship_folder/$1-plain"', suite, PACKAGES)
        (self.system / "given").mkdir(parents=True)
        for name in ("unit.py", "apart.py"):
            shutil.copy(REPOSITORY / "tests/ship" / name, self.system / "given" / name)

    def run(self, script, *options):
        root = 'suite=$1 over=$2 script=$3; shift 3; in_root "$ship_folder/$suite-plain" --over "$over"'
        line = f'{root} "$@" sh -e -c "$script"'
        return bash(line, self._suite, self.over, script, "--bind", f"{self._package.parent}:/dist", *options)

    def install(self, *options):
        return self.run(
            "apt-get update -qq\n"
            f"apt-get install -qq -y --no-install-recommends {' '.join(options)} /dist/{self._package.name} 2>&1"
        )

    def serve(self, name="bluezone", during=""):
        """Run the server's unit until it has said that it is ready and alive. during: a command beside it."""
        state = [f"{self.system}{folder}:{folder}" for folder in ("/var/lib/bluezone", "/var/lib/bluezone-heads")]
        unit = f"/usr/lib/systemd/system/{name}.service"
        command = f"DURING='{during}' python3 /given/unit.py {unit} {' '.join(PAGES)}"
        return json.loads(self.run(command, "--bind", state[0], "--bind", state[1], "--read-only", "--no-network"))


@pytest.fixture(params=RELEASES)
def machine(request, shipped, tmp_path):
    found = sorted(shipped.glob(f"bluezone_*+{RELEASES[request.param]}_*.deb"))
    assert len(found) == 1, f"{shipped} has {found}"
    # Of what is changed nothing may lie on an overlay itself.
    made = Machine(request.param, found[0], tmp_path / "over")
    yield made
    shutil.rmtree(made.over, ignore_errors=True)


def preseed(machine, **answers):
    lines = "\n".join(
        f"bluezone bluezone/{name.replace('_', '-')} {kind} {value}" for name, (kind, value) in answers.items()
    )
    machine.run(f"debconf-set-selections <<'END'\n{lines}\nEND")


def test_from_apt_install_to_a_first_page_and_out_again(machine):
    preseed(machine, hotline=("string", "0209 3870 000"), city=("string", "Bắc Kạn"))
    machine.install()

    assert "bluezone, version" in machine.run("bluezone --version")
    assert machine.run("stat -c '%U %a' /var/lib/bluezone /etc/bluezone/bluezone.env").split() == [
        "bluezone", "700", "root", "600"]  # fmt: skip
    machine.run("systemd-analyze verify /usr/lib/systemd/system/bluezone*.service")
    for unit in UNITS:
        judged = machine.run(f"systemd-analyze security --offline=yes /usr/lib/systemd/system/{unit}.service")
        assert float(judged.rstrip().rsplit(": ", 1)[1].split()[0]) <= 2.5, judged

    served = machine.serve()
    assert served["ended"] == 0, served["said"]
    assert served["user"] == "bluezone"
    assert served["clock_readable"]
    assert served["heard"][0] == "READY=1"
    assert {"WATCHDOG=1", "STOPPING=1"} <= set(served["heard"])
    assert [answer[0] for answer in served["pages"].values()] == [200, 200, 200], served["pages"]
    assert "first administrator" in served["said"]
    assert "heads_unwritable" not in served["said"]
    assert list((machine.system / "var/lib/bluezone-heads").iterdir()), "the journal of signed heads is kept"
    again = machine.serve()
    assert "/start/" not in again["said"]

    held = rows(machine.folder)
    machine.run("echo BLUEZONE_LOG=json >> /etc/bluezone/bluezone.env")
    machine.install("--reinstall")
    assert "BLUEZONE_LOG=json" in machine.run("cat /etc/bluezone/bluezone.env"), "a conffile that was changed stays"

    machine.run("apt-get remove -qq -y bluezone 2>&1")
    machine.run("! command -v bluezone && test ! -e /usr/lib/bluezone && test -e /etc/bluezone/bluezone.env")
    assert rows(machine.folder) == held

    said = machine.run("apt-get purge -qq -y bluezone 2>&1")
    assert "data stay in /var/lib/bluezone" in said
    machine.run("test ! -e /etc/bluezone && test ! -e /var/lib/bluezone-gate && test -e /var/lib/bluezone/city.toml")
    assert "bluezone" not in machine.run("dpkg -l | awk '{print $2}'").split()
    assert not machine.run("find /etc/systemd /var/lib/systemd -name 'bluezone*'").split()


def test_with_users_apart_one_command_starts_all_and_each_user_opens_its_own_alone(machine):
    preseed(machine, hotline=("string", "0209 3870 000"))
    machine.install()
    looking = "/usr/lib/bluezone/bin/python3 -I /given/apart.py /var/lib/bluezone http://127.0.0.1:8000"
    served = machine.serve("bluezone-apart", looking)

    assert served["ended"] == 0, served["said"]
    assert [answer[0] for answer in served["pages"].values()] == [200, 200, 200], served["pages"]
    seen = json.loads(served["during"])
    own = {part: f"bluezone-{part}" for part in APART}
    office = {"office": "bluezone", "worker": "bluezone"}
    assert {"front": own.pop("public"), **own, **office}.items() <= seen["processes"].items()
    assert {name: each[0] for name, each in seen["sockets"].items() if name.startswith("run/")} == {
        f"run/{part}/{part}.sock": f"bluezone-{part}" for part in ("pages", "codes", "admission")
    }
    assert seen["opened"]["bluezone-public"] == []
    top = "/var/lib/bluezone"
    opened = {user: {text.partition(" ")[2] for text in texts} for user, texts in seen["opened"].items()}
    assert f"{top}/keys/pepper" in seen["secrets"]
    for user, places in {
        "bluezone-codes": (f"{top}/stores/codes/", f"{top}/keys/pepper"),
        "bluezone-admission": (f"{top}/stores/keys/",),
        "bluezone-publication": (f"{top}/stores/keys/",),
        "bluezone-pages": (f"{top}/stores/office/", f"{top}/keys/office-django", f"{top}/keys/office-factors"),
        "bluezone-signer": (f"{top}/signer/",),
    }.items():
        assert opened[user] == {path for path in seen["secrets"] if path.startswith(places)}, user
    assert not {path for path in opened["bluezone"] if path.startswith(f"{top}/signer/")}
    assert f"{top}/exports/index.json" in seen["published"]
    assert {user: len(paths) for user, paths in seen["changed"].items()} == {
        user: len(seen["published"]) if user == "bluezone-publication" else 0 for user in seen["changed"]
    }
    assert seen["report"] == ["OK", "OK", "OK"]


def test_the_data_of_the_release_before_are_taken_over_with_every_row(machine):
    machine.folder.mkdir(parents=True, mode=0o700)
    subprocess.run(["tar", "-xJf", sorted(KEPT.glob("*.tar.xz"))[-1], "-C", machine.folder], check=True)
    machine.run("adduser --system --group --quiet --home /var/lib/bluezone --no-create-home bluezone\n"
                "chown -R bluezone: /var/lib/bluezone")  # fmt: skip
    held = rows(machine.folder)
    machine.install()
    served = machine.serve()

    assert served["ended"] == 0, served["said"]
    assert [answer[0] for answer in served["pages"].values()] == [200, 200, 200], served["pages"]
    after = rows(machine.folder)
    # What the server does by itself: it publishes what waits, notes when, and forgets what had its time. Links, codes
    # and keys of the release are older on each day on which this runs.
    moving = {
        "waiting_key", "known_key", "spent", "export_file", "venue_package", "upload_count", "duty", "noise",
        "rehearsal", "credential", "accounts_accountlink", "healthauthority_issuedcode",
    }  # fmt: skip
    lost = {
        name: missing(held[store][table], after[store].get(table, []), FORGOTTEN.get(name, set()))
        for store in STORES
        for table in held[store]
        if held[store][table] and table not in moving and (name := f"{store}.{table}")
    }
    assert not {name: gone for name, gone in lost.items() if gone}


def test_purge_takes_the_citys_data_along_where_that_was_said(machine):
    preseed(machine, hotline=("string", "0209 3870 000"), purge_data=("boolean", "true"))
    machine.install()
    machine.run("apt-get purge -qq -y bluezone 2>&1")

    machine.run("test ! -e /var/lib/bluezone && test ! -e /var/lib/bluezone-heads")


def test_without_a_number_to_call_nothing_starts_and_it_is_said_what_to_do(machine):
    said = machine.install()

    assert "BLUEZONE_HOTLINE" in said
    assert "systemctl enable --now bluezone" in said
    assert not machine.run("find /etc/systemd/system -name 'bluezone*'").split()
