"""Many clients at once against ``parlure serve``, one at a time, faster-whisper itself and faster-whisper-server.

    python -m benchmarks.serve [--clients 64] [--seconds 20] [--engine ctranslate2] [--model nano]

Every client sends one short synthetic utterance after the other, without a pause. The last way needs
faster-whisper-server (PyPI). All ways hear the same utterances on the same machine, one way after the other,
``--rounds`` times; what is compared is requests a second. CPU seconds are the server process's (for faster-whisper this
one's), so cost is CPU seconds for an hour of sound.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import importlib.util
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import psutil

from parlure.speech.audio import Samples, read_audio, write_audio
from parlure.speech.synth import Voice, synthesize

BOUNDARY = "----parlure"
NUMBERS = ["deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze", "treize"]


@dataclass
class Outcome:
    """What a way of decoding did in its time."""

    latencies_s: list[float] = field(default_factory=list)
    n_failed: int = 0
    audio_s: float = 0.0
    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_mb: float = 0.0

    def line(self, name: str, reference: float | None) -> str:
        """A row of the table."""
        p50, p95 = (float(np.percentile(self.latencies_s or [0.0], q)) for q in (50, 95))
        ratio = "" if not reference else f"{self.rate / reference:.2f}"
        cost = self.cpu_s / max(self.audio_s / 3600, 1e-9)
        return (
            f"| {name} | {len(self.latencies_s)} | {self.n_failed} | {self.rate:.2f} | {ratio} | {p50:.2f} | {p95:.2f} "
            f"| {self.peak_mb:.0f} | {cost:.0f} |"
        )

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.latencies_s) / max(self.wall_s, 1e-9)


def utterances(n: int) -> list[Samples]:
    """Short sentences of 1.5 to 4 s."""
    texts = [f"Il part à {NUMBERS[i % 12]} heures {NUMBERS[(i * 5 + 1) % 12]}." for i in range(n)]
    texts = [text + (f" Nous arrivons à {NUMBERS[i % 11]} heures." if i % 2 else "") for i, text in enumerate(texts)]
    return [synthesize(text, Voice("fr+belinda", 150 + i % 40)) for i, text in enumerate(texts)]


def body_of(path: Path, model: str) -> bytes:
    """A form with the file, the model and the language."""
    parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in
             (("model", model), ("language", "fr"))]  # fmt: skip
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    return "".join(parts).encode() + head.encode() + path.read_bytes() + f"\r\n--{BOUNDARY}--\r\n".encode()


def watch_memory(pid: int, outcome: Outcome, stop: threading.Event) -> None:
    """Note the peak of a process's resident memory."""
    process = psutil.Process(pid)
    while not stop.wait(0.2):
        outcome.peak_mb = max(outcome.peak_mb, process.memory_info().rss / 1e6)


def cpu_s(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def ask(url: str, pid: int, bodies: list[tuple[bytes, float]], n_clients: int, seconds: float) -> Outcome:
    """Clients in threads, each with its connection; requests under way at the end are waited for and counted."""
    outcome, lock = Outcome(), threading.Lock()
    address = urlsplit(url)
    stop, end_s = threading.Event(), time.monotonic() + seconds
    watcher = threading.Thread(target=watch_memory, args=(pid, outcome, stop))

    def client(number: int) -> None:
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=300)
        turn = number
        while time.monotonic() < end_s:
            body, audio_s = bodies[turn % len(bodies)]
            turn += 1
            began_s = time.monotonic()
            headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
            connection.request("POST", "/v1/audio/transcriptions", body, headers)
            answer = connection.getresponse()
            text = answer.read()
            with lock:
                if answer.status == 200 and "text" in json.loads(text):
                    outcome.latencies_s.append(time.monotonic() - began_s)
                    outcome.audio_s += audio_s
                else:
                    outcome.n_failed += 1

    threads = [threading.Thread(target=client, args=(number,)) for number in range(n_clients)]
    watcher.start()
    began_s, cpu_before_s = time.monotonic(), cpu_s(pid)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outcome.wall_s, outcome.cpu_s = time.monotonic() - began_s, cpu_s(pid) - cpu_before_s
    stop.set()
    watcher.join()
    return outcome


