"""The archive of a market, simulated or live: a folder from which all of it can be derived again.

| file | what is in it |
|---|---|
| `order_log.jsonl` | the rows of the order log, one a line, in order |
| `transfers.jsonl` | the journals that are no trades: deposits, withdrawals, issues |
| `securities.json` | the listings |
| `accounts.json` | every account: its role and group, and how it stood at the end |
| `manifest.json` | plan, seed and positions, and the SHA-256 of each file |

Trades, settlement reports and books are not in it: engine and ledger derive them from the log.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Literal

import msgspec

from venue_protocol.securities import Security
from venue_storage.clearing_rows import LogRow

SCHEMA = 1
ORDER_LOG = "order_log.jsonl"
TRANSFERS = "transfers.jsonl"
SECURITIES = "securities.json"
ACCOUNTS = "accounts.json"
MANIFEST = "manifest.json"
BLOCK = 1_000
"""Lines that are sealed together: so a changed byte is found within so many lines."""


class ArchiveFault(ValueError):
    """The folder holds no archive that can be read; the message names file and place."""


class LoggedCommand(msgspec.Struct):
    """One line of the order log; `command` is byte for byte the log's text."""

    shard: int
    sequence: int
    time_us: int
    client_id: str
    client_order_id: str | None
    amended_order_id: int | None
    command: msgspec.Raw

    def row(self) -> LogRow:
        """As the log's table has it."""
        return LogRow(
            self.shard,
            self.sequence,
            self.time_us,
            self.client_id,
            self.client_order_id,
            self.amended_order_id,
            bytes(self.command).decode(),
        )


class ArchivedTransfer(msgspec.Struct, frozen=True):
    """A journal that is no trade. Legs are client, asset, signed amount."""

    journal_id: int
    kind: str
    time_us: int
    legs: list[tuple[str, str, int]]
    reference: str | None
    memo: str | None
    after_event: int | None
    """The last event that was settled before it; None where only the journals tell its place."""


class ArchivedHolding(msgspec.Struct, frozen=True):
    """Shares of one security at the end."""

    quantity: int
    held: int


class ArchivedAccount(msgspec.Struct, frozen=True):
    """One account, and how it stood at the end."""

    client_id: str
    role: str
    group: str
    """`player`, `population` or `venue`."""
    is_external: bool
    balance_e4: int
    held_e4: int
    report_count: int
    report_hash: str
    """The end of its chain of settlement reports."""
    holdings: dict[str, ArchivedHolding]


class Seal(msgspec.Struct):
    """One file: its hash, and those of its blocks of BLOCK lines."""

    sha256: str
    size: int
    """Bytes."""
    lines: int
    blocks: list[str]
    """The first 16 digits of the SHA-256 of each block."""


class ShardEnd(msgspec.Struct, frozen=True):
    """How far one shard came, and the hash of its engine's books."""

    shard: int
    log_position: int
    event_position: int
    state_hash: str


class Manifest(msgspec.Struct):
    """What the archive holds."""

    schema: int
    kind: Literal["simulated", "live"]
    seed: int | None
    start_us: int
    end_us: int
    plan: dict[str, Any]
    """Of a simulated market; of a live one, whatever its organiser adds."""
    shards: list[ShardEnd]
    last_journal_id: int
    last_report_sequence: int
    files: dict[str, Seal]


class SealedFile:
    """A file that is written line by line and sealed at its end."""

    def __init__(self, path: Path) -> None:
        self._file: IO[bytes] = path.open("xb")
        self._whole = hashlib.sha256()
        self._block = hashlib.sha256()
        self._seal = Seal("", 0, 0, [])

    def write(self, line: bytes) -> None:
        """One line, without its end."""
        line += b"\n"
        self._file.write(line)
        self._whole.update(line)
        self._block.update(line)
        self._seal.size += len(line)
        self._seal.lines += 1
        if not self._seal.lines % BLOCK:
            self._end_block()

    def close(self) -> Seal:
        """End the file; its seal."""
        self._file.close()
        if self._seal.lines % BLOCK:
            self._end_block()
        self._seal.sha256 = self._whole.hexdigest()
        return self._seal

    def _end_block(self) -> None:
        self._seal.blocks.append(self._block.hexdigest()[:16])
        self._block = hashlib.sha256()


