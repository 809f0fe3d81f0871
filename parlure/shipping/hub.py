"""A publication → the Hugging Face Hub, in one commit: all of it arrives, or nothing does.

The token is that of ``HF_TOKEN`` or of ``hf auth login``, as huggingface_hub finds it; it is no argument, so that it
stands in no shell history, and nothing here prints it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from parlure.errors import ParlureError

_OWN = {".gitattributes"}  # what the Hub puts into a new repository


def push(repo: str, contents: Mapping[str, Path | bytes], *, kind: str = "model", private: bool = False) -> str:
    """Make the repository if it is not there, and commit the files.

    Args:
        repo: ``owner/name``.
        contents: path in the repository → a file, or its content.
        kind: ``model`` or ``dataset``.
        private: of a repository that is made; one that is there stays as it is.

    Returns:
        The address of the commit.

    Raises:
        ParlureError: there is no token, the Hub does not take it, the repository is somebody else's or holds other
            files, or the Hub cannot be reached.
    """
    from huggingface_hub import CommitOperationAdd, HfApi, get_token

    if not get_token():
        raise ParlureError(
            "there is no token of the Hugging Face Hub here",
            "hf auth login, or set HF_TOKEN to a token that may write (huggingface.co/settings/tokens)",
        )
    api = HfApi()
    operations = [CommitOperationAdd(path, _readable(content)) for path, content in contents.items()]
    made = False
    try:
        made = not api.repo_exists(repo, repo_type=kind)
        if made:
            api.create_repo(repo, repo_type=kind, private=private)
        else:
            _refuse_others(api, repo, kind, contents)
        commit: Any = api.create_commit(repo, operations, commit_message="Publish with parlure", repo_type=kind)
    except (OSError, ValueError, RuntimeError) as error:
        raise _mendable(error, repo, api.endpoint, made) from error
    except Exception as error:  # what its HTTP library raises has no class of Python's above it
        if type(error).__module__.partition(".")[0] not in ("httpx", "httpx2", "httpcore", "httpcore2"):
            raise
        raise _mendable(error, repo, api.endpoint, made) from error
    return str(commit.commit_url)


def _readable(content: Path | bytes) -> str | bytes:
    return str(content) if isinstance(content, Path) else content


def _refuse_others(api: Any, repo: str, kind: str, contents: Mapping[str, Path | bytes]) -> None:
    """A repository that is there may be written again, but not mixed with something else."""
    others = sorted({*api.list_repo_files(repo, repo_type=kind)} - {*contents} - _OWN)
    if others:
        raise ParlureError(
            f"{repo} holds other files, which would lie beside the new ones: {', '.join(others)}",
            "name a new repository, or delete them there",
        )


def _mendable(error: Exception, repo: str, endpoint: str, made: bool) -> ParlureError:
    """What the Hub or the way to it refused, in a sentence; ``made``: the repository was not there before."""
    left = f"; {repo} may have been made, and is empty" if made else ""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status == 401:
        return ParlureError(
            "the Hugging Face Hub does not take the token",
            "hf auth login makes a new one; a variable HF_TOKEN goes before it",
        )
    if status in (403, 404):
        return ParlureError(
            f"this token may not write to {repo}: it is somebody else's, or the token only reads",
            "name a repository of your own, or take a token that may write",
        )
    if status is not None:
        return ParlureError(
            f"the Hugging Face Hub answered {status} and took nothing", f"the same command tries again{left}"
        )
    return ParlureError(
        f"the Hugging Face Hub at {endpoint} cannot be reached, or the line broke, and nothing was published",
        f"see whether the network is there; the same command tries again{left}",
    )
