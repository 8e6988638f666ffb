"""A visitor without a browser: speaks Streamlit's own protocol, keeps every frame that it is sent."""

import asyncio
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import TracebackType
from urllib.parse import urlencode, urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

PATIENCE = 120.0


@dataclass
class Run:
    """What one run of the script sent.

    Attributes:
        seconds: from the question to the end of the script.
        frames: every message as it came, those that the server has sent before included.
        errors: what the page shows of exceptions.
    """

    seconds: float = 0.0
    frames: list[bytes] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def holds(self, text: str) -> bool:
        """Whether any frame has the text."""
        return any(text.encode() in frame for frame in self.frames)


class Protocol:
    """One session; as an asynchronous context it is connected.

    Attributes:
        widgets: identifier of each widget by its key, as far as they were drawn.
        runs: everything asked so far.
    """

    def __init__(self, url: str, path: str = "/", **query: str | list[str]) -> None:
        self._url, self._page = url, path.strip("/")
        self._query = urlencode(query, doseq=True)
        self._states: dict[str, WidgetState] = {}
        self._hash = ""
        self._socket: ClientConnection | None = None
        self.widgets: dict[str, str] = {}
        self.runs: list[Run] = []

    async def __aenter__(self) -> "Protocol":
        stream = f"ws://{urlsplit(self._url).netloc}/_stcore/stream"
        self._socket = await connect(stream, subprotocols=["streamlit"], origin=self._url, max_size=None)  # type: ignore[arg-type, list-item]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._socket is not None
        await self._socket.close()

    async def ask(self, *changes: WidgetState, **query: str | list[str]) -> Run:
        """Runs the script, after changing widgets and parts of the address, and waits until it has finished."""
        await self.send(*changes, **query)
        return await self.wait()

    async def send(self, *changes: WidgetState, **query: str | list[str]) -> None:
        """Asks for a run and does not wait for it, as somebody does who clicks on."""
        assert self._socket is not None
        self._states |= {change.id: change for change in changes}
        if query:
            self._query = urlencode(query, doseq=True)
        state = ClientState(query_string=self._query, page_script_hash=self._hash)
        if not self._hash:
            state.page_name = self._page
        state.widget_states.widgets.extend(self._states.values())
        await self._socket.send(BackMsg(rerun_script=state).SerializeToString())

    async def wait(self) -> Run:
        """Waits until a run has finished, and returns it."""
        assert self._socket is not None
        run, started = Run(), time.perf_counter()
        self.runs.append(run)
        is_done = False
        while not is_done:
            frame = await asyncio.wait_for(self._socket.recv(), PATIENCE)
            assert isinstance(frame, bytes)
            run.frames.append(frame)
            message = ForwardMsg.FromString(frame)
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self._hash = message.new_session.page_script_hash
            elif kind == "delta":
                self._note(message, run)
            elif kind == "script_finished":
                status = message.script_finished
                if status == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                    run.errors.append("compile error")
                is_done = status != ForwardMsg.FINISHED_EARLY_FOR_RERUN
        run.seconds = time.perf_counter() - started
        return run

    def _note(self, message: ForwardMsg, run: Run) -> None:
        if message.delta.WhichOneof("type") != "new_element":
            return
        element = message.delta.new_element
        name = element.WhichOneof("type")
        if name is None:
            return
        part = getattr(element, name)
        if name == "exception":
            run.errors.append(str(part.message))
        found = re.match(r"\$\$ID-[0-9a-f]+-(?P<key>.+)", str(getattr(part, "id", "") or ""))
        if found and found["key"] != "None":
            self.widgets[found["key"]] = part.id


def choice(widget: str, *values: str) -> WidgetState:
    """The state of a widget whose value is a list of texts."""
    state = WidgetState(id=widget)
    state.string_array_value.data.extend(values)
    return state


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that at least this share of values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1))]