class MarketArchive:
    """An archive that is there. ArchiveFault for a folder that is none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = _read(folder / MANIFEST, Manifest)
        if self.manifest.schema != SCHEMA:
            raise ArchiveFault(f"{folder}: schema {self.manifest.schema} is not {SCHEMA}")

    def securities(self) -> list[Security]:
        """The listings."""
        found: list[Security] = _read(self.folder / SECURITIES, list[Security])
        return found

    def accounts(self) -> list[ArchivedAccount]:
        """Every account as it stood at the end."""
        found: list[ArchivedAccount] = _read(self.folder / ACCOUNTS, list[ArchivedAccount])
        return found

    def transfers(self) -> Iterator[ArchivedTransfer]:
        """Deposits, withdrawals and issues, in the order of their journals."""
        yield from _lines(self.folder / TRANSFERS, ArchivedTransfer)

    def log_rows(self, shard: int | None = None) -> Iterator[LogRow]:
        """The rows of the order log, of one shard or of all."""
        for line in _lines(self.folder / ORDER_LOG, LoggedCommand):
            if shard is None or line.shard == shard:
                yield line.row()

    def broken_seals(self) -> list[str]:
        """What is not as it was sealed, in words: file and lines. Empty when all is whole."""
        broken = []
        for name, seal in self.manifest.files.items():
            found = check_seal(self.folder / name, seal)
            if found is not None:
                broken.append(found)
        return broken


def check_seal(path: Path, seal: Seal) -> str | None:
    """Where a file is not as it was sealed, in words; None if it is whole."""
    if not path.is_file():
        return f"{path.name} is missing"
    again = Seal("", 0, 0, [])
    whole, block = hashlib.sha256(), hashlib.sha256()
    with path.open("rb") as lines:
        for line in lines:
            whole.update(line)
            block.update(line)
            again.lines += 1
            if not again.lines % BLOCK:
                again.blocks.append(block.hexdigest()[:16])
                block = hashlib.sha256()
    if again.lines % BLOCK:
        again.blocks.append(block.hexdigest()[:16])
    if whole.hexdigest() == seal.sha256:
        return None
    for place, (sealed, found) in enumerate(zip(seal.blocks, again.blocks, strict=False)):
        if sealed != found:
            return f"{path.name} was changed in lines {place * BLOCK + 1} to {(place + 1) * BLOCK}"
    if again.lines != seal.lines:
        return f"{path.name} has {again.lines} lines, sealed were {seal.lines}"
    return f"{path.name} was changed"


def log_line(row: LogRow) -> bytes:
    """One row of the log as a line."""
    return _encoder.encode(LoggedCommand(*row[:6], msgspec.Raw(row.command.encode())))


def seal_json(path: Path, content: object) -> Seal:
    """Write one file of JSON, indented for people; its seal."""
    file = SealedFile(path)
    for line in msgspec.json.format(_encoder.encode(content), indent=1).splitlines():
        file.write(line)
    return file.close()


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """The last file of an archive."""
    text = msgspec.json.format(_encoder.encode(manifest), indent=1)
    (folder / MANIFEST).write_bytes(text + b"\n")


_encoder = msgspec.json.Encoder()


def _read(path: Path, kind: Any) -> Any:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise ArchiveFault(f"{path} can't be read: {error.strerror}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ArchiveFault(f"{path}: {error}") from error


def _lines(path: Path, kind: Any) -> Iterator[Any]:
    decoder = msgspec.json.Decoder(kind)
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    yield decoder.decode(line)
                except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                    raise ArchiveFault(f"{path.name} line {number}: {error}") from error
    except OSError as error:
        raise ArchiveFault(f"{path} can't be read: {error.strerror}") from error
