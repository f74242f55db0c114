"""A client by somebody who has read docs/protocol.md and nothing else.

It uses `websockets` and `json`, knows dicts and no classes of ours, and keeps of a room what it
needs: the queue, what plays, the votes, the chat.
"""

import json
import secrets
from contextlib import ExitStack
from typing import Any
from urllib.request import Request, urlopen

from websockets.sync.client import ClientConnection, connect

Json = dict[str, Any]


def guest(base_url: str, name: str) -> str:
    body = json.dumps({"display_name": name}).encode()
    request = Request(f"{base_url}/api/auth/guest", body, {"Content-Type": "application/json"})
    with urlopen(request) as answer:
        token: str = json.load(answer)["access_token"]
    return token


class Refused(Exception):
    """A `reject` or an `error`; its code is the text."""


class Stranger:
    """One client in one room."""

    def __init__(self, base_url: str, token: str, room: str) -> None:
        self.url = base_url.replace("http", "ws", 1) + "/ws"
        self.token, self.room = token, room
        self.client_id = secrets.token_hex(8)
        self.last_id = 0
        self.unanswered: dict[int, Json] = {}
        self.state: Json = {}
        self.present: dict[str, Json] = {}
        self.log: list[tuple[int, Json]] = []
        self.resumed = False
        self.lines = ExitStack()
        self.socket: ClientConnection

    def connect(self) -> Json:
        """Hello and join; what was not answered before is sent again."""
        line = connect(self.url, subprotocols=["unisono.v1.json"])  # type: ignore[list-item]
        self.socket = self.lines.enter_context(line)
        self.send({"type": "hello", "client_id": self.client_id, "token": self.token})
        welcome = self.until("welcome")
        join = {"type": "join", "id": self.next_id(), "room": self.room}
        if self.state:
            join["have"] = {"lineage": self.state["lineage"], "seq": self.state["seq"]}
        self.send(join)
        self.until("joined")
        for frame in self.unanswered.values():
            self.send(frame)
        return welcome

    def lose(self) -> None:
        """The wire breaks."""
        self.socket.socket.close()

    def leave(self) -> Json:
        self.send({"type": "leave", "id": self.next_id(), "room": self.room})
        left = self.until("left")
        self.lines.close()
        return left

    def say(self, type_: str, **fields: Any) -> int:
        """Send a command, not waiting for its answer."""
        frame_id, command = self.next_id(), {"type": type_, **fields}
        frame = {"type": "cmd", "id": frame_id, "room": self.room, "cmd": command}
        self.unanswered[frame_id] = frame
        self.send(frame)
        return frame_id

    def do(self, type_: str, **fields: Any) -> Json:
        return self.answer(self.say(type_, **fields))

    def answer(self, frame_id: int) -> Json:
        while True:
            frame = self.receive()
            if frame.get("id") == frame_id:
                if frame["type"] != "ack":
                    raise Refused(frame["code"])
                return frame

    def until(self, type_: str) -> Json:
        while (frame := self.receive())["type"] != type_:
            pass
        return frame

    def next_id(self) -> int:
        self.last_id += 1
        return self.last_id

    def send(self, frame: Json) -> None:
        self.socket.send(json.dumps(frame))

    def receive(self) -> Json:
        frame: Json = json.loads(self.socket.recv(timeout=20))
        match frame:
            case {"type": "joined"}:
                self.resumed = "resumed" in frame
                if not self.resumed:
                    self.state = frame["snapshot"]
            case {"type": "ack" | "reject" | "error", "id": int(frame_id)}:
                self.unanswered.pop(frame_id, None)
            case {"type": "events"}:
                for seq, event in enumerate(frame["events"], frame["first_seq"]):
                    if seq == self.state["seq"] + 1:
                        self.fold(event)
                        self.state["seq"] = seq
                        self.log.append((seq, event))
            case {"type": "presence"}:
                self.present |= {who["user_id"]: who for who in frame.get("present", [])}
                for user_id in frame.get("gone", []):
                    self.present.pop(user_id, None)
        return frame

    def fold(self, event: Json) -> None:
        queue, playback = self.state["queue"], self.state["playback"]
        ids = [entry["entry_id"] for entry in queue]
        match event:
            case {"type": "queue.added", "after": after, "entry": entry}:
                queue.insert(0 if after is None else ids.index(after) + 1, entry)
            case {"type": "queue.removed", "entry_id": gone}:
                queue[:] = [entry for entry in queue if entry["entry_id"] != gone]
            case {"type": "queue.moved", "entry_id": moved, "after": after}:
                entry = queue.pop(ids.index(moved))
                ids.remove(moved)
                queue.insert(0 if after is None else ids.index(after) + 1, entry)
            case {"type": "queue.ordered", "entry_ids": order}:
                queue.sort(key=lambda entry: order.index(entry["entry_id"]))
            case {"type": "playback.waiting" | "playback.started", "entry_id": current}:
                if current in ids:
                    playback["entry"] = queue.pop(ids.index(current))
                is_moving = event["type"] == "playback.started"
                playback["status"] = "playing" if is_moving else "waiting"
            case {"type": "playback.ended"}:
                playback.update(entry=None, status="idle", skip=None)
            case {"type": "votes.changed", "entry_id": voted, "votes": votes}:
                if voted in ids:
                    queue[ids.index(voted)]["votes"] = votes
                elif "needed" in event:
                    playback["skip"] = {"votes": votes, "needed": event["needed"]}
            case {"type": "chat.sent"}:
                self.state["chat"] = [*self.state["chat"], event][-50:]
