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

    def with_paths(*processors, only_portable):
        monkeypatch.setattr(kernel, "PROCESSORS", processors)
        monkeypatch.setattr(kernel, "ONLY_PORTABLE", only_portable)

    return with_paths


def test_what_was_compiled_without_the_instructions_of_the_processor_leaves_matching_to_numpy_and_reads(built):
    built("portable", only_portable=True)

    assert kernel.chosen() == "numpy"
    assert kernel.native() is None
    assert kernel.native_reader() is not None


def test_it_is_taken_all_the_same_when_it_is_asked_for(built, monkeypatch):
    built("portable", only_portable=True)
    monkeypatch.setenv(kernel.CHOICE_VARIABLE, "portable")

    assert kernel.native() is not None


def test_a_processor_without_such_instructions_takes_portable_c(built):
    """OpenSSL, with which numpy works, lacks them there too."""
    built("portable", only_portable=False)

    assert kernel.chosen() == "portable"


def test_a_processor_takes_its_best_path(built):
    built("aes", "portable", only_portable=False)

    assert kernel.chosen() == "aes"


def test_with_numpy_asked_for_nothing_is_native(monkeypatch):
    monkeypatch.setenv(kernel.CHOICE_VARIABLE, "numpy")

    assert kernel.native() is None
    assert kernel.native_reader() is None


def test_a_name_that_this_machine_does_not_have_is_refused(monkeypatch):
    monkeypatch.setenv(kernel.CHOICE_VARIABLE, "sha+avx9")
    with pytest.raises(kernel.ProcessorMissing, match=r"got 'sha\+avx9', expected one of: numpy"):
        kernel.native()
