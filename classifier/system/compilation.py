"""How functions are compiled: by Numba, on first use, and kept on disk where that is possible."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import FunctionCache, IndexDataCacheFile

# Neighbouring operations on neighbouring numbers become one vector instruction. Off by default in Numba, and only to
# be had for a whole process; it changes no result.
numba.config.SLP_VECTORIZE = 1  # type: ignore[attr-defined]


@cache
def _sources(folder: Path) -> str:
    """Return a digest of all modules of a folder."""
    digest = blake2b(digest_size=16)
    for path in sorted(folder.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


class _Cache(FunctionCache):
    """Compiled code on disk, which may be missing, damaged or impossible to write: then a function is compiled again.

    Numba stamps what it keeps with the file of the function alone. Functions that call one another lie in several
    modules here, and a change of one of them must reach its callers; so the stamp is of their whole folder.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        stamp = (self._impl.locator.get_source_stamp(), _sources(Path(function.__code__.co_filename).parent))
        self._cache_file = IndexDataCacheFile(self._cache_path, self._impl.filename_base, stamp)

    def load_overload(self, signature: Any, context: Any) -> Any:
        try:
            return super().load_overload(signature, context)
        except Exception:  # whatever a damaged pickle raises
            return None

    def save_overload(self, signature: Any, data: Any) -> None:
        try:
            super().save_overload(signature, data)
        except Exception:  # a full disk, a folder that vanished, an index that is damaged
            self.disable()


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function on its first call, and keep the result on disk where that is possible.

    Parameters
    ----------
    **options
        As for ``numba.njit``.

    Returns
    -------
    callable
        The decorator.

    Notes
    -----
    Arrays outlive the calls they are passed to, so nobody counts references: threads would do so in turns, and it took
    a sixth of the time of one thread. Only a function that makes arrays needs them counted, ``_nrt=True``.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        dispatcher = numba.njit(**{"_nrt": False, **options})(function)
        with suppress(RuntimeError):  # raised where no folder at all could be written to
            dispatcher._cache = _Cache(function)
        return dispatcher

    return decorate
