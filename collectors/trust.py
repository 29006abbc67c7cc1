"""Whom sockets trust: the certificate authorities of the machine, read once.

A connection that is told no more than "TLS" reads them all anew and holds its own copy for as long as it lives.
"""

import ssl
from functools import cache


@cache
def trusted() -> ssl.SSLContext:
    return ssl.create_default_context()
