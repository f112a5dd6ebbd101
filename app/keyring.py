"""The deployment's secret, and the keys for single purposes that are derived from it.

The secret comes from `TASKS_SECRET_KEY`, or is made once and kept in the instance folder, readable
by its owner alone. No purpose's key says anything about another's (RFC 5869).
"""

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.config import SHORTEST, BadSetting, Settings


def made_once(path: Path) -> str:
    """The secret kept at `path`, made there (mode 0600) by whoever comes first.

    Raises BadSetting when the folder cannot be written, or the file does not hold a secret.
    """
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            with open(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(48))
            try:
                # link() fails where the file is there already: of two starters one wins.
                os.link(fresh, path)
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        kept = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise BadSetting(
            f"TASKS_SECRET_KEY is not set and cannot be kept in {path}: {error.strerror}."
        ) from None
    if len(kept) < SHORTEST:
        # What a power failure left of it: with an empty secret anybody could sign.
        raise BadSetting(f"The secret in {path} is damaged: put it back, or remove the file.")
    return kept


def secret_of(settings: Settings) -> str:
    """The deployment's secret. Raises BadSetting."""
    return settings.secret_key or made_once(settings.instance / "secret.key")


def key_for(purpose: str, settings: Settings) -> bytes:
    """32 bytes for one purpose, the same on every server of the deployment."""
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode())
    return derivation.derive(secret_of(settings).encode())
