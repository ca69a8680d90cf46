"""The builder: makes the static executables and the plugin package on a developer's or CI's Linux machine."""
