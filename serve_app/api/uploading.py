"""Takes in the bars a client sends: checked against their hash and the rules of quality, then kept for its scans."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from data.contracts.errors import Conflict, InvalidInput
from data.contracts.panel import from_micros
from data.market.archive import drop_upload, has_upload, hash_of, keep_upload, read_upload
from data.market.source import Bars
from data.settings import Settings
from data.store.uploads import Upload
from serve_app.api.services import Services

# One check at a time per process: unpacking takes memory, and a check goes on when its caller has gone.
_CHECKER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="upload-check")


async def known(services: Services, data_hash: str) -> Upload | None:
    """An upload that was accepted before and whose bytes are still there; else None, and it has to be sent (again)."""
    found = await services.uploads.get(data_hash)
    if found is None or not await asyncio.to_thread(has_upload, services.settings.home, data_hash):
        return None
    return found


async def accept(services: Services, data_hash: str, body: bytes, *, owner: str) -> Upload:
    """Check and keep an upload; the same bytes twice are one upload.

    Raises: InvalidInput when the bytes have another hash, are no bars, or hold no usable one; Conflict when
    the owner's uploads would be over their limit. Nothing is kept then.
    """
    total = services.settings.api.upload_total_bytes
    await services.uploads.require_room(data_hash, len(body), owner=owner, total=total)
    loop = asyncio.get_running_loop()
    checked = await loop.run_in_executor(_CHECKER, _check, services.settings, data_hash, body)
    panel, quarantined = checked.panel, checked.quarantined
    upload = Upload(
        data_hash=data_hash,
        owner=owner,
        frame=panel.frame,
        symbols=list(panel.symbols),
        rows=len(panel),
        first_ts=from_micros(int(panel.ts.min())),
        last_ts=from_micros(int(panel.ts.max())),
        quarantined=quarantined.by_reason,
        uploaded_at=services.clock.now(),
        bytes=len(body),
    )
    try:
        await services.uploads.record(upload, total=total)
    except Conflict:  # others of the owner came in while this one was checked
        if await services.uploads.get(data_hash) is None:
            await asyncio.to_thread(drop_upload, services.settings.home, data_hash)
        raise
    return upload


def _check(settings: Settings, data_hash: str, body: bytes) -> Bars:
    found = hash_of(body)
    if found != data_hash:
        raise InvalidInput(f"the SHA-256 of the body is {found} and not {data_hash}; send the bytes that were hashed")
    bars = read_upload(body)
    keep_upload(settings.home, data_hash, body)  # before the row: a row without its bytes would be a lie
    return bars
