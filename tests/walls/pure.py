#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Core is pure: of what it calls outside itself, each name stands on a list of plain C functions.

pure.py NM ARCHIVE [--refused NAME]

With --refused the check must fail on exactly this name: so the test shows that it can fail.
"""
import re
import subprocess
import sys

# Memory, strings, numbers and text in memory. No clock, no lock, no file, no socket, no thread.
PURE = set("""
abs calloc ceil fabs floor fmax fmin fmod free frexp isfinite ldexp llabs llrint llround log10 lround
malloc memchr memcmp memcpy memmove memset modf nan nearbyint pow qsort realloc reallocarray rint round scalbn sqrt
snprintf strcasecmp strchr strcmp strcspn strdup strlen strncasecmp strncmp strndup strnlen strpbrk
strrchr strspn strstr strtod strtol strtoll strtoul strtoull trunc vsnprintf __errno_location
__ctype_b_loc
""".split())
# What compilers put in by themselves: checked copies, stack protectors, sanitizers, coverage.
COMPILER = re.compile(r"__(mem|str|v?snprintf)\w*_chk$|__stack_chk_fail$|_GLOBAL_OFFSET_TABLE_$"
                      r"|__(asan|ubsan|tsan|sanitizer|sancov|gcov|llvm)_|__isoc(99|23)_strto\w+$|_?_?start___sancov|_?_?stop___sancov"
                      r"|__popcountdi2$|__udivti3$|__start|__stop")


def undefined(nm, archive):
    """Names that the archive needs from outside."""
    out = subprocess.run([nm, archive], check=True, capture_output=True, text=True).stdout
    needed, own = set(), set()
    for line in out.splitlines():
        parts = line.split()
        if len(parts) == 2 and parts[0] in "Uwv":
            needed.add(parts[1])
        elif len(parts) == 3:
            own.add(parts[2])
    if not own:
        sys.exit(f"{archive}: no symbols, nothing was checked")
    return sorted(name.split("@")[0] for name in needed - own)


def main():
    nm, archive = sys.argv[1:3]
    refused = [name for name in undefined(nm, archive)
               if name not in PURE and not COMPILER.match(name)]
    if len(sys.argv) > 4 and sys.argv[3] == "--refused":
        print(f"refused: {refused}")
        return 0 if refused == [sys.argv[4]] else 1
    for name in refused:
        print(f"{archive} calls {name}, which is not on the list of pure functions",
              file=sys.stderr)
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
