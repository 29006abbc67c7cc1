"""A thief who has the whole data folder and the spool key: whose deliveries can be read out of the raw bytes?

He knows the format and uses nothing of ours. He needs no whole piece: AES-GCM encrypts in counter mode, so that the
first bytes of a piece open what lies behind them, wherever the rest of it is.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MARKS = {b"LMF\1": 4, b"LMF\2": 8}  # of pieces, and where the nonce of each begins
NONCE = 12
BEGINS = (b"\x85\xa6method", b"\xa6method")  # a Delivery as msgpack has it
IN_A_BATCH = 65_536


def stolen(folder: Path, spool_keys: Sequence[bytes]) -> set[bytes]:
    """The nonces of all deliveries that he can read, whole or in part, in any file under `folder`."""
    keys = [*spool_keys, *hour_keys(folder, spool_keys)]
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "ballast"]
    return set().union(*(_read(path.read_bytes(), keys) for path in files))


def nonce_of(piece: bytes) -> bytes:
    at = MARKS[piece[:4]]
    return piece[at : at + NONCE]


def hour_keys(folder: Path, spool_keys: Sequence[bytes]) -> Iterator[bytes]:
    """Out of every file that may hold one."""
    for path in folder.rglob("keys/*"):
        piece = path.read_bytes()[:-4]
        context = b"livemon hour key 1 " + path.name[:13].encode()
        for key in spool_keys:
            try:
                yield AESGCM(key).decrypt(nonce_of(piece), piece[4 + NONCE :], context)
            except (InvalidTag, ValueError, KeyError):
                continue


def _read(raw: bytes, keys: Sequence[bytes]) -> Iterable[bytes]:
    for mark, head in MARKS.items():
        at = raw.find(mark)
        while at >= 0:
            nonce, rest = raw[at + head : at + head + NONCE], raw[at + head + NONCE : at + head + NONCE + IN_A_BATCH]
            for key in keys if len(nonce) == NONCE else ():
                plain = _counted(key, nonce, rest)
                if plain.startswith(BEGINS):
                    yield nonce
                elif b"quarantine" in plain[:32]:  # facts, among them deliveries that are encrypted once more
                    yield from _read(plain, keys)
            at = raw.find(mark, at + 1)


def _counted(key: bytes, nonce: bytes, rest: bytes) -> bytes:
    """NIST SP 800-38D: the counter of the first block of the text is 2."""
    return Cipher(algorithms.AES(key), modes.CTR(nonce + (2).to_bytes(4))).decryptor().update(rest)
