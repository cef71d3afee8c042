"""Options are stored with an index, an experiment and its report, so none of them may hold a key or a password."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from hipporag_like.errors import ConfigError

BASE_URL_VARIABLE = "OPENAI_BASE_URL"  # the client's own
# Capital letters only, as POSIX has them: keys (sk-..., gsk_..., hf_...) are in small ones.
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


def check_no_secret(base_url: str, api_key_env: str) -> None:
    """Refuse an address with a password or a query in it, and a key where its variable's name belongs.

    Raises
    ------
    ConfigError
        The sentence holds neither of the two values.
    """
    if base_url:
        check_address(base_url)
    if api_key_env and not _VARIABLE.fullmatch(api_key_env):
        raise ConfigError(
            "llm.api_key_env must be the name of an environment variable, in capital letters; put the key itself "
            "into that variable"
        )


def check_address(address: str) -> None:
    """Refuse what is no plain address of an endpoint.

    Raises
    ------
    ConfigError
        It is no such address, or holds what would be shown to others: a user, a password, a query.
    """
    if not _is_plain(address.strip()):
        raise ConfigError(
            f"llm.base_url (or {BASE_URL_VARIABLE}) must be like http://localhost:8000/v1, without a "
            "password or a query; put a key into the environment variable that llm.api_key_env names"
        )


def _is_plain(address: str) -> bool:
    try:
        parts = urlsplit(address)
        named = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    # urlsplit passes over line breaks and tabs, which would end up in the requests.
    clean = address.isprintable() and " " not in address
    return clean and named and "@" not in parts.netloc and not parts.query and not parts.fragment
