"""How a build ends early.

Promises: `BuildError` carries everything a person needs to go on (what failed, which command, where its log is, or
which file to supply); it is printed without a traceback. Anything else that is raised is a defect of the builder.
"""


class BuildError(Exception):
    """The build cannot go on; the text says why and what to do."""
