import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.contract.hosts import Host, eventually, running, write_app

APP = """
    @app.route("items/{id:guid}", methods=["GET", "DELETE"], auth_level=func.AuthLevel.ANONYMOUS)
    async def item(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse("item " + req.route_params["id"])

    @app.route("items/special", methods=["GET"])
    async def special(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse("special")

    @app.route("echo/{name}", auth_level=func.AuthLevel.ANONYMOUS)
    def echo(req: func.HttpRequest) -> func.HttpResponse:
        seen = {"method": req.method, "url": req.url, "headers": dict(req.headers), "query": dict(req.params),
                "route": dict(req.route_params), "length": len(req.get_body())}
        answer = func.HttpResponse(json.dumps(seen), status_code=201, mimetype="application/json",
                                   headers={"X-Kind": "echo"})
        answer.headers.add("Set-Cookie", "a=1; Path=/")
        answer.headers.add("Set-Cookie", "b=2; HttpOnly")
        return answer

    @app.route("fail", auth_level=func.AuthLevel.ANONYMOUS)
    async def fail(req: func.HttpRequest) -> func.HttpResponse:
        raise LookupError("the reason of the failure")

    @app.route("nothing", auth_level=func.AuthLevel.ANONYMOUS)
    async def nothing(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse(status_code=204)

    @app.route("logs", auth_level=func.AuthLevel.ANONYMOUS)
    async def logs(req: func.HttpRequest) -> func.HttpResponse:
        logging.getLogger("sample").info("a line of the app")
        logging.getLogger("sample").debug("too fine to be exported")
        print("a printed line")
        return func.HttpResponse("ok")

    @app.route("slow", auth_level=func.AuthLevel.ANONYMOUS)
    async def slow(req: func.HttpRequest) -> func.HttpResponse:
        await asyncio.sleep(float(req.params["seconds"]))
        return func.HttpResponse("done")
"""
GUID = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    folder = tmp_path_factory.mktemp("http")
    app = write_app(folder, APP, {"extensions": {"http": {"routePrefix": ""}}, "functionTimeout": "00:00:02"})
    with running(app) as host:
        yield host


def get(host: Host, path: str, **options: Any) -> httpx2.Response:  # noqa: ANN401
    return httpx2.get(host.url(path), **options)


def test_a_route_parameter_reaches_the_function(host: Host) -> None:
    assert get(host, f"/items/{GUID}").text == f"item {GUID}"


def test_a_constraint_that_does_not_hold_is_not_found(host: Host) -> None:
    assert get(host, "/items/seventeen").status_code == 404


def test_a_literal_segment_goes_before_a_parameter(host: Host) -> None:
    assert get(host, "/items/special").text == "special"


def test_literals_of_a_route_ignore_case(host: Host) -> None:
    assert get(host, "/Items/SPECIAL").text == "special"


def test_an_unknown_path_is_not_found(host: Host) -> None:
    assert get(host, "/nowhere").status_code == 404


def test_another_method_on_a_known_route_is_not_found_as_in_azure(host: Host) -> None:
    assert httpx2.post(host.url(f"/items/{GUID}")).status_code == 404


def test_head_reaches_a_function_without_a_list_of_methods_and_has_no_body(host: Host) -> None:
    answer = httpx2.head(host.url("/echo/x"))
    assert (answer.status_code, answer.content) == (201, b"")


def test_the_whole_request_arrives(host: Host) -> None:
    answer = httpx2.put(
        host.url("/echo/a%20b%2Fc?q=1&q=2&r=%C3%A4"),
        content=b"\x00\xff" * 5,
        headers=[("X-Many", "1"), ("X-Many", "2"), ("X-One", "3")],
    )
    seen = answer.json()
    assert seen["method"] == "PUT"
    assert seen["url"] == host.url("/echo/a%20b%2Fc?q=1&q=2&r=%C3%A4")
    assert seen["query"] == {"q": "1,2", "r": "ä"}
    assert seen["route"] == {"name": "a b%2Fc"}
    assert (seen["headers"]["x-many"], seen["headers"]["x-one"]) == ("1,2", "3")
    assert seen["length"] == 10


