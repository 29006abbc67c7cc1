"""Reads the rows out of an SQLite file page by page, without its trees: so a broken page costs its own rows alone.

The format is the published one (sqlite.org/fileformat2.html): pages of rows carry all it takes to read them, but for
the columns' names. Nothing is written; the write-ahead log, as far as it was committed, is read over the file.
"""

import os
import struct
from collections.abc import Iterator
from typing import NamedTuple

MAGIC = b"SQLite format 3\0"
PAGE_DEFAULT = 4096
WAL_MAGIC = (0x377F0682, 0x377F0683)
WAL_HEAD, FRAME_HEAD, FILE_HEAD = 32, 24, 100
INDEX_INSIDE, TABLE_INSIDE, INDEX_LEAF, TABLE_LEAF = 2, 5, 10, 13
LOCK_BYTE = 0x40000000  # its page is never used
INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}  # width of the serial types that are integers

type Value = int | float | str | bytes | None


class Row(NamedTuple):
    """One row, or one entry of an index. `key` is the rowid; None where there is none."""

    key: int | None
    values: tuple[Value, ...]


class Broken(ValueError):
    """These bytes are not what their place says they are."""


class Cut(Broken):
    """A long row whose further pages are not what they were; the page it begins on is sound."""


class Pages:
    """The pages of a file and its log, by open descriptors. `bad` are those that could not be understood."""

    def __init__(self, file: int, log: int | None) -> None:
        self._file, self._log, self._over = file, log, dict[int, int]()
        head = self._read(file, 0, FILE_HEAD)
        self.headed = head.startswith(MAGIC) and _page_size(head) is not None
        self.size = (_page_size(head) if self.headed else None) or self._log_page_size() or PAGE_DEFAULT
        self.usable = self.size - (head[20] if self.headed else 0)
        if log is not None:
            self._lay_log_over(log)
        self.count = max(os.fstat(file).st_size // self.size, *self._over, 0)
        self.bad: set[int] = set()
        self.overflow: set[int] = set()  # parts of rows that came out whole
        self.reached: set[int] = set()  # parts of rows that did not
        self.children: set[int] = set()  # pages with rowids, as the pages above them tell

    def rows(self) -> Iterator[Row]:
        """Every row of every page that can be understood. Which table it is of, its values must tell."""
        free = self._free() | {LOCK_BYTE // self.size + 1}
        for number in range(1, self.count + 1):
            if number not in free and number not in self.overflow:
                try:
                    yield from self._rows_of(number)
                except (Broken, IndexError, struct.error, UnicodeDecodeError):
                    self.bad.add(number)

    def damaged(self) -> set[int]:
        """After all rows were read: pages of which nobody can tell what they held, but for the rest of cut rows."""
        orphans = self.bad - self.overflow
        return {number for number in orphans if not self._goes_on(number, orphans)}

    def unplaced(self) -> set[int]:
        """Those of the damaged pages that no other page names as one with rowids, or as a part of a long row."""
        return self.damaged() - self.reached - self.children - {1}

    def _goes_on(self, number: int, orphans: set[int]) -> bool:
        """Whether it looks like a part of a long row whose beginning is lost."""
        try:
            page = self.page(number)
        except Broken:
            return False
        further = int.from_bytes(page[:4])
        return any(page) and (further == 0 or further in orphans)

    def page(self, number: int) -> bytes:
        """The page as last committed; Broken where there is none, or the disk cannot read it."""
        if not 1 <= number <= self.count:
            raise Broken(f"page {number}")
        at = self._over.get(number)
        if at is not None and self._log is not None:
            raw = self._read(self._log, at, self.size)
        else:
            raw = self._read(self._file, (number - 1) * self.size, self.size)
        if len(raw) < self.size:
            raise Broken(f"page {number}")
        return raw

    def _rows_of(self, number: int) -> Iterator[Row]:
        page = self.page(number)
        start = FILE_HEAD if number == 1 else 0
        kind = page[start]
        if kind == TABLE_INSIDE:
            self._note_children(page, start)
            return
        if kind not in (INDEX_INSIDE, INDEX_LEAF, TABLE_LEAF):
            raise Broken(f"page {number}")
        cells = int.from_bytes(page[start + 3 : start + 5])
        places = start + (12 if kind == INDEX_INSIDE else 8)
        if places + 2 * cells > self.usable:
            raise Broken(f"page {number}")
        broken = False
        for place in range(places, places + 2 * cells, 2):
            try:
                yield self._row(page, int.from_bytes(page[place : place + 2]), kind)
            except Cut:
                continue
            except (Broken, IndexError, struct.error, UnicodeDecodeError):
                broken = True  # this row alone
        if broken:
            raise Broken(f"page {number}")

    def _note_children(self, page: bytes, start: int) -> None:
        places = page[start + 12 : start + 12 + 2 * int.from_bytes(page[start + 3 : start + 5])]
        cells = struct.unpack(f">{len(places) // 2}H", places)
        children = {int.from_bytes(page[at : at + 4]) for at in (start + 8, *cells)}
        if len(children) <= len(cells) or not all(1 < child <= self.count for child in children):
            raise Broken("a page above others that are not there")
        self.children |= children

    def _row(self, page: bytes, at: int, kind: int) -> Row:
        at += 4 if kind == INDEX_INSIDE else 0
        length, at = varint(page, at)
        key = None
        if kind == TABLE_LEAF:
            key, at = varint(page, at)
        most = self.usable - 35 if kind == TABLE_LEAF else (self.usable - 12) * 64 // 255 - 23
        here = length
        if length > most:
            least = (self.usable - 12) * 32 // 255 - 23
            here = least + (length - least) % (self.usable - 4)
            here = here if here <= most else least
        if at + here > self.usable:
            raise Broken("a row that is longer than its page")
        record = page[at : at + here]
        if length > here:
            record = self._whole(record, length, int.from_bytes(page[at + here : at + here + 4]))
        return Row(key, values(record))

    def _whole(self, record: bytes, length: int, number: int) -> bytes:
        """A record with what overflowed to further pages."""
        parts, got, chain = [record], len(record), dict[int, None]()
        if length > self.count * self.size:
            raise Broken("a row that is longer than the file")
        while got < length and number not in chain:
            chain[number] = None
            page = self._part(number)
            part = page[4 : min(self.usable, 4 + length - got)]
            parts.append(part)
            got += len(part)
            number = int.from_bytes(page[:4])
        if got < length or number:
            self.reached.update(chain)
            raise Cut("a long row that was cut")
        self.overflow.update(chain)
        return b"".join(parts)

    def _part(self, number: int) -> bytes:
        try:
            return self.page(number)
        except Broken:
            return bytes(4)  # the chain ends here

    def _free(self) -> set[int]:
        """Pages that hold nothing any more; their bytes are of rows that were deleted."""
        if not self.headed:
            return set()
        free: set[int] = set()
        try:
            trunk = int.from_bytes(self.page(1)[32:36])
            while trunk and trunk not in free:
                page = self.page(trunk)
                leaves = min(int.from_bytes(page[4:8]), self.usable // 4 - 2)
                free |= {trunk, *struct.unpack(f">{leaves}I", page[8 : 8 + 4 * leaves])}
                trunk = int.from_bytes(page[:4])
        except Broken:
            pass  # deleted rows may come up again: they are recognised further on
        return free

    def _log_page_size(self) -> int | None:
        head = self._read(self._log, 0, WAL_HEAD) if self._log is not None else b""
        size = int.from_bytes(head[8:12])
        return size if int.from_bytes(head[:4]) in WAL_MAGIC and _is_page_size(size) else None

    def _lay_log_over(self, log: int) -> None:
        """The newest committed image of each page: frames count up to the first whose checksum is wrong."""
        head = self._read(log, 0, WAL_HEAD)
        if len(head) < WAL_HEAD or int.from_bytes(head[:4]) not in WAL_MAGIC:
            return
        order = ">" if int.from_bytes(head[:4]) == WAL_MAGIC[1] else "<"
        sums = _checksum(order, head[:24], (0, 0))
        if sums != struct.unpack(">II", head[24:32]) or int.from_bytes(head[8:12]) != self.size:
            return
        at, waiting = WAL_HEAD, dict[int, int]()
        while len(frame := self._read(log, at, FRAME_HEAD + self.size)) == FRAME_HEAD + self.size:
            number, commit = struct.unpack(">II", frame[:8])
            sums = _checksum(order, frame[FRAME_HEAD:], _checksum(order, frame[:8], sums))
            if frame[8:16] != head[16:24] or sums != struct.unpack(">II", frame[16:24]):
                return
            waiting[number] = at + FRAME_HEAD
            if commit:
                self._over |= waiting
                waiting.clear()
            at += FRAME_HEAD + self.size

    def _read(self, descriptor: int, at: int, length: int) -> bytes:
        try:
            return os.pread(descriptor, length, at)
        except OSError:  # a sector that the disk cannot read any more
            return b""


def varint(raw: bytes, at: int) -> tuple[int, int]:
    """A big-endian integer of 7 bits a byte, the ninth byte whole; and where it ends."""
    value = 0
    for place in range(at, at + 8):
        byte = raw[place]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place + 1
    value = value << 8 | raw[at + 8]
    return (value - (1 << 64) if value >> 63 else value), at + 9


def values(record: bytes) -> tuple[Value, ...]:
    """The columns of a record."""
    head, at = varint(record, 0)
    if not 0 < head <= len(record):
        raise Broken("a record without its columns")
    found: list[Value] = []
    place = head
    while at < head:
        kind, at = varint(record, at)
        value, place = _value(record, place, kind)
        found.append(value)
    if place != len(record):
        raise Broken("a record of another length")
    return tuple(found)


def _value(record: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind == 0:
        return None, at
    if kind in INTEGERS:
        width = INTEGERS[kind]
        return int.from_bytes(record[at : at + width], signed=True), at + width
    if kind == 7:
        return struct.unpack(">d", record[at : at + 8])[0], at + 8
    if kind in (8, 9):
        return kind - 8, at
    if kind < 12:
        raise Broken("a type that there is not")
    width = (kind - 12) // 2
    raw = record[at : at + width]
    if len(raw) < width:
        raise Broken("a value that is longer than its record")
    return (raw.decode() if kind % 2 else raw), at + width


def _page_size(head: bytes) -> int | None:
    size = int.from_bytes(head[16:18])
    size = 65_536 if size == 1 else size
    return size if _is_page_size(size) else None


def _is_page_size(size: int) -> bool:
    return 512 <= size <= 65_536 and size & (size - 1) == 0


def _checksum(order: str, raw: bytes, sums: tuple[int, int]) -> tuple[int, int]:
    one, two = sums
    words = struct.unpack(f"{order}{len(raw) // 4}I", raw)
    for first, second in zip(words[::2], words[1::2], strict=True):
        one = (one + first + two) & 0xFFFFFFFF
        two = (two + second + one) & 0xFFFFFFFF
    return one, two
