"""A SLURM of our own on this machine, for the tests that are marked ``slurm``."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

PACKAGES = ("munge", "slurmctld", "slurmd", "slurm-client")
CPUS = 8
KILL_WAIT_S = 5

CONFIG = """\
ClusterName=stationday
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge/socket
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/builtin
ReturnToService=2
EnforcePartLimits=ALL
KillWait={kill_wait}
OverTimeLimit=0
InactiveLimit=0
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=64000 State=UNKNOWN
PartitionName=work Nodes={host} Default=YES MaxTime=INFINITE State=UP
PartitionName=short Nodes={host} MaxTime=1 State=UP
"""


@dataclass(frozen=True)
class OwnSlurm:
    """
    A controller, a node and their authentication, all on this machine and in one folder.

    Parameters
    ----------
    folder : Path
        Where all of it lies.
    """

    folder: Path

    def ask(self, *command: str) -> str:
        """Run one of SLURM's commands; return what it prints."""
        asked = subprocess.run(command, capture_output=True, text=True, check=False)
        assert asked.returncode == 0, f"{' '.join(command)}: {asked.stderr}{self.logs()}"
        return asked.stdout.strip()

    def jobs(self, state: str = "RUNNING") -> list[str]:
        """List the jobs in a state, oldest first."""
        listed = self.ask("squeue", "--noheader", "--format=%A", "--sort=i", f"--states={state}")
        return listed.split()

    def state(self, job: str) -> str:
        """Name the state of a job, also one that ended a few minutes ago."""
        told = self.ask("scontrol", "--oneliner", "show", "job", job)
        return dict(word.partition("=")[::2] for word in told.split())["JobState"]

    def wait_for_state(self, job: str, state: str, timeout_s: float) -> None:
        """Wait until a job is in a state."""
        deadline = time.monotonic() + timeout_s
        while (now := self.state(job)) != state:
            assert time.monotonic() < deadline, f"job {job} is {now}, not {state}"
            time.sleep(0.5)

    def logs(self) -> str:
        """Return the last lines of each daemon's log."""
        paths = sorted(self.folder.glob("**/*.log"))
        return "".join(f"\n--- {path.name}\n{path.read_text(errors='replace')[-2000:]}" for path in paths)


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnSlurm]:
    """A running SLURM with 8 slots and the partitions ``work`` and ``short`` (one minute)."""
    _install()
    folder = tmp_path_factory.mktemp("slurm")
    with contextlib.ExitStack() as stack:
        stack.callback(_assert_nothing_left, folder)
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
        for variable in [name for name in os.environ if name.startswith(("SLURM_", "SBATCH_", "SQUEUE_"))]:
            if variable != "SLURM_CONF":
                patch.delenv(variable)
        _configure(folder)
        own = OwnSlurm(folder)
        for command in _daemons(folder):
            stack.callback(_stop, _start(command, folder))
        _wait_until_idle(own)
        stack.callback(_cancel_all, own)
        yield own


def _install() -> None:
    """Install what is missing with apt-get; skip, or fail where SLURM is required."""
    if all(shutil.which(program) for program in ("munged", "slurmctld", "slurmd", "sbatch")):
        if os.geteuid() != 0:
            _give_up("only root can start it")
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        _give_up("it is not installed, and only root on Debian can install it")
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *PACKAGES]):
        done = subprocess.run(
            ["apt-get", "--quiet", *command],
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            _give_up(f"apt-get {command[0]} failed: {done.stderr.strip().splitlines()[-1:]}")


def _give_up(reason: str) -> None:
    text = f"no SLURM on this machine: {reason}"
    if os.environ.get("STATIONDAY_REQUIRE_SLURM") == "1":
        pytest.fail(text)
    pytest.skip(text)


def _configure(folder: Path) -> None:
    for name, mode in {"munge": 0o711, "state": 0o755, "spool": 0o755}.items():
        (folder / name).mkdir()
        (folder / name).chmod(mode)
    key = folder / "munge" / "key"
    key.touch(mode=0o600)
    key.write_bytes(os.urandom(1024))
    host = socket.gethostname().partition(".")[0]
    (folder / "slurm.conf").write_text(
        CONFIG.format(folder=folder, host=host, ports=_free_ports(2), kill_wait=KILL_WAIT_S, cpus=CPUS)
    )


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _daemons(folder: Path) -> list[list[str]]:
    """Daemons in the foreground, so that they are our children and end with us."""
    munge = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
    paths = [f"--{option}={folder}/munge/{name}" for option, name in munge.items()]
    return [["munged", "--foreground", "--force", *paths], ["slurmctld", "-D"], ["slurmd", "-D"]]


def _start(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    with (folder / f"{command[0]}.output.log").open("wb") as output:
        return subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C ends the tests, and they stop the daemons in order
        )


def _stop(daemon: subprocess.Popen[bytes]) -> None:
    daemon.terminate()
    try:
        daemon.wait(timeout=20)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()
        raise


def _wait_until_idle(own: OwnSlurm) -> None:
    deadline = time.monotonic() + 30
    while True:
        asked = subprocess.run(
            ["sinfo", "--noheader", "--partition=work", "--format=%t"],
            capture_output=True,
            text=True,
            check=False,
        )
        if asked.stdout.strip() == "idle":
            return
        assert time.monotonic() < deadline, f"the node is not idle: {asked.stdout}{asked.stderr}{own.logs()}"
        time.sleep(0.2)


def _cancel_all(own: OwnSlurm) -> None:
    subprocess.run(["scancel", "--user=root"], check=False)
    deadline = time.monotonic() + 2 * KILL_WAIT_S + 20
    while own.ask("squeue", "--noheader"):
        assert time.monotonic() < deadline, f"jobs don't end: {own.ask('squeue')}"
        time.sleep(0.2)


def _assert_nothing_left(folder: Path) -> None:
    """Whatever SLURM started knows its configuration or lies in its folder."""
    deadline = time.monotonic() + 10
    while left := [process for process in psutil.process_iter() if _belongs_to(process, str(folder))]:
        if time.monotonic() > deadline:
            names = [f"{process.pid} {process.name()}" for process in left]
            for process in left:
                process.kill()
            pytest.fail(f"SLURM left processes behind, which were killed: {names}")
        time.sleep(0.2)


def _belongs_to(process: psutil.Process, folder: str) -> bool:
    try:
        if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
            return False
        return process.environ().get("SLURM_CONF", "").startswith(folder) or folder in " ".join(
            process.cmdline()
        )
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
