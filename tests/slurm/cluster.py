"""A real Slurm of one node, with accounting, on loopback, in a private folder.

With root's rights and what install.sh brings it starts munge, a database, slurmdbd, slurmctld and
slurmd, and stops exactly these. The node claims more cores than the machine has, and a GPU that is
/dev/null: Slurm hands it out and counts it, which is all that it is for.
"""

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

PROGRAMS = ("munged", "mariadbd", "slurmdbd", "slurmctld", "slurmd", "sbatch", "sacct")
# A job's own srun finds its cluster here, whatever SLURM_CONF says.
SYSTEM_CONFIG = Path("/etc/slurm")
NODE, ACCOUNT = "node1", "lab"

SLURM_CONF = """\
ClusterName=soyfold
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={slurmctld}
SlurmdPort={slurmd}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
ReturnToService=2
MailProg=/bin/true
MinJobAge=600
KillWait=5
SchedulerParameters=sched_interval=1,batch_sched_delay=0
SlurmdParameters=config_overrides
GresTypes=gpu
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={slurmdbd}
AccountingStoragePass={folder}/munge/socket
AccountingStorageTRES=gres/gpu
AccountingStoreFlags=job_comment
NodeName={node} NodeAddr=127.0.0.1 CPUs={cpus} CoresPerSocket={cpus} RealMemory={memory} Gres=gpu:1
PartitionName=cpu Nodes={node} Default=YES MaxTime=INFINITE State=UP
PartitionName=gpu Nodes={node} MaxTime=INFINITE State=UP
"""
GRES_CONF = "NodeName={node} Name=gpu File=/dev/null\n"
SLURMDBD_CONF = """\
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={slurmdbd}
SlurmUser=root
PidFile={folder}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={mariadbd}
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm_acct_db
"""


def missing_programs():
    """Those of PROGRAMS that are not on PATH."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


def wait_for(condition, *, seconds, what):
    """Ask `condition()` twice a second until it is true; TimeoutError after `seconds`."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.5)
    return found


def run(*command, check=True, timeout=60, **options):
    """Run a command (no shell) within `timeout` seconds; returns its output."""
    done = subprocess.run(
        [str(part) for part in command], text=True, timeout=timeout, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options,
    )  # fmt: skip
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.returncode}\n{done.stdout}")
    return done.stdout


