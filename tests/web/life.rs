//! How the server starts, what it leaves, and how it stops.

use std::fs;
use std::time::{Duration, Instant};

use digit_recognizer::DigitImage;

use crate::command::command;
use crate::served::Server;
use crate::{FORM, PREDICT, assert_works, blank, fixture, form, predict};

/// A folder that is gone when this goes out of scope.
struct Folder(String);

impl Folder {
    fn new(name: &str) -> Self {
        Self(format!("{}/web-{name}-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id()))
    }

    /// Its files, sorted: their extension and content.
    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut paths: Vec<_> =
            fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path()).collect();
        // The number in the name is that of the upload.
        paths.sort_by_key(|path| path.to_str().unwrap().rsplit('-').next().unwrap().to_owned());
        let extension =
            |path: &std::path::Path| path.extension().unwrap().to_str().unwrap().to_owned();
        paths.iter().map(|path| (extension(path), fs::read(path).unwrap())).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn keep_keeps_every_upload_and_its_inputs() {
    let folder = Folder::new("keep");
    let server = Server::start(&["--keep", &folder.0]);
    let (seven, three, white) = (fixture("seven.png"), fixture("three.jpg"), blank(50, 50));
    let strokes = br#"{"strokes": [[[10, 10], [60, 10], [30, 90]]]}"#;
    predict(&server, "image/gif", &seven);
    predict(&server, FORM, &form("picture", "x.png", &three));
    predict(&server, "image/png", &white);
    predict(&server, "image/png", b"text");
    predict(&server, "application/json", strokes);
    let files = folder.files();
    let kept: Vec<_> = files.iter().filter(|(extension, _)| extension != "csv").cloned().collect();
    assert_eq!(
        kept,
        [
            ("png".to_owned(), seven.clone()),
            ("jpg".to_owned(), three),
            ("png".to_owned(), white),
            ("bin".to_owned(), b"text".to_vec()),
            ("json".to_owned(), strokes.to_vec()),
        ]
    );
    let inputs: Vec<_> = files.iter().filter(|(extension, _)| extension == "csv").collect();
    assert_eq!(inputs.len(), 3);
    let image = DigitImage::read_csv(inputs[0].1.as_slice()).unwrap();
    let answer = server.post(&format!("{PREDICT}?inputs=true"), "image/png", &seven).json();
    let answered: Vec<f32> = serde_json::from_value(answer["inputs"].clone()).unwrap();
    assert_eq!(answered, image.pixels());
}

#[test]
fn a_disk_that_fails_is_in_the_log_and_the_answer_comes() {
    let folder = Folder::new("gone");
    let server = Server::start(&["--keep", &folder.0]);
    fs::remove_dir(&folder.0).unwrap();
    assert_works(&server);
    server.wait_for_line("error: ");
    assert!(server.log().iter().any(|line| line.contains(".png: ")), "{:?}", server.log());
}

#[test]
fn each_request_has_a_line_in_the_log() {
    let mut server = Server::start(&[]);
    assert_works(&server);
    server.get("/nowhere?a=b%0Ac");
    let mut gone = server.connect();
    gone.send(format!("POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n1"));
    drop(gone);
    let start = Instant::now();
    while server.log().len() < 3 {
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", server.log());
    }
    server.stop();
    server.ended(Duration::from_secs(5));
    server.wait_for_line("stopping");
    let log = server.log();
    assert_eq!(log.len(), 4, "{log:?}");
    let line = |line: &str, rest: &str| {
        let (time, line) = line.split_at(25);
        assert!(time.starts_with("20") && time.ends_with("Z "), "{time}");
        assert!(line.starts_with(rest) && line.ends_with(" ms"), "{line}");
    };
    line(&log[0], "127.0.0.1 POST /api/predict 200 ");
    line(&log[1], "127.0.0.1 GET /nowhere?a=b%0Ac 404 ");
    assert!(
        log[2].contains(" POST /api/predict 400 ") || log[2].contains(" gone after "),
        "{log:?}"
    );
    assert_eq!(log[3], "stopping");
}

#[test]
fn stopping_ends_what_has_begun() {
    for signal in ["INT", "TERM"] {
        let mut server = Server::start(&[]);
        let seven = fixture("seven.png");
        let mut begun = server.connect();
        let head = format!(
            "POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n",
            seven.len()
        );
        begun.send(head + "Expect: 100-continue\r\n\r\n");
        assert_eq!(begun.response().status, 100);
        let mut idle = server.connect();
        idle.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_eq!(idle.response().status, 200);

        server.signal(signal);
        assert!(idle.is_closed());
        begun.send(&seven);
        let response = begun.response();
        assert_eq!((response.status, response.json()["digit"].as_u64()), (200, Some(7)));
        assert!(begun.is_closed());
        assert_eq!(server.ended(Duration::from_secs(5)), Some(0));
    }
}

#[test]
fn stopping_does_not_wait_for_ever() {
    let mut server = Server::start(&["--stop-timeout", "0.2"]);
    let mut begun = server.connect();
    begun.send(format!("POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n1"));
    assert_works(&server);
    server.stop();
    assert_eq!(server.ended(Duration::from_secs(5)), Some(1));
    server.wait_for_line("error: 1 connections were cut");
}

#[test]
fn host_port_and_model_are_as_hosting_gives_them() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = Server::start_in(&[("PORT", &port.to_string()), ("HOST", "127.0.0.1")], &[]);
    assert_eq!(server.address.port(), port);
    assert_works(&server);

    let refused = |arguments: &[&str], part: &str| {
        let mut command = command("web");
        let output =
            command.env_remove("HOST").env_remove("PORT").args(arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(part), "{said}");
    };
    refused(&["--port", &port.to_string()], &format!("127.0.0.1:{port}: "));
    refused(&["--model", "nowhere.digits"], "nowhere.digits: ");
    refused(&["--model", "fixtures/tiny.npz"], "expected a network with 784 inputs, found 3");
    refused(&["--port", "0", "--keep", "fixtures/seven.png"], "fixtures/seven.png: ");
    refused(&["--at-once", "1"], "2 to 65536");
    refused(&["--body-timeout", "0"], "0.01 to 3600");
}
