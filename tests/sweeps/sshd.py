"""An SSH server of the tests' own on a free port, with keys that are thrown away."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sweeps.commands import ended, free_port, wait_for

CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
"""


@contextmanager
def connect_options(folder: Path) -> Iterator[dict[str, Any]]:
    """How the server is reached, as a study says it; the test is skipped where there is none."""
    pytest.importorskip("asyncssh")
    program = shutil.which("sshd", path=os.pathsep.join([os.environ["PATH"], "/usr/sbin"]))
    if program is None:
        pytest.skip("sshd is not installed (Debian's package openssh-server)")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # into which it shuts itself
    for name in ("host_key", "user_key"):
        key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name]
        subprocess.run(key, check=True)
    port = free_port()
    config = folder / "sshd_config"
    config.write_text(CONFIG.format(port=port, folder=folder))
    with (folder / "sshd.log").open("wb") as log:
        server = subprocess.Popen([program, "-D", "-e", "-f", config], stderr=log)
    try:
        wait_for(port)
        yield {
            "port": port,
            "username": getpass.getuser(),
            "client_keys": [str(folder / "user_key")],
            "known_hosts": None,
        }
    finally:
        ended([server])
