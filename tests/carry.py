"""Carries TCP of 127.0.0.1:5432 to the socket of a PostgreSQL that listens on no address; for tests/container.sh."""

import asyncio
from contextlib import suppress


async def pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()
    sink.close()


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    inner_reader, inner_writer = await asyncio.open_unix_connection("/var/lib/postgres/.s.PGSQL.5432")
    await asyncio.gather(pour(reader, inner_writer), pour(inner_reader, writer))


async def main() -> None:
    server = await asyncio.start_server(carry, "127.0.0.1", 5432)
    print("carries", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
