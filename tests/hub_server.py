"""A small hub on loopback: the addresses that huggingface_hub asks when it makes a data set and commits to it."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator
from typing import Any

import yaml
from loopback import QuietHandler, serving


class Hub:
    """`repositories` holds the files of each data set, `made` what was asked when it was made, `commits` their
    messages; `token` is the one that may write, `forbidden` an owner whose data sets it may not write to."""

    def __init__(self, token: str, forbidden: str = "") -> None:
        self.token, self.forbidden = token, forbidden
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.made: list[dict[str, Any]] = []
        self.commits: list[dict[str, Any]] = []
        self.address = ""

    def answer(self, path: str, body: bytes, token: str) -> tuple[int, Any]:
        if token != f"Bearer {self.token}":
            return 401, {"error": "Invalid username or password."}
        if path == "/api/repos/create":
            return self.create(json.loads(body))
        if path == "/api/validate-yaml":
            return self.validate(json.loads(body)["content"])
        for repo in self.repositories:
            if path == f"/api/datasets/{repo}/preupload/main":
                files = [file["path"] for file in json.loads(body)["files"]]
                return 200, {"files": [{"path": p, "uploadMode": "regular", "shouldIgnore": False} for p in files]}
            if path == f"/api/datasets/{repo}/commit/main":
                return self.commit(repo, [json.loads(line) for line in body.splitlines()])
        return 404, {"error": "Repository not found"}

    def create(self, asked: dict[str, Any]) -> tuple[int, Any]:
        owner = asked.get("organization") or "me"
        if owner == self.forbidden:
            return 403, {"error": f"You don't have the rights to create a dataset under {owner}"}
        repo = f"{owner}/{asked['name']}"
        self.made.append(asked)
        known = repo in self.repositories
        self.repositories.setdefault(repo, {})
        return 409 if known else 200, {"url": f"{self.address}/datasets/{repo}"}

    def validate(self, content: str) -> tuple[int, Any]:
        try:
            front = yaml.safe_load(content.split("---\n")[1])
        except (IndexError, yaml.YAMLError) as error:
            return 400, {"errors": [{"message": str(error)}], "warnings": []}
        missing = [] if front.get("license") else [{"message": "no license"}]
        return (400 if missing else 200), {"errors": missing, "warnings": []}

    def commit(self, repo: str, lines: list[dict[str, Any]]) -> tuple[int, Any]:
        self.commits.append(lines[0]["value"])
        for line in lines[1:]:
            assert line["key"] == "file"
            self.repositories[repo][line["value"]["path"]] = base64.b64decode(line["value"]["content"])
        id = f"{len(self.commits):040x}"
        return 200, {"commitUrl": f"{self.address}/datasets/{repo}/commit/{id}", "commitOid": id, "success": True}

    @contextlib.contextmanager
    def running(self) -> Iterator[str]:
        """The address (HF_ENDPOINT) while the hub runs."""
        hub = self

        class Handler(QuietHandler):
            def do_GET(self) -> None:
                self.send(404, {"error": "not here"})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                self.send(*hub.answer(self.path, body, self.headers.get("authorization", "")))

            def send(self, status: int, value: Any) -> None:
                self.write(status, json.dumps(value).encode())

        with serving(Handler) as self.address:
            yield self.address
