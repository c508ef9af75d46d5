"""Runs programs under callgrind and reads what it records (its manual: "Callgrind Format
Specification")."""

import collections
import re

# Numbers of another CPU must be the same. The C library picks functions such as memcpy by what the
# CPU can, so that is hidden from it; and each symbol is bound at the start, not at its first call.
ENVIRONMENT = {
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=" + ",".join(
        f"-{feature}" for feature in (
            "AVX512F", "AVX512VL", "AVX512BW", "AVX2", "AVX", "BMI1", "BMI2", "ERMS", "FSRM",
            "LZCNT", "MOVBE", "POPCNT", "RTM", "SSE4_1", "SSE4_2", "SSSE3")),
    "LD_BIND_NOW": "1"}

ALLOCATORS = ("malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc")


def command(record, words):
    return ["valgrind", "--tool=callgrind", f"--callgrind-out-file={record}", *map(str, words)]


class Record:
    """What callgrind wrote at the end of a program."""

    def __init__(self, path):
        self.instructions = 0
        self._calls = collections.Counter()  # of each function
        self._inclusive = collections.Counter()  # what its calls cost
        self._names = {}  # of compressed function names
        with open(path, errors="replace") as lines:
            self._read(lines)
        if not self.instructions:
            raise ValueError(f"{path} records nothing")

    def _read(self, lines):
        callee = calls = None
        for line in lines:
            if line.startswith(("fn=", "cfn=")):
                name = self._name(line.split("=", 1)[1])
                callee = name if line.startswith("cfn=") else None
            elif line.startswith("calls="):
                calls = int(line[len("calls="):].split()[0])
            elif re.match(r"[0-9+*-]", line):  # a position and what it cost
                cost = int(line.split()[1])
                if calls is None:
                    self.instructions += cost
                else:
                    self._calls[callee] += calls
                    self._inclusive[callee] += cost
                    calls = None

    def _name(self, text):
        number, full = re.match(r"\((\d+)\)(?: (.*))?$", text.rstrip("\n")).groups()
        return self._names.setdefault(number, full) if full else self._names[number]

    def calls(self, function):
        return self._calls[function]

    @property
    def allocations(self):
        return sum(map(self.calls, ALLOCATORS))

    def per_call(self, pattern):
        """{what the pattern's group matched: the instructions of one call, all it calls included}"""
        found = {}
        for function, calls in self._calls.items():
            if match := re.search(pattern, function):
                found[match.group(1)] = self._inclusive[function] / calls
        return found
