# SPDX-License-Identifier: Apache-2.0
import contextlib
import json
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.protocol.risk.coronawarnapp import InvalidWindows, read_windows
from bluezone.protocol.risk.windows import ExposureWindow, ScanInstance

TODAY = date(2020, 8, 7)


def test_a_window_is_read_with_its_day():
    entry = {
        "ageInDays": 2,
        "reportType": 1,
        "infectiousness": 2,
        "calibrationConfidence": 3,
        "scanInstances": [
            {"minAttenuation": 50, "typicalAttenuation": 61, "secondsSinceLastScan": 300},
            {"minAttenuation": 51, "typicalAttenuation": 62, "secondsSinceLastScan": -1},
        ],
    }

    assert read_windows(json.dumps([entry]).encode(), TODAY) == (
        ExposureWindow(date(2020, 8, 5), 1, 2, 3, 0, (ScanInstance(61, 50, 300), ScanInstance(62, 51, 0))),
    )


def test_published_windows_are_read(shared):
    published = json.loads((shared / "vectors" / "riskscore.json").read_text())["cwa"]["testCases"]

    for case in published:
        windows = read_windows(json.dumps(case["exposureWindows"]).encode(), TODAY)
        assert len(windows) == len(case["exposureWindows"])


@pytest.mark.parametrize(("days", "read"), [(-1, False), (0, True), (3650, True), (3651, False)])
def test_a_window_is_of_today_or_of_the_last_ten_years(days, read):
    entry = {"ageInDays": days, "reportType": 1, "infectiousness": 2, "calibrationConfidence": 3, "scanInstances": []}
    try:
        (window,) = read_windows(json.dumps([entry]).encode(), TODAY)
    except InvalidWindows:
        assert not read
    else:
        assert (read, TODAY - window.day) == (True, timedelta(days))


@given(st.binary(max_size=100))
def test_any_bytes_are_read_or_refused(data):
    with contextlib.suppress(InvalidWindows):
        read_windows(data, TODAY)


@given(
    st.dictionaries(
        st.sampled_from(["ageInDays", "reportType", "infectiousness", "calibrationConfidence", "scanInstances"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.lists(st.none(), max_size=1),
    )
)
def test_any_object_is_read_or_refused(entry):
    with contextlib.suppress(InvalidWindows):
        read_windows(json.dumps([entry]).encode(), TODAY)


@pytest.mark.parametrize("data", [b"", b"{}", b"null", b"[[]]", b"\xff", b"[" * 99_999])
def test_what_is_no_list_of_windows_is_refused(data):
    with pytest.raises(InvalidWindows) as refused:
        read_windows(data, TODAY)
    assert refused.value.code == "windows_invalid"


def test_an_age_before_the_calendar_began_is_refused():
    entry = {
        "ageInDays": 1,
        "reportType": 1,
        "infectiousness": 2,
        "calibrationConfidence": 3,
        "scanInstances": [],
    }

    with pytest.raises(InvalidWindows, match="calendar"):
        read_windows(json.dumps([entry]).encode(), date.min)
