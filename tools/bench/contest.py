"""Programs that do the same work take turns on one machine: while one runs, the others are stopped,
so that each is warmed up once and all see the same neighbours. A program prints "step BEGUN ENDED"
(seconds of the monotonic clock) after each piece of work.
"""

import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import threading
import time

PATIENCE_S = 1800


def descendants(pid):
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += descendants(int(child))
    return found


class Contestant:
    """The processes of one side, and the steps that its rank 0 tells."""

    def __init__(self, name, commands, folder, threads=1):
        self.name, self.steps, self.changed = name, [], threading.Condition()
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads),
                           MKL_NUM_THREADS=str(threads))
        self.errors = open(folder / f"{name}.err", "w+")
        self.processes = [
            subprocess.Popen(command, stdin=subprocess.DEVNULL, text=True, env=environment,
                             stdout=subprocess.PIPE if rank == 0 else subprocess.DEVNULL,
                             stderr=self.errors)
            for rank, command in enumerate(commands)]
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.processes[0].stdout:
            if line.startswith("step "):
                with self.changed:
                    self.steps.append(tuple(map(float, line.split()[1:])))
                    self.changed.notify()
        with self.changed:
            self.steps.append(None)  # it ended
            self.changed.notify()

    def wait_for(self, is_reached):
        with self.changed:
            reached = self.changed.wait_for(
                lambda: self.steps[-1:] == [None] or is_reached(self.steps), PATIENCE_S)
            if not reached or self.steps[-1] is None:
                self.errors.seek(0)
                sys.exit(f"bench: {self.name} ended or stood still:\n{self.errors.read()[-3000:]}")
            return list(self.steps)

    def tell(self, what):
        for process in self.processes:
            for pid in descendants(process.pid):
                try:
                    os.kill(pid, what)
                except ProcessLookupError:
                    pass

    def window_ms(self, seconds, least):
        begun = time.monotonic()
        self.tell(signal.SIGCONT)
        def whole(steps):
            return [b - a for a, b in steps if a >= begun]
        steps = self.wait_for(lambda steps: len(whole(steps)) >= least and
                              time.monotonic() - begun >= seconds)
        self.tell(signal.SIGSTOP)
        return 1e3 * statistics.median(whole(steps))

    def end(self):
        self.tell(signal.SIGKILL)
        for process in self.processes:
            process.wait()


def torch_python(build):
    """The Python with PyTorch that the tests of this build folder use."""
    cache = pathlib.Path(build, "CMakeCache.txt")
    text = cache.read_text() if cache.exists() else ""
    found = re.search("^EVD_TEST_TORCH_PYTHON:FILEPATH=(.*)$", text, re.M)
    if not found or not os.access(found[1], os.X_OK):
        sys.exit("bench: no Python with PyTorch (tools/setup --tests, then configure "
                 f"{build} with -DBUILD_TESTING=ON)")
    return found[1]


def compare(sides, windows, window_s, unit, what):
    """Lets the sides take turns, and prints their times and ratios to the first one's."""
    times = {side.name: [] for side in sides}
    for turn in range(windows):
        for side in sides:
            times[side.name].append(side.window_ms(window_s, 3))
        print(f"window {turn + 1}  " + "  ".join(
            f"{name} {values[-1]:.1f} ms" for name, values in times.items()), flush=True)
    for name, values in times.items():
        ratio = statistics.median(b / a for a, b in zip(times[sides[0].name], values))
        print(f"{name}: {statistics.median(values):.1f} ms {unit}, {ratio:.2f} x ours "
              f"({what}, medians of {windows} windows)")


def processor():
    return re.search("^model name[^:]*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)[1]
