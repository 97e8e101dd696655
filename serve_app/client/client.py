"""`connect` and the client: the calls of the façade, run on a server. Tables are Polars frames, single things models.

Calls block and end after their deadline; `stream` is the one that is awaited. A client may be used by many threads.
"""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from importlib.metadata import version
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeVar, overload
from urllib.parse import quote, urlsplit

import polars as pl

from data.contracts.errors import GoldenSignalsError, InvalidInput, NotFound, TemporarilyUnavailable
from data.contracts.events import JobState
from data.contracts.signals import Action
from data.market.load import load_bars
from data.market.quality import is_loaded
from serve_app.api.models import (
    AgentView,
    BarsView,
    EventView,
    FeedView,
    IndicatorSeries,
    IndicatorView,
    Instrument,
    JobView,
    MetaView,
    MeView,
    Page,
    ScanResultView,
    SignalsView,
    SignalView,
    UploadView,
)
from serve_app.client import tables
from serve_app.client.answers import Answer, read
from serve_app.client.credentials import Key
from serve_app.client.http import Http, server_url
from serve_app.client.research import WAIT_S as _WAIT_S
from serve_app.client.research import OnProgress, Research
from serve_app.client.stream import Price, Resync, Stream, event_stream, signal_stream

API: Final = 1  # the version of the API that this client speaks

_TIMEOUT_S = 30.0
_UPLOAD_S = 180.0
_POLL_S = (0.1, 2.0)  # between two looks at a job: first, longest
T = TypeVar("T")

Moment = str | date | datetime


def connect(
    url: str,
    *,
    api_key: str | None = None,
    username: str | None = None,
    password: str | None = None,
    timeout_s: float = _TIMEOUT_S,
    gateway_url: str | None = None,
) -> Client:
    """A client of the server at `url`, proved by an API key, or by a login that refreshes itself.

    timeout_s:   seconds a call may take in all; uploads and waiting for jobs have their own.
    gateway_url: where the websocket tier is reached, when it is not on the server's host at the port that it names.
    Raises:      InvalidInput when the address is none, or the two sides speak different versions of the API;
                 Unauthenticated; TooMany; TemporarilyUnavailable when nothing answers.
    """
    if (api_key is None) == (username is None) or (username is None) != (password is None):
        raise InvalidInput("say who you are with api_key=, or with username= and password=")
    http = Http(url, timeout_s=timeout_s)
    try:
        meta = _meta(http)
        if api_key is not None:
            http.identify(Key(api_key))
        elif username is not None and password is not None:
            http.log_in(username, password)
        gateway = _beside(http.url, meta.gateway_port) if gateway_url is None else server_url(gateway_url)
        return Client(http, meta, http.call("GET", "/v1/auth/me").read(MeView), gateway=gateway)
    except BaseException:
        http.close()
        raise