def test_the_whole_response_comes_back(host: Host) -> None:
    answer = get(host, "/echo/x")
    assert (answer.status_code, answer.headers["x-kind"]) == (201, "echo")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers.get_list("set-cookie") == ["a=1; Path=/", "b=2; HttpOnly"]


def test_an_empty_response_has_no_body(host: Host) -> None:
    assert (get(host, "/nothing").status_code, get(host, "/nothing").content) == (204, b"")


def test_a_compressed_body_is_left_as_it_is(host: Host) -> None:
    answer = httpx2.post(host.url("/echo/x"), content=b"not gzip", headers={"Content-Encoding": "gzip"})
    assert answer.json()["length"] == 8


def test_a_body_of_many_megabytes_arrives(host: Host) -> None:
    assert httpx2.post(host.url("/echo/x"), content=b"x" * 20_000_000, timeout=30).json()["length"] == 20_000_000


def test_a_body_above_100_megabytes_is_refused(host: Host) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", host.port)
    connection.putrequest("POST", "/echo/x")
    connection.putheader("Content-Length", str(101 * 1024 * 1024))
    connection.endheaders()
    chunk = b"x" * 1024 * 1024
    try:
        for _ in range(101):
            connection.send(chunk)
    except (BrokenPipeError, ConnectionResetError):
        pass
    else:
        assert connection.getresponse().status == 413
    finally:
        connection.close()


def test_a_function_that_raises_answers_500_without_a_word_of_it(host: Host) -> None:
    answer = get(host, "/fail")
    assert (answer.status_code, answer.content) == (500, b"")


def test_a_failure_is_logged_as_the_worker_would_send_it(host: Host) -> None:
    get(host, "/fail")
    failed = [line for line in host.lines() if line["message"].startswith("Executed 'Functions.fail' (Failed")]
    assert failed[-1]["level"] == "Error"
    assert "Exception: LookupError: the reason of the failure\nStack: Traceback" in failed[-1]["exception"]
    assert not [line for line in host.lines() if "Native invocation failed" in line["message"]]


def test_the_full_url_with_its_query_is_logged_as_azure_does(host: Host) -> None:
    get(host, "/echo/logged?secret=in-the-url")
    url = host.url("/echo/logged?secret=in-the-url")
    eventually(lambda: any(line["message"] == f"GET {url}" for line in host.lines()))


def test_logging_and_print_of_the_app_reach_the_telemetry(host: Host) -> None:
    get(host, "/logs")
    lines = {(line["category"], line["message"]) for line in host.lines()}
    assert ("Function.logs.User", "a line of the app") in lines
    assert ("Host.Function.Console", "a printed line") in lines
    assert "too fine to be exported" not in host.log.read_text()


def test_an_invocation_over_the_function_timeout_fails(host: Host) -> None:
    assert get(host, "/slow?seconds=10", timeout=9).status_code == 500
    failed = [line for line in host.lines() if line["message"].startswith("Executed 'Functions.slow' (Failed")]
    assert "FunctionTimeoutException" in failed[-1]["exception"]


def test_a_function_that_wants_a_key_is_served_with_a_note(host: Host) -> None:
    assert "Function 'special' asks for a key" in host.log.read_text()
    assert get(host, "/items/special").status_code == 200


def test_the_route_prefix_is_api_by_default(tmp_path: Path) -> None:
    with running(write_app(tmp_path, APP)) as host:
        assert get(host, "/api/items/special").text == "special"
        assert get(host, "/items/special").status_code == 404


def test_sigterm_lets_a_running_request_finish_and_exits_0(tmp_path: Path) -> None:
    with running(write_app(tmp_path, APP)) as host:
        connection = http.client.HTTPConnection("127.0.0.1", host.port)
        connection.request("GET", "/api/slow?seconds=1")
        eventually(lambda: any("Executing 'Functions.slow'" in line["message"] for line in host.lines()))
        host.process.terminate()
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"done")
        connection.close()
        assert host.stop() == 0


def test_the_ready_line_is_all_that_standard_output_holds(tmp_path: Path) -> None:
    with running(write_app(tmp_path, APP)) as host:
        get(host, "/api/logs")
        host.stop()
        assert host.process.stdout is not None
        assert host.process.stdout.read() == ""
        assert all(json.loads(line) for line in host.log.read_text().splitlines())
