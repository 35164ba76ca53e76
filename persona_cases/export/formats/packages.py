"""Optional packages that only some formats need."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from persona_cases.errors import InvalidArgumentError
from persona_cases.export.formats.target import Compression, FileFormat, Target

__all__ = ["check_available", "pyarrow", "required", "zstd"]


def check_available(target: Target) -> None:
    """Check that the packages that a target needs are installed.

    Raises:
        InvalidArgumentError: if a package is not installed.
    """
    if target.format is FileFormat.PARQUET:
        pyarrow("pyarrow.parquet")
    elif target.compression is Compression.ZSTD:
        zstd()


def pyarrow(module: str) -> Any:
    """Return a module of pyarrow.

    Raises:
        InvalidArgumentError: if it is not installed.
    """
    return required(module, "Arrow and Parquet need pyarrow", "parquet")


def zstd() -> Any:
    """Return the Zstandard module of Python 3.14, or its backport.

    Raises:
        InvalidArgumentError: if it is not installed.
    """
    module = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    return required(module, f"zstd needs {module}", "zstd")


def required(module: str, need: str, extra: str) -> Any:
    """Return a module that an extra installs.

    Args:
        module: its name.
        need: what needs the package, for the error.
        extra: the extra.

    Raises:
        InvalidArgumentError: if it is not installed.
    """
    # By name, because type checkers do not know modules that may be missing.
    try:
        return importlib.import_module(module)
    except ImportError:
        reason = f"{need}, which is not installed: pip install 'persona-cases[{extra}]'"
    raise InvalidArgumentError(reason)
