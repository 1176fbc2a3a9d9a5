"""Who may read a site, and what a browser may do with it."""

import re

import pytest

from coequal.serve.protection import host_name, ours, page_policy, scripts

from fabricated_run import NS_GAN, build

TOKEN = "abc-123"


@pytest.fixture(scope="module")
def visitor(open_site, finished):
    return open_site(finished.path.parent)


@pytest.fixture(scope="module")
def guarded(finished):
    return finished.path.parent


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8765", 200),
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("[::1]:8765", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example:8765", 403),
        ("localhost.evil.example", 403),
        ("127.0.0.1:8765@evil.example", 403),
        ("", 403),
    ],
)
def test_on_loopback_only_names_of_loopback_are_answered(visitor, host, status):
    assert visitor.get("/", host=host).status_code == status


def test_a_host_name_is_what_stands_before_the_port():
    assert host_name("Localhost:80") == "localhost"
    assert host_name("[::1]:80") == "[::1]"
    assert host_name("[::1]") == "[::1]"


def test_with_a_token_nobody_reads_without_it_whatever_the_host_is(open_site, guarded):
    visitor = open_site(guarded, base="http://machine:8765", loopback=False, token=TOKEN)
    for path in ("/", "/one/report/", "/one/version?page=report", "/?token=wrong", "/?token="):
        answer = visitor.get(path)
        assert answer.status_code == 401
        assert "including its token" in answer.text
        assert "Which one?" not in answer.text


def test_the_token_is_kept_in_a_cookie_and_leaves_the_address(open_site, guarded):
    visitor = open_site(guarded, base="http://machine:8765", loopback=False, token=TOKEN)
    first = visitor.get(f"/?q=one&token={TOKEN}")
    assert first.status_code == 303
    assert first.headers["location"] == "/?q=one"
    cookie = first.headers["set-cookie"]
    assert cookie.startswith(f"coequal-8765={TOKEN};")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert visitor.get("/?q=one").status_code == 200
    visitor.cookies.set("coequal-8765", "other", domain="machine")
    visitor.cookies = {"coequal-8765": "other"}
    assert visitor.get("/").status_code == 401


def test_a_token_may_be_asked_for_on_loopback_and_the_host_is_looked_at_all_the_same(
    open_site, guarded
):
    visitor = open_site(guarded, token=TOKEN)
    assert visitor.get("/").status_code == 401
    assert visitor.get(f"/?token={TOKEN}", host="evil.example").status_code == 403
    assert visitor.get(f"//evil.example/?token={TOKEN}").headers.get("location", "/") == "/"


def test_every_answer_says_what_a_browser_may_do(visitor):
    for path in ("/", "/nothing", "/one/version?page=report", "/favicon.ico"):
        headers = visitor.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in headers["content-security-policy"] or (
            "sandbox" in headers["content-security-policy"]
        )


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_written(visitor, method):
    assert visitor.get("/", method=method).status_code == 405


def test_a_page_may_run_our_scripts_and_no_others(visitor):
    answer = visitor.page("/one/report/")
    allowed = re.findall(r"'sha256-[^']+'", answer.headers["content-security-policy"])
    inline = list(scripts(answer.text))
    assert len(allowed) == len(inline) >= 2  # the report's and the one that follows the run
    assert all(map(ours, inline))
    injected = answer.text.replace("<main>", "<main><script>alert(1)</script>", 1)
    assert page_policy(injected) == answer.headers["content-security-policy"]
    assert not ours("alert(1)")
    assert not ours(f"{inline[0]} alert(1)")


def test_a_page_without_scripts_may_run_none():
    assert "script-src 'none'" in page_policy("<p>hello</p>")
    assert "script-src 'none'" in page_policy('<script type="application/json">{}</script>')


HOSTILE = "<script>alert(1)</script>"


def test_a_hostile_study_is_text_on_every_page(open_site, tmp_path):
    build(
        tmp_path / "x<b>y",
        {"ns_gan": NS_GAN, "</script><script>alert(5)</script>": NS_GAN},
        study=HOSTILE,
        question='"><img src=x onerror=alert(1)>',
        source="study: </script><script>alert(2)</script>\n",
    )
    visitor = open_site(tmp_path)
    pages = [
        "/",
        "/?q=%3Cscript%3E",
        "/x%3Cb%3Ey/report/",
        "/x%3Cb%3Ey/compare",
        "/nothing/%3Cscript%3Ealert(3)",
    ]
    for path in pages:
        text = visitor.page(path).text
        assert HOSTILE not in text
        assert "<img src=x" not in text
        assert "alert(2)</script>" not in text
        assert "alert(5)</script>" not in text
        assert "<script>alert(3)" not in text
        assert all(map(ours, scripts(text)))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in visitor.get("/").text
    assert 'href="/x%3Cb%3Ey/"' in visitor.get("/").text
