"""Where an OpenAI-compatible endpoint is and which key opens it."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from hipporag_like.config import LLMConfig
from hipporag_like.errors import ConfigError

OFFICIAL = "https://api.openai.com/v1"  # the client's own default
BASE_URL_VARIABLE = "OPENAI_BASE_URL"  # the client's own


def base_address(config: LLMConfig) -> str:
    """Return the endpoint's base URL without a slash at its end.

    Raises
    ------
    ConfigError
        It is no such URL, or holds what would be shown to others: a user, a password, a query.
    """
    address = (config.base_url or os.environ.get(BASE_URL_VARIABLE, "") or OFFICIAL).strip().rstrip("/")
    if not _is_plain(address):
        raise ConfigError(
            f"llm.base_url (or {BASE_URL_VARIABLE}) must be like http://localhost:8000/v1, without a "
            "password or a query; put a key into the environment variable that llm.api_key_env names"
        )
    return address


def read_key(config: LLMConfig, address: str) -> str:
    """Return the key in the environment; empty where there is none and the server may do without.

    Raises
    ------
    ConfigError
        The official endpoint needs one, or what is there cannot be one.
    """
    variable = config.api_key_env
    key = os.environ.get(variable, "").strip() if variable else ""
    if not key and address == OFFICIAL:
        raise ConfigError(
            f"{OFFICIAL} needs a key: put one into the environment variable "
            f"{variable or 'that llm.api_key_env names'}, or name a server of your own with llm.base_url"
        )
    if not (key.isascii() and key.isprintable()):
        raise ConfigError(
            f"the environment variable {variable} holds signs that no key has; copy the key again"
        )
    return key


def _is_plain(address: str) -> bool:
    try:
        parts = urlsplit(address)
        named = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    # urlsplit passes over line breaks and tabs, which would end up in the requests.
    clean = address.isprintable() and " " not in address
    return clean and named and "@" not in parts.netloc and not parts.query and not parts.fragment
