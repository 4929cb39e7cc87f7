"""Writes reference.json: what NumPy and SciPy say about a few runs of samples. Run: python3 reference.py > reference.json"""

import json

import numpy as np
from scipy import signal, stats
from scipy.fft import dct


def runs():
    rng = np.random.default_rng(7)
    t = np.arange(256) / 50.0
    yield "two tones at 50 Hz", 50.0, np.sin(2 * np.pi * 3 * t) + 0.5 * np.sin(2 * np.pi * 11 * t) + 0.2
    yield "noise at 8 kHz", 8000.0, rng.normal(0.1, 1.0, 1000)
    yield "odd length", 100.0, np.round(rng.exponential(2.0, 101), 3)
    t = np.arange(1600) / 8000.0
    yield "a chirp at 8 kHz", 8000.0, signal.chirp(t, 200, 0.2, 3000) * np.exp(-3 * t)


def mfcc(x, rate, count, stretches):
    frame, hop = round(rate * 0.025), round(rate * 0.010)
    n = 1 << (frame - 1).bit_length()
    mel = lambda f: 2595 * np.log10(1 + f / 700)
    hertz = lambda m: 700 * (10 ** (m / 2595) - 1)
    edges = hertz(np.linspace(0, mel(rate / 2), 28))
    f = np.arange(n // 2 + 1) * rate / n
    bank = [np.maximum(0, np.minimum((f - a) / (b - a), (c - f) / (c - b))) for a, b, c in zip(edges, edges[1:], edges[2:])]
    starts = range(0, max(len(x) - frame, 0) + 1, hop)
    frames = np.array([np.pad(x[s : s + frame], (0, max(0, frame - len(x)))) for s in starts])
    power = np.abs(np.fft.rfft(frames * np.hamming(frame), n)) ** 2 / n
    logs = np.log(np.maximum(power @ np.array(bank).T, 1e-10))
    coefficients = dct(logs, type=2, norm="ortho", axis=1)[:, :count]
    ends = [len(frames) * i // stretches for i in range(stretches + 1)]
    return np.concatenate([coefficients[a : max(b, a + 1)].mean(axis=0) for a, b in zip(ends, ends[1:])])


def measures(x, rate):
    f, power = signal.periodogram(x, rate, window="boxcar", detrend="constant", scaling="spectrum")
    magnitude = np.abs(np.fft.rfft(x - x.mean()))
    centred = x - x.mean()
    signs = np.sign(x[x != 0])
    low, high = rate * 0.05, rate * 0.25
    yield "rms", [], np.sqrt(np.mean(x**2))
    yield "zero_crossings", [], int(np.sum(signs[1:] != signs[:-1]))
    yield "peak_to_peak", [], np.ptp(x)
    yield "crest", [], np.max(np.abs(x)) / np.sqrt(np.mean(x**2))
    yield "kurtosis", [], stats.kurtosis(x)
    yield "skewness", [], stats.skew(x)
    yield "entropy", [10], stats.entropy(np.histogram(x, bins=10)[0])
    yield "entropy", [3], stats.entropy(np.histogram(x, bins=3)[0])
    yield "energy", [], np.sum(x**2)
    yield "band_power", [low, high, rate], power[(f >= low) & (f <= high)].sum()
    yield "band_power", [0, rate / 2, rate], np.var(x)
    yield "dominant_frequency", [rate], f[np.argmax(power)]
    yield "spectral_centroid", [rate], np.sum(f * magnitude) / np.sum(magnitude)
    for lag in (1, 7):
        yield "autocorrelation", [lag], np.sum(centred[:-lag] * centred[lag:]) / np.sum(centred**2)
    if rate >= 1000:
        yield "mfcc", [13, 1, rate], mfcc(x, rate, 13, 1).tolist()
        yield "mfcc", [20, 4, rate], mfcc(x, rate, 20, 4).tolist()


print("[")
cases = list(runs())
for nth, (name, rate, x) in enumerate(cases):
    x = np.array([float(f"{v:.6g}") for v in x])
    made = [{"function": f, "settings": s, "value": v} for f, s, v in measures(x, rate)]
    comma = "," if nth + 1 < len(cases) else ""
    print(json.dumps({"name": name, "samples": x.tolist(), "measures": made}) + comma)
print("]")
