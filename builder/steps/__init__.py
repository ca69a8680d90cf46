"""The build steps: one module for each, in the order sources, toolchain, libraries, interpreter, program, package."""
