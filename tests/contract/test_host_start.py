import json
import socket
import subprocess
from pathlib import Path

import httpx2
import pytest

from local.host import runtime
from local.host.errors import StartError
from tests.contract.hosts import command, environment, eventually, refused, running, write_app
from tests.parts import ROOT

HTTP = """
    @app.route("setting", auth_level=func.AuthLevel.ANONYMOUS)
    async def setting(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse(os.environ.get(req.params["name"], "-"))
"""
QUEUE = """
    @app.service_bus_queue_trigger(arg_name="msg", queue_name="work", connection="Bus"{options})
    async def work(msg: func.ServiceBusMessage) -> None: ...
"""


def test_a_folder_without_a_function_app_is_refused(tmp_path: Path) -> None:
    app = write_app(tmp_path, HTTP)
    (app / "function_app.py").unlink()
    assert "has no function_app.py" in refused(app)


def test_a_folder_without_host_json_is_refused(tmp_path: Path) -> None:
    app = write_app(tmp_path, HTTP)
    (app / "host.json").unlink()
    assert "host.json is missing" in refused(app)


def test_another_version_of_the_worker_library_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "VERSION", "1.4.0")
    with pytest.raises(StartError, match=r"1\.4\.0 is installed; this host knows 1\.3\.0"):
        runtime.index(write_app(tmp_path, HTTP))


def test_an_app_that_cannot_be_indexed_is_refused_with_the_reason(tmp_path: Path) -> None:
    said = refused(write_app(tmp_path, "import no_such_module"))
    assert "cannot be indexed: ModuleNotFoundError" in said


def test_one_bad_function_fails_the_whole_app(tmp_path: Path) -> None:
    bad = """
    @app.route("bad")
    async def bad(wrong_name: func.HttpRequest) -> func.HttpResponse: ...
    """
    assert "cannot be indexed" in refused(write_app(tmp_path, HTTP + bad))


def test_a_service_bus_trigger_that_is_not_binary_is_refused(tmp_path: Path) -> None:
    assert 'needs data_type="binary"' in refused(write_app(tmp_path, QUEUE.format(options="")), Bus="Endpoint=x")


def test_a_batch_trigger_is_refused(tmp_path: Path) -> None:
    source = QUEUE.format(options=', data_type="binary", cardinality="many"').replace("msg: func.ServiceBusMessage", "msg")
    assert "neither sessions nor batches" in refused(write_app(tmp_path, source), Bus="Endpoint=x")


def test_a_connection_without_a_setting_is_refused(tmp_path: Path) -> None:
    app = write_app(tmp_path, QUEUE.format(options=', data_type="binary"'))
    assert "connection Bus is not set" in refused(app)


def test_an_output_binding_other_than_http_is_refused(tmp_path: Path) -> None:
    source = """
    @app.route("x")
    @app.queue_output(arg_name="out", queue_name="q", connection="C")
    def x(req: func.HttpRequest, out: func.Out[str]) -> func.HttpResponse: ...
    """
    assert "no other output binding" in refused(write_app(tmp_path, source))


def test_a_trigger_that_is_not_known_is_refused(tmp_path: Path) -> None:
    source = """
    @app.queue_trigger(arg_name="msg", queue_name="q", connection="C")
    def x(msg: func.QueueMessage) -> None: ...
    """
    assert "does not know the trigger queueTrigger" in refused(write_app(tmp_path, source))


def test_a_schedule_without_its_setting_is_refused(tmp_path: Path) -> None:
    source = """
    @app.timer_trigger(arg_name="timer", schedule="%NOT_SET%")
    def x(timer: func.TimerRequest) -> None: ...
    """
    assert "%NOT_SET% names no app setting" in refused(write_app(tmp_path, source))


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"port {port} cannot be had" in refused(write_app(tmp_path, HTTP), LETHE_HTTP_PORT=str(port))


def test_local_settings_are_app_settings_unless_the_environment_has_them(tmp_path: Path) -> None:
    app = write_app(tmp_path, HTTP)
    values = {"FROM_FILE": "file", "FROM_BOTH": "file"}
    (app / "local.settings.json").write_text(json.dumps({"IsEncrypted": False, "Values": values}))
    with running(app, FROM_BOTH="environment") as host:
        assert httpx2.get(host.url("/api/setting?name=FROM_FILE")).text == "file"
        assert httpx2.get(host.url("/api/setting?name=FROM_BOTH")).text == "environment"


def test_another_settings_file_can_be_named(tmp_path: Path) -> None:
    app = write_app(tmp_path, HTTP)
    (tmp_path / "other.json").write_text(json.dumps({"Values": {"FROM_FILE": "other"}}))
    with running(app, "--settings", str(tmp_path / "other.json")) as host:
        assert httpx2.get(host.url("/api/setting?name=FROM_FILE")).text == "other"


def test_a_named_settings_file_must_exist(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603
        command(write_app(tmp_path, HTTP), "--settings", str(tmp_path / "missing.json")),
        cwd=ROOT,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "missing.json does not exist" in done.stderr


def test_two_signals_are_as_good_as_one(tmp_path: Path) -> None:
    with running(write_app(tmp_path, HTTP)) as host:
        host.process.terminate()
        host.process.terminate()
        assert host.stop() == 0


def test_a_function_that_never_ends_does_not_keep_the_host_from_ending(tmp_path: Path) -> None:
    source = """
    @app.timer_trigger(arg_name="timer", schedule="* * * * * *")
    def x(timer: func.TimerRequest) -> None:
        print("began")
        time.sleep(600)
    """
    with running(write_app(tmp_path, source)) as host:
        eventually(lambda: "began" in host.log.read_text())
        assert host.stop() == 0


def test_a_function_can_be_switched_off_by_a_setting(tmp_path: Path) -> None:
    with running(write_app(tmp_path, HTTP), **{"AzureWebJobs.setting.Disabled": "true"}) as host:
        assert httpx2.get(host.url("/api/setting?name=x")).status_code == 404


def test_a_value_returned_without_an_output_binding_is_a_failure(tmp_path: Path) -> None:
    source = """
    @app.timer_trigger(arg_name="timer", schedule="* * * * * *")
    def x(timer: func.TimerRequest) -> None:
        return 1
    """
    with running(write_app(tmp_path, source)) as host:
        eventually(lambda: any("(Failed" in line["message"] for line in host.lines()))
        (failed, *_) = (line for line in host.lines() if "(Failed" in line["message"])
        assert "RuntimeError: function 'x' without a $return binding" in failed["exception"]


def test_concurrent_runs_of_async_functions_log_under_their_own_names(tmp_path: Path) -> None:
    source = """
    @app.timer_trigger(arg_name="timer", schedule="* * * * * *")
    async def first(timer: func.TimerRequest) -> None:
        await asyncio.sleep(0.1)
        logging.info("by first")

    @app.timer_trigger(arg_name="timer", schedule="* * * * * *")
    def second(timer: func.TimerRequest) -> None:
        time.sleep(0.1)
        logging.info("by second")
    """

    with running(write_app(tmp_path, source)) as host:
        eventually(lambda: {"by first", "by second"} <= {line["message"] for line in host.lines()})
        categories = {line["message"]: line["category"] for line in host.lines()}
        assert categories["by first"] == "Function.first.User"
        assert categories["by second"] == "Function.second.User"
