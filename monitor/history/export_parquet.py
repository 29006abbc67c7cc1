"""Parquet of an export: typed columns that are the same in every file, so that days can be read together."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import parquet

from monitor.history.export_columns import Column, ExportError, Kind, Values

GROUP_BYTES = 4 * 1024**2  # of a row group before it is packed, some 65,000 ticks: so much is held in memory
PLACES = 9  # of a numeric: PostgreSQL's have any number of them, a column of Parquet one

TYPES: dict[Kind, Any] = {
    "text": pyarrow.string(),
    "integer": pyarrow.int64(),
    "decimal": pyarrow.decimal128(38, PLACES),
    "money": pyarrow.decimal128(18, 2),
    "float": pyarrow.float64(),
    "flag": pyarrow.bool_(),
    "date": pyarrow.date32(),
    "utc": pyarrow.timestamp("us", "UTC"),
    "local": pyarrow.timestamp("us"),  # without a zone: what a clock of the event showed
}


class ParquetTable:
    """Compressed with zstd. A numeric of more than nine places is rounded to nine, and that is told."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._columns: Sequence[Column] = ()
        self._parts: list[Any] = []
        self._bytes = 0
        self._rounded = 0
        self._file: Any = None

    def begin(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        schema = pyarrow.schema([pyarrow.field(column.name, TYPES[column.kind]) for column in columns])
        self._file = parquet.ParquetWriter(self._path, schema, compression="zstd")

    def write(self, values: Sequence[Values]) -> None:
        arrays = [self._array(column, told) for column, told in zip(self._columns, values, strict=True)]
        part = pyarrow.record_batch(arrays, schema=self._file.schema)
        self._parts.append(part)
        self._bytes += part.nbytes
        if self._bytes >= GROUP_BYTES:
            self._flush()

    def finish(self) -> list[str]:
        self._flush()
        self._file.close()
        numbers = f"{self._rounded:,} numbers were" if self._rounded > 1 else "one number was"
        return [f"{numbers} rounded to {PLACES} decimal places, as Parquet has them"] if self._rounded else []

    def discard(self) -> None:
        self._parts.clear()
        if self._file is not None:
            self._file.close()

    def _flush(self) -> None:
        if self._parts:
            self._file.write_table(pyarrow.Table.from_batches(self._parts))
        self._parts.clear()
        self._bytes = 0

    def _array(self, column: Column, values: Values) -> Any:
        if column.kind == "decimal":
            values = [None if value is None else self._decimal(value) for value in values]
        elif column.kind == "local":
            values = [None if value is None else value.replace(tzinfo=None) for value in values]
        try:
            return pyarrow.array(values, TYPES[column.kind])
        except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError) as error:
            raise ExportError(
                f'a value of the column "{column.name}" is nothing that Parquet can hold as {TYPES[column.kind]} '
                f"({error}): ask for it as text, {column.name}::text AS {column.name}"
            ) from error

    def _decimal(self, value: Decimal) -> Decimal:
        exponent = value.as_tuple().exponent
        if not isinstance(exponent, int) or exponent >= -PLACES:  # of NaN it is a letter
            return value
        rounded = round(value, PLACES)
        self._rounded += rounded != value
        return rounded
