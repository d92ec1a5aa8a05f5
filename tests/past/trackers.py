"""A server that stands for Jira, GitHub and GitLab, and refuses what their documented APIs would refuse."""

import base64
import json
import re
import urllib.parse
from http.server import BaseHTTPRequestHandler

TOKEN = "t0ken-of-the-test"
ISSUE_FIELDS = {"project", "issuetype", "summary", "description", "labels"}
NODES = {"doc", "heading", "paragraph", "bulletList", "listItem", "codeBlock", "text"}


def check_adf(node, inside="doc"):
    """Raises unless it is a document of the Atlassian Document Format."""
    assert node["type"] in NODES, node
    if node["type"] == "text":
        assert node["text"] and isinstance(node["text"], str), node
        return
    if node["type"] == "doc":
        assert node["version"] == 1
    if node["type"] == "heading":
        assert 1 <= node["attrs"]["level"] <= 6
    if node["type"] == "listItem":
        assert node["content"][0]["type"] == "paragraph"
    if inside == "bulletList":
        assert node["type"] == "listItem", node
    for child in node["content"]:
        check_adf(child, node["type"])


class Tracker(BaseHTTPRequestHandler):
    """What is asked is kept in `server.asked`, issues in `server.issues`, mistakes in `server.mistakes`. With `server.refusal`, a
    status and headers, it only refuses."""

    protocol_version = "HTTP/1.1"

    def answer(self, status, body=None):
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, status, headers):
        """Says what it was asked with, as careless servers do."""
        data = "".join(f"{name}: {value} " for name, value in self.headers.items()).encode()
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def handle_any(self):
        data = self.rfile.read(int(self.headers.get("content-length") or 0))
        if refusal := self.server.refusal:
            return self.refuse(*refusal)
        try:
            body = json.loads(data) if data else None
            if body is not None:
                assert self.headers["content-type"] == "application/json"
            assert self.headers["user-agent"], "GitHub refuses requests without one"
            self.server.asked.append((self.command, self.path))
            path, _, query = self.path.partition("?")
            for pattern, face in FACES:
                if found := re.fullmatch(pattern, path):
                    return self.answer(*face(self, body, dict(urllib.parse.parse_qsl(query)), *found.groups()))
            raise AssertionError(f"there is no {self.command} {self.path}")
        except Exception as mistake:
            self.server.mistakes.append(f"{self.command} {self.path}: {mistake!r}")
            self.answer(400, {"errorMessages": [repr(mistake)]})

    do_GET = do_POST = do_PUT = do_PATCH = handle_any

    def log_message(self, *_):
        pass

    def jira_search(self, body, _query):
        assert self.command == "POST" and set(body) <= {"jql", "maxResults", "fields", "nextPageToken", "expand"}
        label = re.fullmatch(r'project = "SHOP" AND labels = "([\w-]+)" ORDER BY created ASC', body["jql"]).group(1)
        found = [{"id": "1", "key": key, "fields": {}} for key, issue in self.server.issues.items() if label in issue["labels"]]
        return 200, {"issues": found[: body["maxResults"]], "isLast": True}

    def jira_create(self, body, _query):
        fields = body["fields"]
        assert self.command == "POST" and set(fields) == ISSUE_FIELDS and fields["project"] == {"key": "SHOP"}
        assert fields["issuetype"] == {"name": "Bug"} and 0 < len(fields["summary"]) <= 255 and "\n" not in fields["summary"]
        assert all(" " not in label for label in fields["labels"])
        check_adf(fields["description"])
        key = f"SHOP-{len(self.server.issues) + 1}"
        self.server.issues[key] = fields
        return 201, {"id": "10000", "key": key, "self": "http://x"}

    def jira_update(self, body, _query, key):
        assert self.command == "PUT" and set(body["fields"]) == {"description"}
        check_adf(body["fields"]["description"])
        if key not in self.server.issues:
            return 404, {"errorMessages": ["Issue does not exist"]}
        return (204,)

    def issues(self, body, query, kind):
        """The list of issues of GitHub and GitLab, asked or added to."""
        numbered, text = ("number", "body") if kind == "github" else ("iid", "description")
        if self.command == "GET":
            found = [issue for issue in self.server.issues.values() if query["labels"] in issue["labels"]]
            assert query["state"] in ({"all", "open", "closed"})
            return 200, found[: int(query["per_page"])]
        assert self.command == "POST" and set(body) == {"title", text, "labels"}
        labels = body["labels"] if kind == "github" else body["labels"].split(",")
        assert isinstance(labels, list) and all(len(label) <= 50 for label in labels)
        number = len(self.server.issues) + 1
        self.server.issues[str(number)] = {numbered: number, "state": "open", "title": body["title"], "labels": labels}
        return 201, self.server.issues[str(number)]

    def issue(self, body, kind, number):
        allowed = {"body", "state"} if kind == "github" else {"description", "state_event"}
        assert self.command == ("PATCH" if kind == "github" else "PUT") and set(body) <= allowed
        return (200, self.server.issues[number]) if number in self.server.issues else (404, {"message": "Not Found"})

    def github(self, body, query, number=None):
        assert self.headers["authorization"] == f"Bearer {TOKEN}" and self.headers["x-github-api-version"] == "2022-11-28"
        return self.issue(body, "github", number) if number else self.issues(body, query, "github")

    def gitlab(self, body, query, number=None):
        assert self.headers["private-token"] == TOKEN
        return self.issue(body, "gitlab", number) if number else self.issues(body, query, "gitlab")


def jira(face):
    def checked(self, *given):
        basic = base64.b64encode(f"me@shop.example:{TOKEN}".encode()).decode()
        assert self.headers["authorization"] == f"Basic {basic}"
        return face(self, *given)

    return checked


FACES = [
    (r"/rest/api/3/search/jql", jira(Tracker.jira_search)),
    (r"/rest/api/3/issue", jira(Tracker.jira_create)),
    (r"/rest/api/3/issue/([A-Z]+-\d+)", jira(Tracker.jira_update)),
    (r"/repos/org/shop/issues", Tracker.github),
    (r"/repos/org/shop/issues/(\d+)", Tracker.github),
    (r"/api/v4/projects/group%2Fshop/issues", Tracker.gitlab),
    (r"/api/v4/projects/group%2Fshop/issues/(\d+)", Tracker.gitlab),
]
