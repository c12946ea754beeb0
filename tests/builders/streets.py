# SPDX-License-Identifier: Apache-2.0
"""Simulated streets: the sound of a horn at a microphone some houses away, with echoes, traffic and people."""

import functools
import subprocess

import numpy as np

RATE = 8000
TEXTS = (
    "Kính thưa bà con. Ủy ban nhân dân thành phố đề nghị bà con có điện thoại thông minh cài ứng dụng Bluezone và luôn "
    "bật Bluetooth. Ứng dụng cho biết ai đã ở gần người mắc bệnh, không cần tên, không cần địa chỉ. Xin cảm ơn bà con.",
    "Thông báo về lịch cắt nước. Từ tám giờ sáng ngày mai đến năm giờ chiều, khu vực tổ năm và tổ sáu tạm ngừng cấp "
    "nước để sửa đường ống. Đề nghị các hộ gia đình tích trữ nước đủ dùng trong ngày, và khóa van khi đi vắng.",
    "Chương trình thời sự hôm nay gồm những nội dung chính sau đây. Hội nghị tổng kết vụ mùa được tổ chức tại nhà văn "
    "hóa thôn. Bà con đã thu hoạch xong hơn bảy mươi phần trăm diện tích lúa, năng suất cao hơn năm ngoái.",
    "Mời các cụ, các bác và các anh chị trong chi hội đến dự buổi sinh hoạt thường kỳ vào tối thứ bảy tuần này tại nhà "
    "ông trưởng thôn. Nội dung là bàn việc vệ sinh đường làng, trồng cây và chuẩn bị cho ngày hội đại đoàn kết.",
)


@functools.cache
def speech(number: int, pitch: int = 50, pace: int = 160) -> np.ndarray:
    """A bulletin in a synthetic voice; samples from -1 to 1."""
    speech_wav = subprocess.run(
        ["espeak-ng", "-v", "vi", "-p", str(pitch), "-s", str(pace), "--stdout", TEXTS[number]],
        check=True, capture_output=True,
    ).stdout  # fmt: skip
    shape = ["-ac", "1", "-ar", str(RATE), "-f", "s16le", "-"]
    plain = subprocess.run(["ffmpeg", "-loglevel", "error", "-i", "-", *shape], input=speech_wav, check=True,
                           capture_output=True).stdout  # fmt: skip
    samples = np.frombuffer(plain, "<i2").astype(float)
    return samples / np.abs(samples).max()


def noise(kind: str, length: int, random: np.random.Generator) -> np.ndarray:
    """Noise. kind: pink; traffic: low, swelling and ebbing; people: three voices at once; music: chords with a beat."""
    if kind == "people":
        voices = []
        for number in range(len(TEXTS)):
            voices += [(number, 20, 130), (number, 80, 190)]
        chosen = random.choice(len(voices), 3, replace=False)
        return sum(np.roll(np.resize(speech(*voices[voice]), length), random.integers(length)) for voice in chosen)
    if kind == "music":
        at = np.arange(length) / RATE
        notes = random.choice([262, 294, 330, 392, 440, 523], (int(at[-1] * 2) + 1, 3))
        beat = np.exp(-6 * (at % 0.5))
        return beat * sum(np.sin(2 * np.pi * notes[(at * 2).astype(int), note] * at) for note in range(3))
    power = 1.0 if kind == "pink" else 2.0
    spectrum = np.fft.rfft(random.standard_normal(length))
    spectrum[1:] /= np.arange(1, len(spectrum)) ** (power / 2)
    plain = np.fft.irfft(spectrum, length)
    if kind == "traffic":
        plain = plain * (1.2 + np.sin(2 * np.pi * np.arange(length) / RATE / random.uniform(3, 8)))
    return plain


def heard(
    played: np.ndarray,
    random: np.random.Generator,
    *,
    noisy: str,
    snr_db: float,
    echo_seconds: float,
    level_db: float,
    delay_seconds: float,
) -> np.ndarray:
    """The signal of a microphone while a horn plays `played`; samples from -1 to 1.

    It has the band and the overload of the horn, echoes of walls and other horns, a clock that is off by at most
    100 ppm, noise of the kind `noisy`, and the level and the 16 bits of the microphone.
    """
    spectrum = np.fft.rfft(played)
    hertz = np.fft.rfftfreq(len(played), 1 / RATE)
    horn = np.fft.irfft(spectrum / ((1 + (400 / np.maximum(hertz, 1)) ** 4) * (1 + (hertz / 3000) ** 6)), len(played))
    horn = np.tanh(2 * horn / (np.abs(horn).max() + 1e-9))
    tail = round(echo_seconds * RATE)
    room = random.standard_normal(tail) * np.exp(-6.9 * np.arange(tail) / tail) * 0.08
    room[0] = 1.0
    for _ in range(2):
        room[random.integers(tail // 5, tail)] += random.uniform(0.2, 0.5)
    length = len(played)
    wet = np.fft.irfft(np.fft.rfft(horn, 2 * length) * np.fft.rfft(room, 2 * length))[:length]
    wet = np.concatenate([np.zeros(round(delay_seconds * RATE)), wet])[:length]
    wet = np.interp(np.arange(length) * (1 + random.uniform(-1e-4, 1e-4)), np.arange(length), wet)
    return _recorded(wet, noise(noisy, length, random), snr_db, level_db, random)


def unheard(length: int, random: np.random.Generator, *, noisy: str, level_db: float, other: np.ndarray | None = None):
    """The signal while the horn does not play. other: a bulletin of another village, 6 dB above the noise."""
    street = noise(noisy, length, random)
    if other is None:
        return _recorded(street, street, 0.0, level_db, random)
    return _recorded(np.roll(np.resize(other, length), random.integers(length)), street, 6.0, level_db, random)


def _recorded(sound, street, snr_db, level_db, random):
    street = street / np.sqrt(np.mean(street**2)) * np.sqrt(np.mean(sound**2)) * 10 ** (-snr_db / 20)
    mix = sound + street
    mix = mix / np.sqrt(np.mean(mix**2)) * 10 ** (level_db / 20)
    return np.clip(np.round(mix * 32_768), -32_768, 32_767).astype(np.float32) / 32_768
