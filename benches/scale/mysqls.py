"""A MariaDB server whose databases last longer than a run, and that ends with it."""

import getpass
import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

import mariadb

OPTIONS = """[mariadbd]
user={user}
datadir={folder}/data
tmpdir={folder}
socket={socket}
pid-file={folder}/pid
bind-address=127.0.0.1
port={port}
skip-name-resolve
skip-log-bin
character-set-server=utf8mb4
innodb-buffer-pool-size={pool}M
innodb-buffer-pool-dump-at-shutdown=OFF
innodb-buffer-pool-load-at-startup=OFF
innodb-log-file-size=512M
innodb-sort-buffer-size=16M
max-connections=300
performance-schema=OFF
"""
POOL = 1_024, 4_096
"""MiB of the buffer pool: never less, never more, and else a quarter of the memory."""


def there() -> bool:
    """Whether the program is installed."""
    return shutil.which("mariadbd", path=search()) is not None


def search() -> str:
    """Where programs are looked for: Debian's servers are where only root looks."""
    return f"{os.environ['PATH']}:/usr/sbin"


class Server:
    """The server of the databases in `folder`."""

    def __init__(self, folder: Path) -> None:
        """It is installed, and not started."""
        self.folder, self.url = folder, ""
        self.process: subprocess.Popen[bytes] | None = None
        self.environment = {**os.environ, "PATH": search()}
        # The name of a socket has at most 107 letters, and a checkout may lie deep.
        self.socket = Path(tempfile.mkdtemp(prefix="tasks-scale-")) / "socket"
        if not (folder / "installed").exists():
            self.install()

    def install(self) -> None:
        """There is an empty data folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        command = ["mariadb-install-db", "--no-defaults", f"--datadir={self.folder}/data"]
        command += [f"--user={getpass.getuser()}", "--skip-test-db", "--skip-name-resolve"]
        command += ["--auth-root-authentication-method=socket"]
        subprocess.run(command, check=True, capture_output=True, env=self.environment)
        (self.folder / "installed").touch()

    def start(self) -> None:
        """It answers at `url`, with a new port and password."""
        port, password = mariadb.free_port(), secrets.token_hex(16)
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
        (self.folder / "my.cnf").write_text(OPTIONS.format(
            user=getpass.getuser(), folder=self.folder, socket=self.socket, port=port,
            pool=min(max(total // 4, POOL[0]), POOL[1])))  # fmt: skip
        (self.folder / "init.sql").write_text(
            f"CREATE OR REPLACE USER tasks@'127.0.0.1' IDENTIFIED BY '{password}';\n"
            "GRANT ALL ON *.* TO tasks@'127.0.0.1';\n"
        )
        command = ["setpriv", "--pdeathsig", "TERM", "mariadbd"]
        command += [f"--defaults-file={self.folder}/my.cnf", f"--init-file={self.folder}/init.sql"]
        with (self.folder / "error.log").open("w") as log:
            self.process = subprocess.Popen(command, stderr=log, env=self.environment)
        self.url = f"mysql://tasks:{password}@127.0.0.1:{port}"
        mariadb.wait(self.url, self.folder)

    def stop(self) -> None:
        """It has ended in good order."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(600)
            self.process = None

    def restart(self) -> None:
        """It has forgotten what it held in memory; port and password are new."""
        self.stop()
        self.start()

    def leave(self) -> None:
        """It has ended; the databases stay."""
        self.stop()
        shutil.rmtree(self.socket.parent, ignore_errors=True)
