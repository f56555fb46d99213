"""A file of traces and its card to the hub, in one commit: `bbq.jsonl` as it is, `bbq.md` as README.md.

The token is HF_TOKEN of the environment and comes from nowhere else. Nothing is sent of a file that holds a key.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from fairreason.errors import DataError, FairReasonError, RunError, UsageError
from fairreason.traces import card

TOKEN = "HF_TOKEN"
KEYS = ("_API_KEY", "_TOKEN", "_SECRET")
"""How the names of environment variables end whose values must not be published."""
SHORTEST = 8
"""Characters below which a value is no key: it would be found in every text."""


def push(file: Path, repo: str, private: bool) -> str:
    """Sends both to the data set `repo` ("owner/name", or a name of the token's owner), which is made where it is not
    there (`private`: seen by its owner alone; an existing one keeps what it is), and returns the commit's address.

    Raises DataError without the file, its card or where one holds a key, UsageError without a token or for what is no
    name of a data set, RunError when the hub refuses or cannot be reached.
    """
    beside = card.path_of(file)
    for path, what in ((file, "no such file of traces"), (beside, f"no card beside {file.name}; collect again")):
        if not path.is_file():
            raise DataError(f"{path}: {what}")
    token = os.environ.get(TOKEN, "").strip()
    if not token:
        raise UsageError(f"{TOKEN} is not set. Make a token that may write (huggingface.co/settings/tokens)")
    for path in (file, beside):
        refuse_keys(path, os.environ)
    return _send(file, beside, repo, private, token)


def refuse_keys(path: Path, environment: Mapping[str, str]) -> None:
    """Raises DataError, naming the line and the variable but never its value, where the file holds a key."""
    keys = {
        form: name
        for name, value in environment.items()
        if name.upper().endswith(KEYS) and len(value.strip()) >= SHORTEST
        for form in (value.strip().encode(), json.dumps(value.strip())[1:-1].encode())
    }
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                for key, name in keys.items():
                    if key in line:
                        raise DataError(f"{path}:{number}: holds the value of {name}. Nothing was sent; take it out")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None


def _send(file: Path, beside: Path, repo: str, private: bool, token: str) -> str:
    from huggingface_hub import CommitOperationAdd, HfApi, errors

    api = HfApi(token=token)
    try:
        made = api.create_repo(repo, repo_type="dataset", private=private or None, exist_ok=True)
        commit = api.create_commit(
            made.repo_id,
            [CommitOperationAdd(file.name, str(file)), CommitOperationAdd("README.md", str(beside))],
            commit_message=f"{file.name} and its card, by fairreason traces push",
            repo_type="dataset",
        )
    except errors.HFValidationError as error:
        raise UsageError(f"--repo {repo}: {_words(error, token)}") from None
    except (errors.OfflineModeIsEnabled, errors.HTTPError, OSError, ValueError) as error:
        raise _refused(repo, error, token) from None
    return str(commit.commit_url)


def _refused(repo: str, error: Exception, token: str) -> FairReasonError:
    from huggingface_hub import errors

    status = getattr(getattr(error, "response", None), "status_code", None)
    known = {
        401: f"the hub does not know the token in {TOKEN}",
        403: f"the token in {TOKEN} may not write there",
        404: "there is no such data set, or the token may not see it",
        429: "the hub takes no more requests now; try again later",
    }
    if isinstance(error, errors.OfflineModeIsEnabled):
        return RunError(f"{repo}: HF_HUB_OFFLINE is set; unset it to send anything")
    return RunError(f"{repo}: {known.get(status or 0) or 'not sent, ' + _words(error, token)}")


def _words(error: Exception, token: str) -> str:
    """The error's first line, without the token, should it ever stand in it."""
    line = (str(error).strip() or type(error).__name__).splitlines()[0]
    return line.replace(token, "***")[:200]
