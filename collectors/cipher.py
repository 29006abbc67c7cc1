"""Opens and closes the bodies that platforms encrypt: AES-CBC with the padding of each."""

import base64
import binascii
from contextlib import suppress

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from .collector import BadFrame

ZERO_IV = bytes(16)
AES_BYTES = (16, 24, 32)  # the lengths of its keys
WECHAT_PAD = 32  # WeChat pads to blocks of 32, so its padding may be longer than a block of AES


class BadCipher(BadFrame):
    """It does not open under this key; why it does not is nobody's business."""


def kwaixiaodian_open(body: bytes, secret: bytes) -> bytes:
    """The text of a push of the Kuaishou shop; `secret` is the message secret, in base64 as the platform shows it."""
    return unpadded(decrypted(exact_base64(secret), ZERO_IV, exact_base64(body)), 16)


def kwaixiaodian_close(text: bytes, secret: bytes) -> bytes:
    return base64.b64encode(encrypted(exact_base64(secret), ZERO_IV, padded(text, 16)))


def kwaixiaodian_key_fault(secret: bytes) -> str:
    """What to do about a secret under which nothing can open; empty: it is of the right shape."""
    with suppress(BadCipher):
        if len(exact_base64(secret)) in AES_BYTES:
            return ""
    return "it is the message secret (消息密钥), 24 characters of base64; not the app secret"


def wechat_open(encrypt: bytes, encoding_aes_key: bytes, app_id: str) -> bytes:
    """The message in `Encrypt`: 16 random bytes, its length, itself, and whom it is for, which must be us."""
    key = wechat_key(encoding_aes_key)
    plain = unpadded(decrypted(key, key[:16], exact_base64(encrypt)), WECHAT_PAD)
    end = 20 + int.from_bytes(plain[16:20])
    if len(plain) < 20 or plain[end:] != app_id.encode():
        raise BadCipher("cipher: does not open")
    return plain[20:end]


def wechat_close(message: bytes, encoding_aes_key: bytes, app_id: str, random: bytes) -> bytes:
    """`Encrypt` of a message; `random` are 16 bytes."""
    key = wechat_key(encoding_aes_key)
    plain = random + len(message).to_bytes(4) + message + app_id.encode()
    return base64.b64encode(encrypted(key, key[:16], padded(plain, WECHAT_PAD)))


def wechat_key(encoding_aes_key: bytes) -> bytes:
    # 43 signs stand for 32 bytes; the last sign has bits to spare, so this base64 need not be the canonical one.
    try:
        return base64.b64decode(encoding_aes_key + b"=", validate=True)
    except binascii.Error:
        raise BadCipher("cipher: the EncodingAESKey is no key") from None


def wechat_key_fault(encoding_aes_key: bytes) -> str:
    """What to do about a secret under which nothing can open; empty: it is of the right shape."""
    with suppress(BadCipher):
        if len(encoding_aes_key) == 43 and wechat_key(encoding_aes_key):
            return ""
    return "it is the EncodingAESKey, 43 letters and digits; not the AppSecret"


def exact_base64(text: bytes) -> bytes:
    """The bytes of canonical base64: one text for each, so that no changed text means the same."""
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise BadCipher("cipher: does not open") from None
    if base64.b64encode(raw) != text:
        raise BadCipher("cipher: does not open")
    return raw


def decrypted(key: bytes, iv: bytes, sealed: bytes) -> bytes:
    try:
        opener = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
        return opener.update(sealed) + opener.finalize()
    except ValueError:  # the key is of no length that AES has, or the text of no whole number of blocks
        raise BadCipher("cipher: does not open") from None


def encrypted(key: bytes, iv: bytes, plain: bytes) -> bytes:
    closer = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return closer.update(plain) + closer.finalize()


def padded(plain: bytes, block: int) -> bytes:
    pad = block - len(plain) % block
    return plain + bytes([pad]) * pad


def unpadded(plain: bytes, block: int) -> bytes:
    pad = plain[-1] if plain else 0
    if not 1 <= pad <= min(block, len(plain)) or plain[-pad:] != bytes([pad]) * pad:
        raise BadCipher("cipher: does not open")
    return plain[:-pad]
