"""What the library asks of the system and shows to the world, read from its objects."""
import re
import shutil

import pytest

from support import ROOT, build, run

pytestmark = pytest.mark.quick

# All that the library may call. No transcendental of libm (its bits differ between systems), nothing that prints, ends the
# process, reads the environment or the clock, or depends on the locale.
ALLOWED = set("""
    fma fmaf sqrt sqrtf floor fmax fmin fegetround
    malloc free memchr memcmp memcpy memmove memset
    strcat strchr strcmp strcpy strcspn strlen strncmp strpbrk strrchr strspn strstr strerror_r __xpg_strerror_r
    snprintf vsnprintf
    open open64 close read write lseek lseek64 fsync rename unlink stat stat64 fstat fstat64 statvfs statvfs64 lstat lstat64 ftruncate ftruncate64
    access mkstemp fchmod umask getpid opendir readdir readdir64 closedir realpath
    __errno_location
    sysconf sched_getaffinity sched_getcpu sched_setaffinity __sched_cpucount sched_yield getrusage
    pthread_create pthread_attr_init pthread_attr_setstacksize pthread_attr_destroy pthread_join pthread_mutex_init pthread_mutex_destroy pthread_mutex_lock pthread_mutex_unlock
    pthread_cond_init pthread_cond_destroy pthread_cond_wait pthread_cond_signal pthread_cond_broadcast
    inflate inflateInit2_ inflateEnd inflateReset crc32 crc32_z
    __stack_chk_fail __cpu_model __cpu_indicator_init __cpu_features2
    _GLOBAL_OFFSET_TABLE_
""".split())

# The formulas that `check` proves the engine against are written in the system's double functions. No weight comes from them.
OF_FORMULAS = set("exp expm1 log log1p pow tanh erf sin cos".split())
FORMULA = re.compile(r"^hill__\w+_formula$")

# Sections that would hold what changes: the library has no mutable globals. (.data.rel.ro is constant after loading.)
MUTABLE = re.compile(r"^\.(data|bss|tdata|tbss|data\.rel|data\.rel\.local)(\..*)?$")


def library(name="libdownhill.a"):
    return build("gcc") / name


def undefined(archive):
    """Symbols that the objects want and none of them has, each with an object that wants it."""
    wants, has, member = {}, set(), ""
    for line in run(["nm", archive]).stdout.splitlines():
        if line.endswith(":"):
            member = line[:-1]
        elif match := re.match(r"^[0-9a-f ]{16,} ([A-Za-z]) (\S+)$", line):
            if match[1] in "Uvw":
                wants.setdefault(match[2], member)
            else:
                has.add(match[2])
    return {symbol: member for symbol, member in wants.items() if symbol not in has}


def mutable(archive):
    found, member = [], ""
    for line in run(["size", "-A", archive]).stdout.splitlines():
        words = line.split()
        if line and not line[0].isspace() and "(ex " in line:
            member = words[0]
        elif len(words) == 3 and words[1] != "0" and MUTABLE.match(words[0]) and not words[0].startswith(".data.rel.ro"):
            found.append(f"{member}: {words[1]} bytes in {words[0]}")
    return found


def planted(tmp_path, code):
    (tmp_path / "planted.c").write_text(code, encoding="ascii")
    run(["gcc", "-O2", "-fPIC", "-c", "planted.c"], cwd=tmp_path)
    run(["ar", "rcs", "planted.a", "planted.o"], cwd=tmp_path)
    return tmp_path / "planted.a"


def callers(archive, symbols):
    """Functions whose code refers to one of the symbols."""
    found, function = set(), ""
    for line in run(["objdump", "-dr", archive]).stdout.splitlines():
        if match := re.match(r"^[0-9a-f]+ <(.+)>:$", line):
            function = match[1]
        elif (match := re.search(r"\bR_\w+\s+(\w+)", line)) and match[1] in symbols:
            found.add(function)
    return found


def test_calls_only_what_is_allowed():
    wrong = {symbol: member for symbol, member in undefined(library()).items() if symbol not in ALLOWED | OF_FORMULAS}
    assert wrong == {}, ", ".join(f"{symbol} ({member})" for symbol, member in wrong.items())


def test_only_formulas_use_the_functions_of_libm():
    found = callers(library(), OF_FORMULAS)
    assert len(found) >= 8
    assert {function for function in found if not FORMULA.match(function)} == set()


def test_forbidden_call_is_seen(tmp_path):
    archive = planted(tmp_path, '#include <math.h>\n#include <stdio.h>\n'
                      'double planted(double x)\n{\n    printf("%g", x);\n    return exp(x);\n}\n')
    assert {"exp", "printf"} <= set(undefined(archive)) - ALLOWED
    assert callers(archive, OF_FORMULAS) == {"planted"}


def test_no_mutable_globals():
    assert not mutable(library())


@pytest.mark.parametrize("code", [
    pytest.param("int planted = 1;", id="value"),
    pytest.param("int planted;", id="zero"),
    pytest.param("_Thread_local int planted;", id="thread"),
    pytest.param('const char *planted = "text";', id="pointer"),
    pytest.param("int f(void);\nint f(void)\n{\n    static int planted;\n    return ++planted;\n}", id="static"),
])
def test_mutable_global_is_seen(tmp_path, code):
    assert mutable(planted(tmp_path, code + "\n"))


def test_constant_tables_are_no_globals(tmp_path):
    assert not mutable(planted(tmp_path, 'extern const char *const planted[];\nconst char *const planted[] = {"a", "b"};\n'))


def exported():
    lines = run(["nm", "-D", "--defined-only", library("libdownhill.so")]).stdout.splitlines()
    return {line.split()[-1] for line in lines}


def test_shows_the_header_and_nothing_else():
    header = (ROOT / "include/downhill.h").read_text(encoding="ascii")
    declared = set(re.findall(r"^HILL_API [^;(]*?\b(hill_\w+)\(", header, re.MULTILINE))
    assert len(declared) > 40
    assert exported() == declared


def test_soname_and_size(fact, tmp_path):
    dynamic = run(["readelf", "-d", library("libdownhill.so")]).stdout
    assert "soname: [libdownhill.so.0]" in dynamic
    shutil.copy(library("libdownhill.so"), tmp_path / "stripped")
    run(["strip", tmp_path / "stripped"])
    size = (tmp_path / "stripped").stat().st_size
    fact("stripped libdownhill.so", f"{size / 1024:.0f} KiB")
    assert size < 640 * 2**10, "the library has grown past its budget: see what with nm --size-sort"
