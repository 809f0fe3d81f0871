"""What the routes share: the models, the worker, the limits, and a request's way through them."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeVar

from parlure.errors import ParlureError
from parlure.shipping.server.fields import Asked
from parlure.shipping.server.formats import Heard, duration_s, text_of
from parlure.shipping.server.limits import Limits
from parlure.shipping.server.metrics import Metrics
from parlure.shipping.server.models import ServedModel
from parlure.shipping.server.refusal import RefusedError, refused
from parlure.shipping.server.sound import samples_of
from parlure.shipping.server.worker import AbandonedError, Job, Worker
from parlure.speech.audio import Samples
from parlure.speech.features import N_WINDOW_SAMPLES
from parlure.transcribing.decode import DecodingOptions
from parlure.transcribing.engines.interface import TimedEngine
from parlure.transcribing.hypothesis import Word
from parlure.transcribing.windows import HeardWindow
from parlure.transcribing.words import words_in
from parlure.whisper.prompt import previous_ids, prompt_ids

T = TypeVar("T")
Step = tuple[HeardWindow, tuple[Word, ...]]

_AT_ONCE = 2  # uploads that are decoded at once: each may take several times its samples' memory


class Service:
    """The models of an API and who works for them.

    Args:
        models: by name.
        limits: what is refused.
        decoding: how, but for what each request says.
        n_threads: of the worker.
    """

    def __init__(
        self, models: Mapping[str, ServedModel], limits: Limits, decoding: DecodingOptions, n_threads: int = 1
    ) -> None:
        self.models, self.limits, self.metrics = models, limits, Metrics()
        self.stopping = False
        self.n_live = 0
        self._decoding = replace(decoding, batch_size=limits.batch)
        self._held_s = 0.0
        self._reading = asyncio.Semaphore(_AT_ONCE)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.worker = Worker(batch=limits.batch, wait_s=limits.wait_s, metrics=self.metrics, n_threads=n_threads)

    def start(self) -> None:
        """Begin to work."""
        self._folder = tempfile.TemporaryDirectory(prefix="parlure-serve-")
        self.worker.start()

    async def stop(self) -> None:
        """Finish the step that runs, give up the rest."""
        self.stopping = True
        await asyncio.to_thread(self.worker.stop)
        if self._folder is not None:
            self._folder.cleanup()

    def model(self, name: str) -> ServedModel:
        """The model of a name.

        Raises:
            RefusedError: there is none.
        """
        if name not in self.models:
            raise RefusedError(
                404, f"there is no model {name[:80]!r}: there is {', '.join(self.models)}", "model_not_found", "model"
            )
        return self.models[name]

    def options(self, engine: TimedEngine, language: str | None, prompt: str | None, task: str) -> DecodingOptions:
        """How to decode a request.

        Raises:
            RefusedError: the model does not know the language, or the prompt is too long.
        """
        try:
            if language is not None:
                prompt_ids(engine.tokenizer, language, task)
        except ParlureError as error:
            raise refused(error, "invalid_language", "language") from error
        try:
            if prompt is not None:
                previous_ids(engine.tokenizer, prompt)
        except ParlureError as error:
            raise refused(error, "prompt_too_long", "prompt") from error
        return replace(self._decoding, language=language, prompt=prompt, task=task)

    async def read(self, file: IO[bytes], told: dict[str, Any]) -> Samples:
        """Decode an upload.

        Args:
            file: what was uploaded.
            told: of the request; ``held_s`` is what :meth:`let_go` gives back at its end.

        Raises:
            RefusedError: it is no sound, too long, or too much waits already.
        """
        assert self._folder is not None, "the service has not been started"
        async with self._reading:
            samples = await asyncio.to_thread(samples_of, file, self.limits, Path(self._folder.name))
        length_s = duration_s(samples)
        if self._held_s and self._held_s + length_s > self.limits.held_s:
            raise self.busy("recordings of many hours are being decoded")
        self._held_s += length_s
        told["held_s"] = length_s
        self.metrics.audio_s.inc(length_s)
        return samples

    def let_go(self, told: Mapping[str, Any]) -> None:
        """A request is over."""
        self._held_s = max(0.0, self._held_s - told.get("held_s", 0.0))

    def busy(self, why: str) -> RefusedError:
        """Come again."""
        return RefusedError(429, f"{why}: come again", "queue_full", retry_after_s=2)

    async def hear(self, asked: Asked, samples: Samples, needs_times: bool) -> Heard:
        """Decode a request to its end.

        Args:
            asked: what for.
            samples: at 16 kHz.
            needs_times: phrases, which short recordings are else decoded without.

        Raises:
            RefusedError: it took too long, or the server stops.
        """
        if not needs_times and len(samples) <= N_WINDOW_SAMPLES:
            engine = self.model(asked.model).engine
            options = self.options(engine, asked.language, asked.prompt, asked.task)
            found = await self.wait(self.worker.short(engine, samples, options), self.limits.request_s)
            return Heard(found.text, found.language, duration_s(samples))
        steps = tuple([step async for step in self.steps(asked, samples)])
        return Heard(text_of(window for window, _ in steps), steps[0][0].language, duration_s(samples), steps)

    async def steps(self, asked: Asked, samples: Samples) -> AsyncIterator[Step]:
        """Windows as they are heard, with their words where those are asked for.

        Raises:
            RefusedError: it took too long, or the server stops.
        """
        engine = self.model(asked.model).engine
        options = self.options(engine, asked.language, asked.prompt, asked.task)
        loop, arrived = asyncio.get_running_loop(), asyncio.Queue[Step | None]()
        steps = _steps(engine, samples, options, "word" in asked.granularities)
        job = self.worker.long(steps, lambda step: _tell(loop, arrived, step))
        job.result.add_done_callback(lambda _: _tell(loop, arrived, None))
        deadline_s = loop.time() + self.limits.request_s
        try:
            while True:
                try:
                    step = await asyncio.wait_for(arrived.get(), deadline_s - loop.time())
                except TimeoutError:
                    raise self._too_long(self.limits.request_s) from None
                if step is None:
                    break
                yield step
            _result(job.result)
        finally:
            job.abandon()

    async def wait(self, job: Job[T], timeout_s: float) -> T:
        """What a job gives.

        Raises:
            RefusedError: it took too long, or the server stops.
        """
        future = asyncio.wrap_future(job.result)
        future.add_done_callback(lambda done: done.cancelled() or done.exception())  # or asyncio says nobody looked
        try:
            await asyncio.wait({future}, timeout=timeout_s)
        finally:
            job.abandon()
        if not future.done():
            raise self._too_long(timeout_s)
        return _result(job.result)

    def _too_long(self, timeout_s: float) -> RefusedError:
        return RefusedError(504, f"this took longer than {timeout_s:g} s and was given up", "timeout")


def _steps(engine: TimedEngine, samples: Samples, options: DecodingOptions, words: bool) -> Iterator[Step]:
    """Windows that begin within the recording: what a model writes of the silence behind it was not said."""
    for window in engine.windows(samples, options):
        yield window, tuple(words_in(engine, window, samples, options.task)) if words else ()
        if window.is_last(samples):
            return


def _tell(loop: asyncio.AbstractEventLoop, queue: asyncio.Queue[Step | None], step: Step | None) -> None:
    """From a worker's thread; a loop that is closed wants to hear nothing."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(partial(queue.put_nowait, step))


def _result(future: Future[T]) -> T:
    """What a finished job gave, or why not."""
    try:
        return future.result()
    except AbandonedError as error:
        raise RefusedError(503, "the server is stopping", "stopping") from error
    except ParlureError as error:
        raise refused(error) from error