def served(model: str, options: list[str], bodies: list[tuple[bytes, float]], n: int, seconds: float) -> Outcome:
    """A server of its own, asked by ``n`` clients."""
    command = [sys.executable, "-m", "parlure.cli", "serve", f"bench={model}", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        return asked(process, process.stdout.readline().strip(), bodies, n, seconds)


def asked(
    process: subprocess.Popen[str], url: str, bodies: list[tuple[bytes, float]], n: int, seconds: float
) -> Outcome:
    """What clients get of a server that has started; it ends with this."""
    try:
        if not url:
            raise SystemExit("the server did not start")
        ask(url, process.pid, bodies, 2, 1.0)  # warm
        return ask(url, process.pid, bodies, n, seconds)
    finally:
        process.terminate()


def peer(model: str, bodies: list[tuple[bytes, float]], n: int, seconds: float) -> Outcome:
    """faster-whisper-server (PyPI) over the same conversion, greedy and without times too."""
    from parlure.whisper.conversion import converted

    with socket.socket() as free, tempfile.TemporaryDirectory() as folder:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        config = Path(folder) / "config.yaml"
        config.write_text(
            f"models:\n  - name: whisper-1\n    path: {converted(model, 'float32').folder}\n"
            f"    model_options: {{device: cpu, compute_type: float32, cpu_threads: {os.cpu_count()}}}\n"
            "    transcribe_options: {beam_size: 1, temperature: 0.0, without_timestamps: true}\n"
        )
        free.close()
        command = [sys.executable, "-m", "faster_whisper_server", "--config", str(config), "--port", str(port)]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}  # a line for each request
        with subprocess.Popen([*command, "--host", "127.0.0.1"], text=True, **quiet) as process:
            for _ in range(600):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                time.sleep(0.1)
            return asked(process, f"http://127.0.0.1:{port}", bodies, n, seconds)


def direct(model: str, sounds: list[Samples], seconds: float) -> Outcome:
    """faster-whisper in this process, one utterance after the other, greedy, as its own users call it."""
    from faster_whisper import WhisperModel

    from parlure.whisper.conversion import converted

    folder, n_threads = str(converted(model, "float32").folder), os.cpu_count() or 1
    whisper = WhisperModel(folder, device="cpu", compute_type="float32", cpu_threads=n_threads)
    settings = {"language": "fr", "beam_size": 1, "temperature": 0.0, "without_timestamps": True}
    list(whisper.transcribe(sounds[0], **settings)[0])  # warm
    outcome, stop, turn = Outcome(), threading.Event(), 0
    watcher = threading.Thread(target=watch_memory, args=(os.getpid(), outcome, stop))
    watcher.start()
    began_s, cpu_before_s = time.monotonic(), cpu_s(os.getpid())
    while time.monotonic() - began_s < seconds:
        sound = sounds[turn % len(sounds)]
        turn += 1
        clock = time.monotonic()
        found, _ = whisper.transcribe(sound, **settings)
        list(found)
        outcome.latencies_s.append(time.monotonic() - clock)
        outcome.audio_s += len(sound) / 16_000
    outcome.wall_s, outcome.cpu_s = time.monotonic() - began_s, cpu_s(os.getpid()) - cpu_before_s
    stop.set()
    watcher.join()
    return outcome


def main() -> None:
    """Run all ways and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--engine", choices=("torch", "ctranslate2"), default="torch")
    parser.add_argument("--model", default="nano")
    parser.add_argument("--without-faster-whisper", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sounds = utterances(32)
        paths = [Path(folder) / f"{number}.wav" for number in range(len(sounds))]
        for path, sound in zip(paths, sounds, strict=True):
            write_audio(path, sound)
        bodies = [(body_of(path, "bench"), len(sound) / 16_000) for path, sound in zip(paths, sounds, strict=True)]
        heard = [read_audio(path) for path in paths]
    engine = ["--engine", options.engine]
    many = f"{options.clients} clients"
    ways = {
        f"{options.engine}: 1 client": lambda: served(options.model, engine, bodies, 1, options.seconds),
        f"{options.engine}: {many}, --max-batch 1": lambda: served(
            options.model, [*engine, "--max-batch", "1"], bodies, options.clients, options.seconds
        ),
        f"{options.engine}: {many}": lambda: served(options.model, engine, bodies, options.clients, options.seconds),
    }
    if not options.without_faster_whisper:
        ways["faster-whisper, called directly"] = lambda: direct(options.model, heard, options.seconds)
        if importlib.util.find_spec("faster_whisper_server"):
            ways[f"faster-whisper-server: {many}"] = lambda: peer(
                options.model, bodies, options.clients, options.seconds
            )
    print(
        f"load average before: {os.getloadavg()[0]:.1f}; {os.cpu_count()} cores; "
        f"OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS')}"
    )
    print(f"mean utterance {statistics.mean(length for _, length in bodies):.1f} s\n")
    print("Ratios are to the first.\n")
    print("| way | requests | failed | a second | ratio | p50 s | p95 s | peak MB | CPU s an hour |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for _ in range(options.rounds):
        reference = None
        for name, way in ways.items():
            outcome = way()
            print(outcome.line(name, reference), flush=True)
            reference = reference or outcome.rate


if __name__ == "__main__":
    main()