class Client(Research):
    """A connection to a server; `connect` makes it. Close it, or use it in a `with`, to end its login."""

    def __init__(self, http: Http, meta: MetaView, me: MeView, *, gateway: str) -> None:
        self._http, self._gateway = http, gateway
        self.meta = meta
        self.me = me

    def __repr__(self) -> str:
        return f"<goldensignals client of {self._http.url} as {self.me.name}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the login and the connections. Harmless when closed already."""
        self._http.close()

    # Signals

    def signals(
        self,
        bars: object,
        agents: Sequence[str] | None = None,
        *,
        timeout_s: float = _WAIT_S,
        on_progress: OnProgress | None = None,
    ) -> pl.DataFrame:
        """As `goldensignals.signals`, to the bit, computed on the server. Bars it knows already are not sent again."""
        spec = {"bars": self.upload(bars).data_hash, "agents": None if agents is None else list(agents)}
        return self._scanned(spec, timeout_s, on_progress)

    @overload
    def scan(
        self,
        universe: str | None = None,
        agents: Sequence[str] | None = None,
        as_of: Moment | None = None,
        *,
        wait: Literal[True] = True,
        timeout_s: float = _WAIT_S,
        on_progress: OnProgress | None = None,
    ) -> pl.DataFrame: ...

    @overload
    def scan(
        self,
        universe: str | None = None,
        agents: Sequence[str] | None = None,
        as_of: Moment | None = None,
        *,
        wait: Literal[False],
    ) -> JobView: ...

    def scan(
        self,
        universe: str | None = None,
        agents: Sequence[str] | None = None,
        as_of: Moment | None = None,
        *,
        wait: bool = True,
        timeout_s: float = _WAIT_S,
        on_progress: OnProgress | None = None,
    ) -> pl.DataFrame | JobView:
        """Scan the server's bars: one row per symbol, the strongest first, as `signals` gives them.

        universe:    @sp500 or A,B,C; by default the feed's.
        agents:      names; None asks all of them.
        as_of:       by default the feed's market time.
        wait:        False returns the job at once; later `wait` for it, and read `scan_table` or `scan_result`.
        on_progress: told the job whenever it has changed.
        Raises:      as `wait`; the same scan posted twice is the same job.
        """
        spec = {"universe": universe, "agents": None if agents is None else list(agents), "as_of": _text(as_of)}
        return self._scanned(spec, timeout_s, on_progress) if wait else self._post_scan(spec)

    def scan_result(self, job_id: str) -> ScanResultView:
        """What a finished scan found, skipped and quarantined. Raises Conflict while it has not finished."""
        return self._get(ScanResultView, f"/v1/scans/{_part(job_id)}/result")

    def scan_table(self, job_id: str) -> pl.DataFrame:
        """The signals of a finished scan, as `scan` gives them."""
        return tables.signal_table(self.scan_result(job_id).signals)

    def latest(
        self,
        as_of: Moment | None = None,
        *,
        symbols: Iterable[str] | None = None,
        action: Action | str | None = None,
        min_strength: float = 0.0,
    ) -> pl.DataFrame:
        """The newest stored signal of each symbol, by default up to the feed's market time; strongest first.

        The columns of `signals`, then revision and missing (agents that gave no vote in time).
        """
        params = {
            "as_of": _text(as_of),
            "symbols": None if symbols is None else ",".join(symbols),
            "action": action,
            "min_strength": min_strength,
            "sort": "strength",
            "limit": 2000,
        }
        rows = [row for page in self._pages(SignalsView, "/v1/signals", params) for row in page.items]
        return tables.signal_table(rows, stored=True)

    def signal(self, symbol: str, as_of: Moment | None = None) -> SignalView:
        """The newest stored signal of one symbol. Raises NotFound when there is none."""
        return self._get(SignalView, f"/v1/signals/{_part(symbol)}", as_of=_text(as_of))

    def history(self, symbol: str, as_of: Moment | None = None, *, limit: int | None = None) -> pl.DataFrame:
        """The stored signals of one symbol, newest bar first; at most `limit` of them. Columns as in `latest`."""
        rows = self._rows(SignalView, f"/v1/signals/{_part(symbol)}/history", {"as_of": _text(as_of)}, limit)
        return tables.signal_table(rows, stored=True)

    # Bars, indicators, agents

    def upload(self, bars: object) -> UploadView:
        """Keep bars on the server for scans: what `load_bars` gives or takes. Sent once: what is known is not sent."""
        frame = bars if is_loaded(bars) else load_bars(bars)
        out = io.BytesIO()
        frame.rechunk().write_parquet(out, compression="zstd", compression_level=3, statistics=False)
        body = out.getvalue()
        data_hash = hashlib.sha256(body).hexdigest()
        try:
            return self._get(UploadView, f"/v1/bars/uploads/{data_hash}")
        except NotFound:
            answer = self._http.call("PUT", f"/v1/bars/{data_hash}", body=body, within_s=_UPLOAD_S)
            return answer.read(UploadView)

    def bars(
        self, symbol: str, start: Moment | None = None, as_of: Moment | None = None, *, limit: int = 20_000
    ) -> pl.DataFrame:
        """The newest `limit` bars of one symbol, oldest first, as `load_bars` gives them, with `gap`."""
        params = {"start": _text(start), "as_of": _text(as_of), "limit": limit}
        return tables.bars_table(self._get(BarsView, f"/v1/bars/{_part(symbol)}", **params))

    def instruments(self) -> pl.DataFrame:
        """The symbols of the server's bars: symbol, name, sector, first, last, bars."""
        return tables.table(self._rows(Instrument, "/v1/bars", {}, None), tables.INSTRUMENTS)

    def indicator(
        self,
        name: str,
        symbol: str,
        *,
        other: str | None = None,
        start: Moment | None = None,
        as_of: Moment | None = None,
        **params: float | str,
    ) -> pl.DataFrame:
        """An indicator over one symbol's bars: `ts` and a column for each output; NaN while warming up.

        other:  the second symbol, for an indicator that compares two.
        params: numbers, and the names of choices, as in `smoothing="ema"`.
        """
        query = {
            "symbol": symbol,
            "other": other,
            "param": [f"{key}:{_value(key, value)}" for key, value in params.items()],
            "start": _text(start),
            "as_of": _text(as_of),
        }
        return tables.indicator_table(self._get(IndicatorSeries, f"/v1/indicators/{_part(name)}/values", **query))

    def indicators(self) -> pl.DataFrame:
        """The registry of indicators; `params` (default, low, high, choices of each) as JSON."""
        return tables.table(self._get(list[IndicatorView], "/v1/indicators"), tables.INDICATORS)

    def agents(self) -> pl.DataFrame:
        """Every agent and how its actors are."""
        return tables.table(self._get(list[AgentView], "/v1/agents"), tables.AGENTS)

    def feed(self) -> FeedView:
        """Where live bars come from, and how far market time is."""
        return self._get(FeedView, "/v1/feed")

    # Jobs

    def jobs(self, *, state: JobState | None = None, kind: str | None = None, limit: int | None = 100) -> pl.DataFrame:
        """The newest jobs first; `spec` as JSON."""
        return tables.table(self._rows(JobView, "/v1/jobs", {"state": state, "kind": kind}, limit), tables.JOBS)

    def job(self, job_id: str) -> JobView:
        """One job. Raises NotFound."""
        return self._get(JobView, f"/v1/jobs/{_part(job_id)}")

    def cancel(self, job_id: str) -> JobView:
        """Stop a job; one that has ended stays as it is."""
        return self._http.call("POST", f"/v1/jobs/{_part(job_id)}/cancel").read(JobView)

    def pause(self, job_id: str) -> JobView:
        """Stop a job until it is resumed; what is done stays done."""
        return self._http.call("POST", f"/v1/jobs/{_part(job_id)}/pause").read(JobView)

    def resume(self, job_id: str) -> JobView:
        """Queue a paused job again; any other stays as it is."""
        return self._http.call("POST", f"/v1/jobs/{_part(job_id)}/resume").read(JobView)

    def wait(self, job_id: str, *, timeout_s: float = _WAIT_S, on_progress: OnProgress | None = None) -> JobView:
        """The job once it is done. A server that is away meanwhile is waited for.

        Raises: GoldenSignalsError with the job's reason when it failed or was cancelled; TemporarilyUnavailable when
                it has not ended within `timeout_s` (it goes on). The facts of both name `job_id`.
        """
        ends, pause = time.monotonic() + timeout_s, _POLL_S[0]
        seen: JobView | None = None
        while True:
            try:
                job = self.job(job_id)
            except TemporarilyUnavailable:
                if time.monotonic() > ends:
                    raise
            else:
                if on_progress is not None and job != seen:
                    on_progress(job)
                seen = job
                if job.state == "done":
                    return job
                if job.state in ("failed", "cancelled"):
                    why = job.error or "somebody stopped it; start it again if it is wanted"
                    raise GoldenSignalsError(f"job {job_id} {_ENDED[job.state]}: {why}", job_id=job_id)
            left = ends - time.monotonic()
            if left <= 0:
                raise TemporarilyUnavailable(
                    f"job {job_id} has not ended within {timeout_s:g} s and goes on; wait for it again, or cancel it",
                    job_id=job_id,
                )
            time.sleep(min(pause, left))
            pause = min(pause * 1.5, _POLL_S[1])

    # Events

    def events(self, after: int = 0, *, pattern: str | None = None, limit: int | None = 1000) -> pl.DataFrame:
        """Stored events behind number `after` in their global order; `body` is the whole event as JSON.

        pattern: such as `signals.consensus.AAPL`; `*` is one word, `#` any number of them.
        """
        rows: list[EventView] = []
        while limit is None or len(rows) < limit:
            size = _PAGE if limit is None else min(_PAGE, limit - len(rows))
            params = {"after": after, "pattern": pattern, "limit": size}
            page = self._get(Page[EventView], "/v1/events", **params).items
            rows += page
            if len(page) < size:
                break
            after = page[-1].seq
        return tables.event_table(rows)

    @overload
    def stream(
        self,
        rooms: Literal["signals"] = "signals",
        *,
        cursor: int | None = None,
        on_resync: Callable[[Resync], None] | None = None,
        give_up_s: float = _WAIT_S,
    ) -> Stream[SignalView]: ...

    @overload
    def stream(
        self,
        rooms: str | Iterable[str],
        *,
        cursor: int | None = None,
        on_resync: Callable[[Resync], None] | None = None,
        give_up_s: float = _WAIT_S,
    ) -> Stream[SignalView | Price]: ...

    def stream(
        self,
        rooms: str | Iterable[str] = "signals",
        *,
        cursor: int | None = None,
        on_resync: Callable[[Resync], None] | None = None,
        give_up_s: float = _WAIT_S,
    ) -> Stream[Any]:
        """Signals as they are stored: `async for signal in client.stream()`. Each one once, in order, without end.

        rooms:     `signals`, or `signals.AAPL` for single symbols; `prices` and `prices.AAPL` give a `Price` for every
                   bar, the newest only: bars that came while nobody listened or read are not sent later.
        cursor:    an earlier stream's `cursor`, to go on from there; None: from now on.
        on_resync: told the present state at the start without a cursor, and when the server's history was replaced.
        give_up_s: seconds without a connection after which the stream ends with TemporarilyUnavailable.
        Raises (while iterating): Unauthenticated, Forbidden, InvalidInput, GoldenSignalsError for what trying again
        cannot repair. A stream that raised goes on from its cursor when it is iterated again.
        """
        return signal_stream(self._http, self._gateway, rooms, cursor, on_resync, give_up_s)

    def events_stream(
        self,
        rooms: str | Iterable[str],
        *,
        cursor: int | None = None,
        on_resync: Callable[[Resync], None] | None = None,
        give_up_s: float = _WAIT_S,
    ) -> Stream[EventView]:
        """As `stream`, with whole events, of the rooms signals, jobs, agents, market and their parts."""
        return event_stream(self._http, self._gateway, rooms, cursor, on_resync, give_up_s)

    # private

    def _get(self, kind: type[T], path: str, /, **params: Any) -> T:
        return self._http.call("GET", path, params=params).read(kind)

    def _pages(self, kind: type[T], path: str, params: dict[str, Any]) -> Iterator[T]:
        """Every page of a list; `kind` is a Page."""
        after: str | None = None
        while True:
            page: Any = self._get(kind, path, **params, after=after)
            yield page
            after = page.next
            if after is None:
                return

    def _rows(self, kind: type[T], path: str, params: dict[str, Any], limit: int | None) -> list[T]:
        """Rows of a paged list, at most `limit`."""
        rows: list[T] = []
        if limit == 0:
            return rows
        size = _PAGE if limit is None else min(limit, _PAGE)
        for page in self._pages(Page[kind], path, {**params, "limit": size}):  # type: ignore[valid-type]
            rows += page.items
            if limit is not None and len(rows) >= limit:
                break
        return rows[:limit]

    def _post_scan(self, spec: dict[str, Any]) -> JobView:
        """Safe to repeat: the same specification is the same job."""
        given = {key: value for key, value in spec.items() if value is not None}
        return self._http.call("POST", "/v1/scans", json=given).read(JobView)

    def _scanned(self, spec: dict[str, Any], timeout_s: float, on_progress: OnProgress | None) -> pl.DataFrame:
        job = self._post_scan(spec)
        self.wait(job.job_id, timeout_s=timeout_s, on_progress=on_progress)
        return self.scan_table(job.job_id)


