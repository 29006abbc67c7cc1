"""Every platform whose open API we know. A new one adds its import and its name to `KNOWN`, nothing else."""

from ..open_api import OpenApi

KNOWN: tuple[OpenApi, ...] = ()

APIS: dict[str, OpenApi] = {api.PLATFORM: api for api in KNOWN}
