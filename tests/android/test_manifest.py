# SPDX-License-Identifier: Apache-2.0
"""The manifest and the resources: what is promised of them, read from the files themselves."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bluezone.handset.android import permissions

PROJECT = Path(__file__).parents[2] / "android"
OVERLAY = PROJECT / "overlay"
ANDROID = "{http://schemas.android.com/apk/res/android}"
MANIFEST = ElementTree.parse(OVERLAY / "AndroidManifest.xml").getroot()
APPLICATION = MANIFEST.find("application")
PERMISSIONS = {node.get(ANDROID + "name"): node for node in MANIFEST.findall("uses-permission")}


def tree(name: str) -> ElementTree.Element:
    return ElementTree.parse(OVERLAY / "res" / name).getroot()


def strings(folder: str) -> dict[str, str]:
    return {node.get("name"): node.text for node in tree(f"{folder}/bluezone_strings.xml").findall("string")}


@pytest.mark.parametrize("path", sorted(OVERLAY.rglob("*.xml")), ids=lambda path: path.name)
def test_every_xml_file_is_well_formed(path):
    ElementTree.parse(path)


def test_nothing_is_backed_up_or_moved_to_another_phone():
    assert APPLICATION.get(ANDROID + "allowBackup") == "false"
    everything = {"root", "file", "database", "sharedpref", "external"}
    rules = tree("xml/bluezone_data_extraction.xml")
    assert [node.tag for node in rules] == ["cloud-backup", "device-transfer"]
    for section in (*rules, tree("xml/bluezone_backup.xml")):
        assert {node.get("domain") for node in section} == everything
        assert {(node.tag, node.get("path")) for node in section} == {("exclude", ".")}
    assert APPLICATION.get(ANDROID + "dataExtractionRules") == "@xml/bluezone_data_extraction"
    assert APPLICATION.get(ANDROID + "fullBackupContent") == "@xml/bluezone_backup"


def test_nothing_goes_in_clear_but_to_the_phone_itself():
    assert APPLICATION.get(ANDROID + "networkSecurityConfig") == "@xml/bluezone_network_security"
    config = tree("xml/bluezone_network_security.xml")
    assert config.find("base-config").get("cleartextTrafficPermitted") == "false"
    assert [node.get("src") for node in config.iter("certificates")] == ["system"]
    open_domains = [
        (domain.text, domain.get("includeSubdomains"))
        for section in config.findall("domain-config")
        if section.get("cleartextTrafficPermitted") == "true"
        for domain in section.findall("domain")
    ]
    assert open_domains == [("127.0.0.1", "false")]


def test_nothing_but_the_window_is_exported_and_the_service_is_of_the_promised_type():
    components = [node for tag in ("activity", "service", "receiver", "provider") for node in APPLICATION.iter(tag)]

    exported = {node.get(ANDROID + "name"): node.get(ANDROID + "exported") for node in components}
    assert exported == {
        "bluezone.phone.MainActivity": "true", "bluezone.phone.TracingService": "false",
        "bluezone.phone.Watchdog": "false", "bluezone.phone.StartReceiver": "false",
    }  # fmt: skip
    service, watchdog = APPLICATION.findall("service")
    assert service.get(ANDROID + "foregroundServiceType") == "connectedDevice"
    assert service.get(ANDROID + "stopWithTask") == "false"
    assert watchdog.get(ANDROID + "permission") == "android.permission.BIND_JOB_SERVICE"
    (receiver,) = APPLICATION.findall("receiver")
    assert [node.get(ANDROID + "name") for node in receiver.iter("action")] == [
        "android.intent.action.BOOT_COMPLETED", "android.intent.action.MY_PACKAGE_REPLACED",
    ]  # fmt: skip


def test_a_tap_on_the_notice_makes_no_second_window():
    (activity,) = APPLICATION.findall("activity")
    assert activity.get(ANDROID + "launchMode") == "singleTask"


def test_every_component_of_the_manifest_is_a_java_class_of_ours_and_python_names_the_same():
    named = {
        node.get(ANDROID + "name") for tag in ("activity", "service", "receiver") for node in APPLICATION.iter(tag)
    }

    assert [
        name for name in named if not (PROJECT / "java" / Path(*name.split("."))).with_suffix(".java").is_file()
    ] == []
    device = (PROJECT / "src" / "bluezone_phone" / "androiddevice.py").read_text()
    assert set(re.findall(r'^(?:SERVICE|ACTIVITY) = "(.+)"$', device, re.MULTILINE)) <= named


def test_back_is_taken_as_android_16_gives_it():
    assert APPLICATION.get(ANDROID + "enableOnBackInvokedCallback") == "true"
    assert "registerOnBackInvokedCallback" in (PROJECT / "java/bluezone/phone/MainActivity.java").read_text()


def test_what_is_said_before_python_is_there_is_said_in_pythons_words():
    for folder, language in (("values", "vi"), ("values-en", "en")):
        face = (PROJECT.parent / "src/bluezone/face/static/words" / f"{language}.js").read_text()
        own = json.loads((PROJECT.parent / "src/bluezone/handset/android" / f"words-{language}.json").read_text())
        said = strings(folder)
        assert said["bluezone_opening"] == own["waiting.text"]
        assert said["bluezone_stopped_text"] == own["stopped.text"]
        assert said["bluezone_channel_running"] == own["channel.running"]
        assert said["bluezone_channel_news"] == own["channel.news"]
        assert f'"home.b.title": "{said["bluezone_stopped"]}"' in face.replace("\u00a0", " ")


def test_bluetooth_is_never_for_location_and_no_location_is_asked_for_from_android_12_on():
    assert PERMISSIONS[permissions.SCAN].get(ANDROID + "usesPermissionFlags") == "neverForLocation"
    for name, node in PERMISSIONS.items():
        if "LOCATION" in name or name in ("android.permission.BLUETOOTH", "android.permission.BLUETOOTH_ADMIN"):
            assert node.get(ANDROID + "maxSdkVersion") == "30"
        else:
            assert node.get(ANDROID + "maxSdkVersion") is None


def test_the_permissions_are_exactly_those_that_are_asked_for_or_explained():
    asked = {value for name, value in vars(permissions).items() if name.isupper() and str(value).startswith("android.")}
    silent = {
        "BLUETOOTH", "BLUETOOTH_ADMIN", "ACCESS_COARSE_LOCATION", "FOREGROUND_SERVICE",
        "FOREGROUND_SERVICE_CONNECTED_DEVICE", "RECEIVE_BOOT_COMPLETED", "WAKE_LOCK",
        "REQUEST_IGNORE_BATTERY_OPTIMIZATIONS", "INTERNET", "ACCESS_NETWORK_STATE",
    }  # fmt: skip

    assert set(PERMISSIONS) == asked | {f"android.permission.{name}" for name in silent}
    explained = (PROJECT.parent / "docs" / "android.md").read_text()
    assert [name for name in PERMISSIONS if name.rpartition(".")[2] not in explained] == []


def test_what_the_system_shows_of_the_service_is_said_in_both_languages():
    vietnamese, english = strings("values"), strings("values-en")

    assert vietnamese.keys() == english.keys()
    assert all(vietnamese.values())
    assert all(english.values())
    assert set(vietnamese.values()) & set(english.values()) == {"Bluezone"}
    used = set(re.findall(r"@string/(\w+)", (OVERLAY / "AndroidManifest.xml").read_text()))
    java = "".join(path.read_text() for path in (PROJECT / "java").rglob("*.java"))
    used |= set(re.findall(r"R\.string\.(\w+)", java))
    assert used == vietnamese.keys()


def test_every_resource_that_is_named_exists():
    text = (OVERLAY / "AndroidManifest.xml").read_text()
    for name in re.findall(r"@xml/(\w+)", text):
        assert (OVERLAY / "res" / "xml" / f"{name}.xml").is_file()
    assert (OVERLAY / "res" / "drawable" / "bluezone_notice.xml").is_file()


def test_the_programs_that_read_aloud_are_seen_from_android_11_on():
    (action,) = MANIFEST.find("queries").iter("action")
    assert action.get(ANDROID + "name") == "android.intent.action.TTS_SERVICE"