_PAGE = 1000
_ENDED = {"failed": "failed", "cancelled": "was cancelled"}


def _meta(http: Http) -> MetaView:
    """What the server says of itself. Raises InvalidInput when it is none of ours, or of another version of the API."""
    try:
        answer: Answer = http.anonymous("/v1/meta")
        told = answer.read(dict[str, Any])
    except NotFound:
        told = {}
    except GoldenSignalsError as problem:
        if type(problem) is not GoldenSignalsError or problem.facts:
            raise
        told = {}
    theirs = told.get("api")
    if told.get("name") != "goldensignals" or not isinstance(theirs, int):
        raise InvalidInput(f"what answers at {http.url} is no GoldenSignals server; check the address")
    if theirs != API:
        side = "upgrade the package goldensignals here" if theirs > API else "upgrade the server"
        raise InvalidInput(
            f"the server ({told.get('version')}) speaks version {theirs} of the API, and this client "
            f"({version('goldensignals')}) version {API}: {side}",
            server_api=theirs,
            client_api=API,
        )
    return read(MetaView, told)


def _beside(url: str, port: int) -> str:
    """The same host at another port."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{port}"


def _part(text: str) -> str:
    """One segment of a path: `^GSPC`. Raises InvalidInput for what would be another path."""
    if text in ("", ".", ".."):
        raise InvalidInput(f"{text!r} is no name; give one")
    return quote(text, safe="")


def _text(moment: Moment | None) -> str | None:
    if isinstance(moment, datetime) and moment.tzinfo is None:
        raise InvalidInput(f"the time {moment} has no time zone; add one, for example {moment.isoformat()}+00:00")
    return moment if moment is None or isinstance(moment, str) else moment.isoformat()


def _value(name: str, value: float | str) -> str:
    """A choice's name, or a number without an exponent, as the server reads it."""
    if isinstance(value, str):
        return value
    found = Decimal(repr(value)) if isinstance(value, int | float) and not isinstance(value, bool) else Decimal("nan")
    if not found.is_finite():
        raise InvalidInput(f"the parameter {name} must be a number, or the name of a choice")
    return f"{found:f}"
