# SPDX-License-Identifier: Apache-2.0
"""The Briefcase project, read by Briefcase's own parser. Creating and building need the network and an SDK."""

import struct
from pathlib import Path

import pytest
from briefcase.config import DraftAppConfig, parse_config
from briefcase.console import Console
from briefcase.platforms.android.gradle import GradleCreateCommand

from bluezone.handset.android.cityfile import CityFile, CityNotSet

PROJECT = Path(__file__).parents[2] / "android"
ICONS = {
    "round": (48, 72, 96, 144, 192),
    "square": (48, 72, 96, 144, 192, 320, 480, 640, 960, 1280),
    "adaptive": (108, 162, 216, 324, 432),
}


@pytest.fixture(scope="module")
def app():
    _, apps = parse_config(PROJECT / "pyproject.toml", "android", "gradle", Console())
    return DraftAppConfig(**apps["bluezone-phone"])


def test_briefcase_reads_it_and_finds_every_source(app):
    assert app.module_name == "bluezone_phone"
    assert app.package_name == "vn.example"
    assert all((PROJECT / source).is_dir() for source in app.sources)
    assert (PROJECT / "src" / app.module_name / "__main__.py").is_file()
    assert all((PROJECT / name).is_file() for name in app.license_files)


def test_the_android_versions_are_those_that_the_permissions_were_written_for(app):
    assert (app.min_os_version, app.target_os_version) == ("26", "35")
    assert app.android_abis == ["arm64-v8a"]


def test_briefcase_itself_adds_no_permission_but_the_network(app):
    known = dict.fromkeys(
        ("bluetooth", "camera", "microphone", "fine_location", "coarse_location", "background_location",
         "photo_library"), None,
    )  # fmt: skip
    told = GradleCreateCommand.permissions_context(None, app, known)

    assert set(told["permissions"]) == {"android.permission.INTERNET", "android.permission.ACCESS_NETWORK_STATE"}
    assert told["features"] == {}


def test_gradle_is_led_from_where_briefcase_puts_it_to_our_manifest_and_resources(app):
    gradle_app = PROJECT / "build" / app.app_name / "android" / "gradle" / "app"
    told = app.build_gradle_extra_content
    assert 'file("../../../../../overlay")' in told
    overlay = Path(str(gradle_app / "../../../../../overlay")).resolve()

    assert overlay == (PROJECT / "overlay").resolve()
    for build_type in ("debug", "release"):
        block = told.partition(f"    {build_type} {{")[2].partition("}")[0]
        assert 'new File(bluezoneOverlay, "AndroidManifest.xml")' in block
        assert 'new File(bluezoneOverlay, "res")' in block
    assert 'staticProxy("bluezone_phone.components", "bluezone.radio.android.platform")' in told
    assert told.count("{") == told.count("}")


@pytest.mark.parametrize(("variant", "size"), [(variant, size) for variant in ICONS for size in ICONS[variant]])
def test_each_icon_is_there_and_as_large_as_its_name_says(app, variant, size):
    data = (PROJECT / f"{app.icon}-{variant}-{size}.png").read_bytes()

    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", data[16:24]) == (size, size)


def test_the_repositorys_app_belongs_to_no_city():
    with pytest.raises(CityNotSet):
        CityFile.read(PROJECT / "src" / "bluezone_phone" / "city.toml")
