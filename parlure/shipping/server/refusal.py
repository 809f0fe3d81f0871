"""What a request is refused with, in the shape that OpenAI's clients read."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse

from parlure.errors import ParlureError


class RefusedError(Exception):
    """A request that is answered with an error.

    Args:
        status: of HTTP: 400 what was asked for, 401 the token, 403 from where, 404 the model, 408 a slow upload,
            413 too large or too long, 429 too many at once, 503 stopping, 504 took too long.
        message: what is wrong, for a person.
        code: for a program.
        param: the form's field, if it is about one.
        retry_after_s: when to come again.
    """

    def __init__(
        self, status: int, message: str, code: str, param: str | None = None, retry_after_s: int | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code
        self.param, self.retry_after_s = param, retry_after_s

    def body(self) -> dict[str, Any]:
        """``{"error": …}`` as OpenAI writes it."""
        kind = "server_error" if self.status >= 500 else "invalid_request_error"
        kind = "rate_limit_error" if self.status == 429 else kind
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}

    def response(self) -> JSONResponse:
        """The whole answer."""
        headers = {}
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(self.retry_after_s)
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        if self.status == 504:
            headers["x-should-retry"] = "false"  # OpenAI's clients would do all the work twice again
        return JSONResponse(self.body(), self.status, headers)


def refused(error: ParlureError, code: str = "invalid_value", param: str | None = None) -> RefusedError:
    """What a user can mend, as an answer."""
    message = f"{error.message}: {error.hint}" if error.hint else error.message
    return RefusedError(400, message, code, param)
