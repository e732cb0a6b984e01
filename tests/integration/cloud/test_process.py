import socket
import subprocess
import sys
from pathlib import Path

from sandbox.layout import HOST, Layout


def test_a_port_that_is_taken_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    layout = Layout.ephemeral(tmp_path)
    layout.save()
    with socket.create_server((HOST, layout.aws_port)):
        ended = subprocess.run(
            [sys.executable, "-m", "sandbox.cloud", "--dir", tmp_path],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    assert ended.returncode == 1
    assert ended.stdout == ""
    lines = ended.stderr.splitlines()
    assert len(lines) == 1
    assert f"port {layout.aws_port} cannot be used" in lines[0]
