"""The version of this package, the same as that of the whole project."""

__version__ = "1.1.0"
