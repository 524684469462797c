//! HTTP as browsers and proxies expect it, and as careless or hostile clients send it.

#![expect(clippy::expect_used, reason = "these are tests")]

mod harness;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use crate::harness::{Galaxy, text};

/// Sends bytes as they are, and reads all that comes back.
fn raw(galaxy: &Galaxy, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", galaxy.port)).expect("a connection");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn another_method_is_refused_with_those_that_there_are() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    for (method, path, allowed) in [
        ("GET", "/beak/hatch", "POST"),
        ("PUT", "/beak/me", "DELETE,GET,HEAD,PATCH"),
        ("DELETE", "/beak/metrics", "GET,HEAD"),
    ] {
        let answer = galaxy.send(method, path, &[], b"");
        assert_eq!(answer.status, 405, "{path}");
        assert_eq!(text(&answer.json(), "error"), "method_not_allowed");
        let allow = answer.headers["allow"].to_str().expect("text");
        let mut methods: Vec<_> = allow.split(',').map(str::trim).collect();
        methods.sort_unstable();
        assert_eq!(methods.join(","), allowed, "{path}");
    }
    let site = format!("duckgalaxy.localhost:{}", galaxy.port);
    for (path, headers) in [
        ("/", vec![]),
        ("/outbox", vec![]),
        ("/outbox.json", vec![]),
        ("/shared/app.css", vec![]),
        ("/", vec![("host", site.as_str())]),
    ] {
        let answer = galaxy.send("POST", path, &headers, b"");
        assert_eq!(answer.status, 405, "{path}");
        assert_eq!(answer.headers["allow"], "GET, HEAD", "{path}");
    }
}

#[test]
fn what_is_malformed_is_refused_with_the_usual_body() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    let local = format!("Host: localhost:{}\r\nConnection: close\r\n", galaxy.port);
    let chunked =
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n";
    for request in [
        format!("GET /beak/certificates/%ff HTTP/1.1\r\n{local}\r\n"),
        format!("POST /beak/hatch HTTP/1.1\r\n{local}{chunked}"),
    ] {
        let answer = raw(&galaxy, &request);
        assert!(answer.starts_with("HTTP/1.1 400 "), "{request}: {answer}");
        assert!(answer.contains("\"error\":\"invalid_request\""), "{request}: {answer}");
    }
    let two =
        raw(&galaxy, &format!("GET /beak/metrics HTTP/1.1\r\nHost: localhost\r\n{local}\r\n"));
    assert!(two.starts_with("HTTP/1.1 400 "), "{two}");
    let stranger = galaxy.get("/", &[("host", "evil.example")]);
    assert_eq!(stranger.status, 421);
    assert!(stranger.text.contains(&format!("http://localhost:{}/", galaxy.port)));
}

#[test]
fn what_a_client_has_is_not_sent_again_and_what_is_long_is_compressed() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    let site = format!("duckgalaxy.localhost:{}", galaxy.port);
    let host = ("host", site.as_str());
    for (path, host) in [("/beak/openapi.json", None), ("/beak/jwks.json", None), ("/", Some(host))]
    {
        let with = |more: &[(&'static str, String)]| {
            let mut headers: Vec<(&str, &str)> = host.into_iter().collect();
            headers.extend(more.iter().map(|(name, value)| (*name, value.as_str())));
            galaxy.get(path, &headers)
        };
        let first = with(&[]);
        assert_eq!(first.status, 200, "{path}");
        let etag =
            first.headers["etag"].to_str().expect("text").trim_start_matches("W/").to_owned();
        for known in ["*".to_owned(), etag.clone(), format!("W/{etag}"), format!("\"x\", {etag}")] {
            let again = with(&[("if-none-match", known.clone())]);
            assert_eq!((again.status, again.text.len()), (304, 0), "{path} {known}");
        }
        assert_eq!(with(&[("if-none-match", "\"x\"".into())]).status, 200, "{path}");
    }
    let asked = format!(
        "GET /beak/openapi.json HTTP/1.1\r\nHost: localhost:{}\r\nAccept-Encoding: gzip\r\n\
         Connection: close\r\n\r\n",
        galaxy.port
    );
    let mut stream = TcpStream::connect(("127.0.0.1", galaxy.port)).expect("a connection");
    stream.write_all(asked.as_bytes()).expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let whole = galaxy.get("/beak/openapi.json", &[("accept-encoding", "identity")]).text.len();
    assert!(String::from_utf8_lossy(&answer).to_lowercase().contains("content-encoding: gzip"));
    assert!(answer.len() < whole / 3, "{} of {whole}", answer.len());
}

#[test]
fn a_client_that_does_not_finish_its_request_is_let_go() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    for begun in ["", "GET / HTTP/1.1\r\nHost: local"] {
        let mut stream = TcpStream::connect(("127.0.0.1", galaxy.port)).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_mins(1))).expect("a limit");
        stream.write_all(begun.as_bytes()).expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("the galaxy hangs up");
    }
    assert_eq!(galaxy.get("/beak", &[]).status, 200);
}

/// Only Linux can take open files away from a program that already runs.
#[cfg(target_os = "linux")]
#[test]
fn a_galaxy_without_free_descriptors_says_so_and_recovers() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    assert_eq!(galaxy.get("/beak", &[]).status, 200);
    let id = galaxy.id().to_string();
    let limit = |files: &str| {
        let set = format!("--nofile={files}:");
        let done = Command::new("prlimit").args([set.as_str(), "--pid", &id]).status();
        assert!(done.expect("prlimit of util-linux").success());
    };
    let open = std::fs::read_dir(format!("/proc/{id}/fd")).expect("its descriptors").count();
    limit(&open.to_string());
    let mut waiting = Vec::new();
    while !galaxy.log().contains("no connection can be accepted") {
        assert!(waiting.len() < 4000, "nothing is logged");
        waiting.push(TcpStream::connect(("127.0.0.1", galaxy.port)).expect("a connection"));
        #[expect(clippy::disallowed_methods, reason = "it fills a queue, not waits")]
        std::thread::sleep(Duration::from_millis(5));
    }
    limit("1024");
    drop(waiting);
    assert_eq!(galaxy.get("/beak", &[]).status, 200);
}

/// Each hash takes 19 MiB, and the allocator keeps what each thread had.
#[cfg(target_os = "linux")]
#[test]
fn memory_stays_flat_however_many_hatch() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    let resident = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", galaxy.id()));
        let status = status.expect("the process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
        let kib = line.trim().trim_end_matches(" kB").trim();
        kib.parse::<u64>().expect("a number") / 1024
    };
    let before = resident();
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let galaxy = &galaxy;
            scope.spawn(move || {
                for number in 0..10 {
                    let laid = galaxy.lay(&format!("egg{thread}x{number}@example.com"), "Egg");
                    assert_eq!(laid.status, 202, "{}", laid.text);
                }
            });
        }
    });
    let cores = std::thread::available_parallelism().map_or(2, usize::from) as u64;
    let most = before + cores * 2 * 19 + 64;
    let after = resident();
    assert!(after < most, "{after} MiB after {before} MiB, at most {most}");
}

/// Neither by the counter nor by the gate in front of it.
#[test]
fn a_galaxy_without_limits_refuses_no_number_of_calls() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    for number in 0..100 {
        let body = json!({"email": format!("a{number}@example.com"), "code": "000000"});
        assert_eq!(galaxy.post("/beak/verify", None, &body).status, 400, "{number}");
    }
}
