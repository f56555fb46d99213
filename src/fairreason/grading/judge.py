"""Runs inside the sandbox as its first process: lets a program work and tests it from outside that program's process.

This file is never imported by FairReason; its text is what the sandbox's Python is given to run. Stdin holds the length
of a first part (8 bytes), that part (JSON: the program's parts, limits), and then the tests (JSON). The judge forks
before it reads the tests, so the program's process never held them; the program has no descriptor but two pipes, over
which its functions are called. Arguments and results travel as plain data; an object of any other class stays in the
program and is known here by a number, which equals nothing. So the program cannot leave with code 0, print a mark, swap
`assert` or return an object that equals everything: what it controls are results, and these are compared here. (What a
function changes inside its arguments is therefore not seen; no test of HumanEval or MBPP looks for it.)

Stdout gets one JSON object: {"passed": bool, "reason": str}.
"""

import builtins
import io
import json
import os
import pickle
import resource
import signal
import struct
import sys
import types

LARGEST = 32 << 20
"""Bytes of one result; a larger one fails the test."""
REASON = 200

BASES = (bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset)
PLAIN = {(base.__module__, base.__qualname__) for base in (*BASES, range)} | {
    ("collections", "deque"),
    ("fractions", "Fraction"),
    ("decimal", "Decimal"),
    *(("datetime", name) for name in ("date", "datetime", "time", "timedelta", "timezone")),
}
"""The classes whose objects travel; those of a subclass of BASES travel as the base."""


class Stopped(BaseException):
    """The program is gone, or its time is up: no test can catch it."""


# ---- the program's process


class Outward(pickle.Pickler):
    """Plain data as they are; everything else as a number."""

    def __init__(self, file, kept):
        super().__init__(file, protocol=4)
        self.kept = kept

    def persistent_id(self, value):
        kind = value if isinstance(value, type) else type(value)
        if value is None or isinstance(value, BASES) or name_of(kind) in PLAIN:
            return None
        self.kept.append(value)
        return len(self.kept) - 1

    def reducer_override(self, value):
        if name_of(type(value)) in PLAIN:
            return NotImplemented
        for base in BASES:
            if isinstance(value, base):
                return base, (base(value),)  # type: ignore[arg-type]
        return NotImplemented


class Inward(pickle.Unpickler):
    """Arguments: numbers become the objects again, names the program's own."""

    def __init__(self, file, kept, names):
        super().__init__(file)
        self.kept, self.names = kept, names

    def persistent_load(self, key):
        return self.kept[key] if isinstance(key, int) else look_up(self.names, key)


def serve(parts, requests, replies):
    """Define what the program defines, then answer calls until the judge hangs up."""
    module = types.ModuleType("solution")
    sys.modules["solution"] = module
    names = module.__dict__
    kept: list[object] = []

    def define():
        for part in parts:
            exec(compile(part, "solution.py", "exec"), names)

    def work(request):
        what, target, args, keywords = Inward(io.BytesIO(request), kept, names).load()
        return list(target) if what == "list" else target(*args, **keywords)

    def attempt(task, *args):
        try:
            value = task(*args)
            stream = io.BytesIO()
            Outward(stream, kept).dump(("value", value))
            return stream.getvalue()
        except BaseException as error:
            return pickle.dumps(("raised", type(error).__name__, shorten(error)))

    send(replies, attempt(define))
    while True:
        send(replies, attempt(work, receive(requests)))


def look_up(names, name):
    if name in names:
        return names[name]
    raise NameError(f"name {name!r} is not defined")


def shorten(error):
    try:
        return str(error)[:REASON].encode("utf-8", "replace").decode()
    except BaseException:
        return ""


# ---- the judge's process


class Remote:
    """Something of the program's, known by its name or number. It can be called, walked through and handed back."""

    def __init__(self, program, key):
        self._program, self._key = program, key

    def __call__(self, *args, **keywords):
        return self._program.ask("call", self, args, keywords)

    def __iter__(self):
        return iter(self._program.ask("list", self, (), {}))


class Request(pickle.Pickler):
    def persistent_id(self, value):
        return value._key if isinstance(value, Remote) else None


class Result(pickle.Unpickler):
    """Plain data and numbers, nothing that runs code."""

    def __init__(self, file, program):
        super().__init__(file)
        self.program = program

    def find_class(self, module, name):
        if (module, name) in PLAIN:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is not plain data")

    def persistent_load(self, key):
        return Remote(self.program, int(key))


