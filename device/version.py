"""The one source of the version: packages, executables, the launcher and the User-Agent take it from here."""

VERSION = "0.1.0"
