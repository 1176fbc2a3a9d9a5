"""The server itself, on a free port of this machine."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import pytest
import uvicorn

from coequal.serve.server import PORT, application, listen, new_token
from coequal.serve.site import Site

from typed import coequal


def test_the_first_free_port_is_taken_and_one_that_was_asked_for_is_refused():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"port {port} on 127.0.0.1 cannot be used .* --port"):
            listen("127.0.0.1", port)
    with listen("127.0.0.1", None) as first, listen("127.0.0.1", None) as second:
        assert PORT <= first.port < second.port


def test_an_address_that_is_none_of_this_machine_is_refused():
    with pytest.raises(OSError, match=r"192\.0\.2\.1 cannot be used"):
        listen("192.0.2.1", 0)
    with pytest.raises(OSError, match="is not an address of this machine"):
        listen("no.such.host.invalid", 0)


def test_an_address_of_loopback_is_known_and_a_token_stands_in_the_address():
    with listen("localhost", 0) as local:
        assert local.loopback
        assert local.url(None) == f"http://localhost:{local.port}/"
    with listen("0.0.0.0", 0) as everywhere:
        assert not everywhere.loopback
        name = socket.gethostname()
        assert everywhere.url("t") == f"http://{name}:{everywhere.port}/?token=t"


def test_no_two_tokens_are_alike_and_each_has_128_bits():
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(token) == 22 for token in tokens)  # 128 / 6 letters, rounded up


def test_a_real_server_answers(finished):
    site = Site(finished.path)
    listening = listen("127.0.0.1", 0)
    app = application(site, loopback=True, token=None, port=listening.port)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening.socket]})
    thread.start()
    try:
        url = f"{listening.url(None)}one/report/"
        for _ in range(600):
            with urllib.request.urlopen(url) as answer:
                page = answer.read().decode()
            if 'data-version=""' not in page:
                break
            time.sleep(0.1)
        assert "Which one?" in page
        with urllib.request.urlopen(f"{listening.url(None)}one/version?page=report") as answer:
            assert json.load(answer)["next"] is None
    finally:
        server.should_exit = True
        thread.join()
        site.close()


def test_what_can_not_be_served_is_one_message(tmp_path, monkeypatch):
    (tmp_path / "study.yaml").write_text("study: x\n")
    done = coequal("serve", tmp_path / "study.yaml")
    assert done.returncode == 1
    assert "is not a pack of a run; name a folder or a pack" in done.stderr
    assert done.stderr.count("\n") == 1
    done = coequal("serve", tmp_path / "nothing")
    assert done.returncode == 2
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = coequal("serve", tmp_path, "--port", taken.getsockname()[1])
    assert done.returncode == 1
    assert "cannot be used" in done.stderr
    assert done.stderr.count("\n") == 1


def test_without_the_extra_it_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setattr("coequal.cli.serve.importlib.util.find_spec", lambda name: None)
    done = coequal("serve", tmp_path)
    assert done.returncode == 1
    assert "needs starlette and uvicorn" in done.stderr
    assert "pip install 'coequal[serve]'" in done.stderr


def test_ctrl_c_ends_it_and_the_address_is_one_json_value(finished, monkeypatch):
    def interrupted(app, listening, started):
        started()
        raise KeyboardInterrupt

    monkeypatch.setattr("coequal.serve.server.serve", interrupted)
    done = coequal("serve", finished.path, "--port", 0, "--json")
    assert done.returncode == 130
    said = json.loads(done.stdout)
    assert said["url"] == f"http://127.0.0.1:{said['port']}/"
    assert said["token"] is None
    guarded = json.loads(coequal("serve", finished.path, "--port", 0, "--json", "--token").stdout)
    assert guarded["url"].endswith(f"/?token={guarded['token']}")
    outside = coequal("serve", finished.path, "--port", 0, "--json", "--host", "0.0.0.0")
    assert json.loads(outside.stdout)["token"]
    plain = coequal("serve", finished.path, "--port", 0)
    assert f"{finished.path}: http://127.0.0.1:" in plain.stdout


def test_the_browser_is_opened_when_asked(finished, monkeypatch):
    seen = []
    monkeypatch.setattr("coequal.cli.serve.webbrowser.open", seen.append)

    def interrupted(app, listening, started):
        started()
        raise KeyboardInterrupt

    monkeypatch.setattr("coequal.serve.server.serve", interrupted)
    coequal("serve", finished.path, "--port", 0)
    assert seen == []
    coequal("serve", finished.path, "--port", 0, "--open")
    assert seen[0].startswith("http://127.0.0.1:")


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"]
)
def test_a_signal_ends_the_process_and_leaves_nothing_behind(finished, tmp_path, number, code):
    command = "from coequal.cli.app import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", command, "serve", finished.path, "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as process:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        url = json.loads(line)["url"]
        with urllib.request.urlopen(f"{url}one/compare") as answer:
            assert "Compare two trials" in answer.read().decode()
        assert any(tmp_path.iterdir())
        process.send_signal(number)
        said = process.communicate(timeout=30)[1]
    assert process.returncode == code
    assert said.endswith("stopped\n")
    assert "Traceback" not in said
    assert not any(tmp_path.iterdir())