class Program:
    """The judge's end of the two pipes."""

    def __init__(self, pid, requests, replies):
        self.pid, self.requests, self.replies = pid, requests, replies

    def ask(self, what, target, args, keywords):
        stream = io.BytesIO()
        Request(stream, protocol=4).dump((what, target, args, keywords))
        try:
            send(self.requests, stream.getvalue())
        except BrokenPipeError:
            raise Stopped(self.end()) from None
        return self.answer()

    def answer(self):
        try:
            reply = receive(self.replies)
        except EOFError:
            raise Stopped(self.end()) from None
        try:
            kind, *content = Result(io.BytesIO(reply), self).load()
        except Exception as error:
            raise Stopped(f"a result that is no plain data ({shorten(error)})") from None
        if kind == "value":
            return content[0]
        name, message = map(str, content)
        raise exception_class(name)(message)

    def end(self):
        _, status = os.waitpid(self.pid, 0)
        if os.WIFEXITED(status):
            return f"the program left before its tests were done (exit code {os.WEXITSTATUS(status)})"
        number = os.WTERMSIG(status)
        return "time limit" if number == signal.SIGXCPU else f"the program was ended by signal {number}"


def exception_class(name):
    found = getattr(builtins, name, None)
    if isinstance(found, type) and issubclass(found, Exception) and found.__module__ == "builtins":
        return type(name, (Raised, found), {"__init__": Raised.__init__, "__str__": Raised.__str__})
    return type(name, (Raised, Exception), {})


class Raised:
    """An exception of the program's, under its own name and catchable as what it was."""

    def __init__(self, message):
        self.message = message

    def __str__(self):
        return self.message


def judge(program, tests, given):
    """Why the tests fail, "" where they pass. `given`: names that the program may give although Python has them."""
    try:
        program.answer()
        code = compile(tests, "tests.py", "exec")
        builtin = set(dir(builtins)) - set(given)
        names = {name: Remote(program, name) for name in global_names(code) - builtin}
        exec(code, {**names, "__name__": "tests"})
    except Stopped:
        raise
    except BaseException as error:
        return failure(error)
    return ""


def failure(error):
    if isinstance(error, Raised):
        return f"raised {type(error).__name__}: {error}"
    if isinstance(error, AssertionError):
        return f"failed assert: {shorten(error)}".rstrip(": ")
    return f"{type(error).__name__} in the tests: {shorten(error)}"


def global_names(code):
    """Every name that the code, functions in it included, may look up outside of itself."""
    inner = (constant for constant in code.co_consts if isinstance(constant, types.CodeType))
    return set(code.co_names).union(*map(global_names, inner))


def name_of(kind):
    return kind.__module__, kind.__qualname__


# ---- pipes


def send(pipe, content):
    view = memoryview(struct.pack("Q", len(content)) + content)
    while view:
        view = view[os.write(pipe, view) :]


def receive(pipe):
    (size,) = struct.unpack("Q", exactly(pipe, 8))
    if size > LARGEST:
        raise Stopped("a result that is too large")
    return exactly(pipe, size)


def exactly(pipe, size):
    content = bytearray()
    while len(content) < size:
        piece = os.read(pipe, min(size - len(content), 1 << 20))
        if not piece:
            raise EOFError
        content += piece
    return bytes(content)


def to_the_end(pipe):
    content = bytearray()
    while piece := os.read(pipe, 1 << 20):
        content += piece
    return bytes(content)


def limit(kind, value):
    resource.setrlimit(kind, (value, value))


def main():
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.path[:] = [folder for folder in sys.path if folder]
    first = json.loads(receive(0))
    limits = first["limits"]
    limit(resource.RLIMIT_AS, limits["memory"])
    limit(resource.RLIMIT_FSIZE, limits["file_size"])
    limit(resource.RLIMIT_NOFILE, limits["open_files"])
    limit(resource.RLIMIT_CORE, 0)
    (their_requests, our_requests), (our_replies, their_replies) = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            null = os.open("/dev/null", os.O_RDWR)
            for number in (0, 1, 2, our_requests, our_replies):
                os.dup2(null, number)
            resource.setrlimit(resource.RLIMIT_CPU, (limits["cpu_seconds"], limits["cpu_seconds"] + 1))
            limit(resource.RLIMIT_NPROC, limits["processes"] + 1)
            serve(first["program"], their_requests, their_replies)
        finally:
            os._exit(1)
    os.close(their_requests)
    os.close(their_replies)

    def late(*_):
        raise Stopped("time limit")

    signal.signal(signal.SIGALRM, late)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    rest = json.loads(to_the_end(0))
    try:
        signal.setitimer(signal.ITIMER_REAL, limits["wall_seconds"])
        reason = judge(Program(pid, our_requests, our_replies), rest["tests"], rest["given"])
        signal.setitimer(signal.ITIMER_REAL, 0)
    except Stopped as stopped:
        reason = str(stopped)
    os.write(1, json.dumps({"passed": not reason, "reason": reason}).encode())
    os._exit(0)


if __name__ == "__main__":
    main()
