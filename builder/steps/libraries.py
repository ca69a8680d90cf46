"""The three C libraries below the interpreter: zlib, SQLite and OpenSSL, as static archives with their headers.

Promises: each entry holds `lib/` and `include/` and nothing else; only what the worker and the updater use is compiled.
Never: builds a tool, a test or a shared object.
Called by: the interpreter step and the program step.
"""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from builder.pins import Source, Target
from builder.steps import sources
from builder.steps.toolchain import Compiler, compile_command
from builder.workshop import Bench, Workshop

ZLIB_FILES = [
    "adler32", "compress", "crc32", "deflate", "infback", "inffast", "inflate", "inftrees", "trees", "uncompr", "zutil",
]  # fmt: skip
ZLIB_FLAGS = ["-D_LARGEFILE64_SOURCE=1", "-DHAVE_UNISTD_H"]

# No extension loading (there is nothing to load), no memory statistics (a lock for every allocation), no mmap and
# temporary tables in memory: the card of an e-reader is FAT, and tables of ours are small. Shared cache must stay,
# CPython's wrapper refers to it.
SQLITE_FLAGS = [
    "-DSQLITE_THREADSAFE=1",
    "-DSQLITE_OMIT_LOAD_EXTENSION",
    "-DSQLITE_OMIT_DEPRECATED",
    "-DSQLITE_DEFAULT_MEMSTATUS=0",
    "-DSQLITE_MAX_MMAP_SIZE=0",
    "-DSQLITE_TEMP_STORE=2",
    "-DSQLITE_LIKE_DOESNT_MATCH_BLOBS",
    "-DSQLITE_DQS=0",
    "-DHAVE_USLEEP=1",
    "-DHAVE_FDATASYNC=1",
    "-DHAVE_LOCALTIME_R=1",
    "-DHAVE_GMTIME_R=1",
]

# What stays is TLS 1.2 and 1.3 with ECDHE, RSA and ECDSA, AES-GCM, ChaCha20-Poly1305, X25519 and the P curves, RSA-PSS,
# SHA-1 to SHA-512, and what X.509 and CPython's _hashlib need (scrypt is called by it). Without "filenames": errors do
# not name OpenSSL's source files, which saves 40 KB and the paths of the build.
OPENSSL_WITHOUT = [
    "shared", "dso", "module", "tests", "engine", "dynamic-engine", "legacy", "afalgeng", "async", "autoload-config",
    "ui-console", "cmp", "cms", "ct", "ts", "ocsp", "srp", "psk", "srtp", "gost", "sm2", "sm3", "sm4", "aria", "bf",
    "blake2", "camellia", "cast", "des", "dsa", "idea", "md4", "mdc2", "rc2", "rc4", "rmd160", "seed", "siphash",
    "whirlpool", "dtls", "ssl3", "tls1", "tls1_1", "comp", "nextprotoneg", "ec2m", "rfc3779", "ssl-trace",
    "filenames",
]  # fmt: skip
# No certificate store of the machine is ever looked at: the program brings its own list.
OPENSSL_FOLDERS = ["--prefix=/nonexistent", "--openssldir=/nonexistent/ssl", "--libdir=lib"]
# Linux has no getrandom before 3.17, so there OpenSSL reads /dev/urandom; but before that it waits for /dev/random to
# have something to give, which on a device without keyboard and disk can take minutes. A negative ID of its shared
# memory says that urandom was seeded long ago. The price: a run in the first seconds after boot trusts it too early.
OPENSSL_FLAGS = ["-DOPENSSL_RAND_SEED_DEVRANDOM_SHM_ID=-1", "-ffunction-sections", "-fdata-sections", "-w"]


def zlib(workshop: Workshop, source: Source, target: Target, compiler: Compiler) -> Path:
    tree = sources.source_tree(workshop, source)

    def make(bench: Bench) -> None:
        command = compile_command([target.optimise_libraries, *ZLIB_FLAGS, "-I", str(tree)])
        with ThreadPoolExecutor(workshop.jobs) as pool:
            list(
                pool.map(
                    lambda name: bench.run(
                        name, [*command, tree / f"{name}.c", "-o", f"{name}.o"], bench.work, compiler.environment
                    ),
                    ZLIB_FILES,
                )
            )
        _archive(bench, compiler, "libz.a", [f"{name}.o" for name in ZLIB_FILES])
        _headers(bench, [tree / "zlib.h", tree / "zconf.h"])

    inputs = [ZLIB_FILES, ZLIB_FLAGS, target.optimise_libraries]
    return workshop.entry("zlib", target.name, code=[__file__], inputs=inputs, needs=[tree, compiler.folder], make=make)


