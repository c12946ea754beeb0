# SPDX-License-Identifier: Apache-2.0
"""Which of its ways the matcher takes."""

import pytest

from bluezone.protocol import kernel


@pytest.fixture
def built(monkeypatch):
    """Let this machine's build have had another compiler or processor."""
    if not kernel.PROCESSORS:
        pytest.skip(f"the native matcher is {kernel.WHY_NOT}")
    monkeypatch.delenv(kernel.CHOICE_VARIABLE, raising=False)

    def with_paths(*processors):
        monkeypatch.setattr(kernel, "PROCESSORS", processors)

    return with_paths


def test_it_takes_the_path_that_is_asked_for(built, monkeypatch):
    built("aes", "portable")
    monkeypatch.setenv(kernel.CHOICE_VARIABLE, "portable")

    assert kernel.choose_processor() == "portable"


def test_a_processor_takes_its_best_path(built):
    built("aes", "portable")

    assert kernel.choose_processor() == "aes"


def test_with_python_asked_for_nothing_is_native(monkeypatch):
    monkeypatch.setenv(kernel.CHOICE_VARIABLE, "python")

    assert kernel.native_matcher() is None
    assert kernel.native_library() is None


def test_a_name_that_this_machine_does_not_have_is_refused(monkeypatch):
    monkeypatch.setenv(kernel.CHOICE_VARIABLE, "sha+avx9")
    with pytest.raises(kernel.ProcessorMissing, match=r"got 'sha\+avx9', expected one of: python"):
        kernel.native_matcher()