def free_ports(count):
    """Ports of the loopback interface that nothing listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


class Cluster:
    """The cluster as a context manager: started on entry, stopped on exit, also after an error.

    Parameters
    ----------
    folder : Path
        Empty, private, with a short path (it holds sockets).
    cpus, memory : int
        What the node claims to have; memory in MB.
    """

    def __init__(self, folder, *, cpus=8, memory=64_000):
        names = ("mariadbd", "slurmdbd", "slurmctld", "slurmd")
        self.folder = folder
        self.values = {
            "folder": folder,
            "node": NODE,
            "host": socket.gethostname().split(".")[0],
            "cpus": cpus,
            "memory": memory,
        }
        self.values |= dict(zip(names, free_ports(len(names)), strict=True))
        self.running = []  # (name, process), in order of start
        self.links = []

    def __enter__(self):
        try:
            self._write_configuration()
            for start in (self._start_munge, self._start_database, self._start_slurm):
                start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if "slurmctld" in dict(self.running):
            run("scancel", "--user", getpass.getuser(), check=False)
            with contextlib.suppress(TimeoutError, subprocess.TimeoutExpired):
                wait_for(
                    lambda: not run("squeue", "-h", check=False), seconds=30, what="end of jobs"
                )
        for _, process in reversed(self.running):
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for link in self.links:
            link.unlink()

    def _write_configuration(self):
        for name in ("munge", "state", "spool", "database"):
            (self.folder / name).mkdir()
        self.folder.chmod(0o755)
        SYSTEM_CONFIG.mkdir(exist_ok=True)
        texts = {"slurm.conf": SLURM_CONF, "gres.conf": GRES_CONF, "slurmdbd.conf": SLURMDBD_CONF}
        for name, text in texts.items():
            (self.folder / name).write_text(text.format(**self.values))
            (self.folder / name).chmod(0o600 if name == "slurmdbd.conf" else 0o644)
            link = SYSTEM_CONFIG / name
            link.symlink_to(self.folder / name)  # fails where a cluster is configured already
            self.links.append(link)

    def _start(self, *command):
        name = Path(command[0]).name
        with (self.folder / f"{name}.screen").open("wb") as screen:
            process = subprocess.Popen(
                [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=screen,
                stderr=subprocess.STDOUT, cwd=self.folder,
            )  # fmt: skip
        self.running.append((name, process))

    def _answers(self, *command):
        """Whether a command succeeds; RuntimeError if one of the daemons has ended."""
        for name, process in self.running:
            if process.poll() is not None:
                text = (self.folder / f"{name}.screen").read_text(errors="replace")
                raise RuntimeError(f"{name} has ended:\n{text[-2000:]}")
        done = subprocess.run(
            [str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True,
            timeout=30, check=False,
        )  # fmt: skip
        return done.returncode == 0

    def _start_munge(self):
        own = self.folder / "munge"
        (own / "key").write_bytes(os.urandom(128))
        (own / "key").chmod(0o400)
        files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log",
                 "seed-file": "seed"}  # fmt: skip
        options = [f"--{option}={own / name}" for option, name in files.items()]
        self._start("munged", "--foreground", "--force", *options)
        encode = ("munge", "--no-input", f"--socket={own / 'socket'}")
        wait_for(lambda: self._answers(*encode), seconds=20, what="munged")

    def _start_database(self):
        data = self.folder / "database"
        run("mariadb-install-db", "--no-defaults", f"--datadir={data}", "--user=root",
            "--auth-root-authentication-method=normal", "--skip-test-db", timeout=120)  # fmt: skip
        sql = self.folder / "database.socket"
        self._start(
            "mariadbd", "--no-defaults", "--user=root", f"--datadir={data}", f"--socket={sql}",
            f"--port={self.values['mariadbd']}", "--bind-address=127.0.0.1",
            f"--pid-file={self.folder / 'database.pid'}", "--innodb-buffer-pool-size=64M",
            "--innodb-lock-wait-timeout=900",
        )  # fmt: skip
        client = ("mariadb", "--no-defaults", f"--socket={sql}", "--user=root", "--execute")
        wait_for(lambda: self._answers(*client, "SELECT 1"), seconds=60, what="mariadbd")
        run(*client, "CREATE DATABASE slurm_acct_db; CREATE USER slurm@localhost IDENTIFIED BY"
            " 'slurm'; CREATE USER slurm@'127.0.0.1' IDENTIFIED BY 'slurm'; GRANT ALL ON"
            " slurm_acct_db.* TO slurm@localhost; GRANT ALL ON slurm_acct_db.* TO"
            " slurm@'127.0.0.1'")  # fmt: skip

    def _start_slurm(self):
        self._start("slurmdbd", "-D")
        add = ("sacctmgr", "--immediate", "add")
        wait_for(
            lambda: self._answers("sacctmgr", "-n", "list", "cluster"), seconds=30, what="slurmdbd"
        )
        run(*add, "cluster", "soyfold")
        run(*add, "account", ACCOUNT, "description=test", "organization=test")
        run(*add, "user", getpass.getuser(), f"account={ACCOUNT}")
        self._start("slurmctld", "-D")
        wait_for(lambda: self._answers("scontrol", "ping"), seconds=60, what="slurmctld")
        self._start("slurmd", "-D", "-N", NODE)
        wait_for(
            lambda: "idle" in run("sinfo", "-h", "-o", "%T", check=False).split(),
            seconds=60, what="slurmd",
        )  # fmt: skip

    def jobs(self):
        """What the accounting has of all jobs: a list of dict by the names of sacct's fields."""
        fields = ["JobID", "State", "Comment", "Partition", "Account", "ReqMem", "ReqCPUS",
                  "ReqTRES", "AllocTRES", "ElapsedRaw", "Timelimit"]  # fmt: skip
        text = run("sacct", "--allocations", "--parsable2", "--noheader", "--starttime=now-1days",
                   f"--format={','.join(f'{name}%400' for name in fields)}")  # fmt: skip
        return [dict(zip(fields, line.split("|"), strict=True)) for line in text.splitlines()]