def sqlite_amalgamation(workshop: Workshop, source: Source, host: Compiler) -> Path:
    """SQLite as one C file. Its generators are compiled for this machine and run on it; tclsh joins the files."""
    tree = sources.source_tree(workshop, source)

    def make(bench: Bench) -> None:
        environment = host.environment | {"CC": "cc", "BUILD_CC": "cc"}
        options = ["--disable-tcl", "--disable-shared", "--disable-readline", "--disable-load-extension"]
        bench.run("configure", [tree / "configure", *options], bench.work, environment)
        bench.run("amalgamation", ["make", "BCC=cc -g0", "sqlite3.c"], bench.work, environment)
        for name in ("sqlite3.c", "sqlite3.h"):
            shutil.copy(bench.work / name, bench.result)
        shutil.copy(tree / "src" / "sqlite3ext.h", bench.result)

    return workshop.entry("sqlite-source", "any", code=[__file__], inputs=[], needs=[tree, host.folder], make=make)


def sqlite(workshop: Workshop, amalgamation: Path, target: Target, compiler: Compiler) -> Path:
    def make(bench: Bench) -> None:
        command = compile_command([target.optimise_libraries, *SQLITE_FLAGS])
        bench.run(
            "compile", [*command, amalgamation / "sqlite3.c", "-o", "sqlite3.o"], bench.work, compiler.environment
        )
        _archive(bench, compiler, "libsqlite3.a", ["sqlite3.o"])
        _headers(bench, [amalgamation / "sqlite3.h", amalgamation / "sqlite3ext.h"])

    inputs = [SQLITE_FLAGS, target.optimise_libraries]
    needs = [amalgamation, compiler.folder]
    return workshop.entry("sqlite", target.name, code=[__file__], inputs=inputs, needs=needs, make=make)


def openssl(workshop: Workshop, source: Source, target: Target, compiler: Compiler) -> Path:
    tree = sources.source_tree(workshop, source)
    without = [f"no-{name}" for name in OPENSSL_WITHOUT]

    def make(bench: Bench) -> None:
        environment = compiler.environment | {"CC": "cc", "AR": "ar", "RANLIB": "ranlib"}
        # A relative path to the sources: Configure writes it into files that are compiled.
        build = bench.work / "build"
        build.mkdir()
        (bench.work / "src").symlink_to(tree)
        options = [*target.openssl, *OPENSSL_FOLDERS, *without, target.optimise_libraries, *OPENSSL_FLAGS]
        bench.run("configure", ["perl", "../src/Configure", *options], build, environment)
        jobs = f"-j{workshop.jobs}"
        bench.run("make", ["make", jobs, "build_generated", "libcrypto.a", "libssl.a"], build, environment)
        (bench.result / "lib").mkdir()
        for name in ("libcrypto.a", "libssl.a"):
            shutil.copy(build / name, bench.result / "lib")
        include = bench.result / "include" / "openssl"
        include.mkdir(parents=True)
        for folder in (tree, build):
            for header in sorted((folder / "include" / "openssl").glob("*.h")):
                shutil.copy(header, include)

    inputs = [target.openssl, OPENSSL_FOLDERS, without, target.optimise_libraries, OPENSSL_FLAGS]
    return workshop.entry(
        "openssl", target.name, code=[__file__], inputs=inputs, needs=[tree, compiler.folder], make=make
    )


def _archive(bench: Bench, compiler: Compiler, name: str, objects: list[str]) -> None:
    (bench.result / "lib").mkdir()
    bench.run("archive", ["ar", "rcsD", bench.result / "lib" / name, *objects], bench.work, compiler.environment)


def _headers(bench: Bench, headers: list[Path]) -> None:
    (bench.result / "include").mkdir()
    for header in headers:
        shutil.copy(header, bench.result / "include")
