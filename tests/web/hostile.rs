//! Clients that break the rules of HTTP, or keep them badly. Each test ends with a
//! request that works.

use std::thread;
use std::time::{Duration, Instant};

use crate::served::{Connection, Server};
use crate::{FORM, PREDICT, assert_refused, assert_works, fixture, form, predict};

const LIMIT: usize = 8 << 20;

/// A PNG of this many bytes: what comes after its end counts, and is not looked at.
fn png_of(length: usize) -> Vec<u8> {
    let mut png = fixture("seven.png");
    png.resize(length, 0);
    png
}

fn head(headers: &str) -> String {
    format!("POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n\r\n")
}

/// What is answered to these bytes.
fn answer(server: &Server, bytes: impl AsRef<[u8]>) -> crate::Response {
    let mut connection = server.connect();
    connection.send(bytes);
    connection.response()
}

#[test]
fn a_body_at_the_limit_is_read_and_one_byte_more_is_refused() {
    let server = Server::start(&[]);
    let response = predict(&server, "image/png", &png_of(LIMIT));
    assert_eq!((response.status, response.json()["digit"].as_u64()), (200, Some(7)));
    let response = predict(&server, "image/png", &png_of(LIMIT + 1));
    assert_refused(&server, &response, 413, "body_too_large");

    // The same without a length.
    for (length, status) in [(LIMIT, 200), (LIMIT + 1, 413)] {
        let mut connection = server.connect();
        connection.send(head("Transfer-Encoding: chunked"));
        for chunk in png_of(length).chunks(1 << 16) {
            connection.send([format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
        }
        connection.send("0\r\n\r\n");
        assert_eq!(connection.response().status, status, "{length}");
    }
    assert_works(&server);
}

#[test]
fn an_endless_body_is_refused_at_the_limit() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    connection.send(head("Transfer-Encoding: chunked"));
    let chunk = [b"100000\r\n".as_slice(), &vec![0; 1 << 20], b"\r\n"].concat();
    let mut sent = 0;
    // The server reads on for a while, so that the client hears its answer.
    while sent < 200 && connection.send(&chunk) {
        sent += 1;
    }
    assert!((8..200).contains(&sent), "{sent} MiB");
    assert_works(&server);

    // A client that listens as it should hears why.
    let mut connection = server.connect();
    connection.send(head("Transfer-Encoding: chunked"));
    (0..9).for_each(|_| assert!(connection.send(&chunk)));
    assert_refused(&server, &connection.response(), 413, "body_too_large");
}

#[test]
fn a_length_above_the_limit_is_refused_before_the_body() {
    let server = Server::start(&[]);
    for length in ["8388609", "99999999999", "9223372036854775807"] {
        let headers = format!("Content-Length: {length}\r\nExpect: 100-continue");
        let response = answer(&server, head(&headers));
        assert_refused(&server, &response, 413, "body_too_large");
    }
}

#[test]
fn lengths_that_lie_are_found_out() {
    let server = Server::start(&["--body-timeout", "0.3"]);
    let seven = fixture("seven.png");
    // Too long: the rest never comes.
    let long = head(&format!("Content-Length: {}", seven.len() + 1));
    let response = answer(&server, [long.as_bytes(), &seven].concat());
    assert_refused(&server, &response, 408, "body_timeout");
    // Too long, and the client has finished.
    let mut connection = server.connect();
    connection.send([long.as_bytes(), &seven].concat());
    connection.finish();
    assert!(connection.try_response().is_none_or(|response| response.status == 400));
    assert_works(&server);
    // Too short: a part of a picture, and a rest that is no request.
    let short = head(&format!("Content-Length: {}", seven.len() / 2));
    let mut connection = server.connect();
    connection.send([short.as_bytes(), &seven].concat());
    assert_refused(&server, &connection.response(), 422, "damaged_picture");
    assert!(connection.try_response().is_none_or(|response| response.status == 400));
    assert!(connection.is_closed());
    assert_works(&server);
    // None: there is no body.
    let response = answer(&server, head("Content-Type: image/png"));
    assert_refused(&server, &response, 400, "empty");
    // No number, less than nothing, two that differ, more than 64 bits; a length and chunks.
    for headers in [
        "Content-Length: many",
        "Content-Length: -1",
        "Content-Length: 1\r\nContent-Length: 2",
        "Content-Length: 18446744073709551616",
    ] {
        assert_eq!(answer(&server, head(headers)).status, 400, "{headers}");
        assert_works(&server);
    }
    let both = head("Content-Length: 5\r\nTransfer-Encoding: chunked");
    let response = answer(&server, both + "0\r\n\r\n");
    assert_eq!(response.status, 400);
    assert_works(&server);
}

#[test]
fn chunks_that_are_none_are_refused() {
    let server = Server::start(&[]);
    for chunks in ["zz\r\n", "ffffffffffffffffff\r\n", "5\r\nabcdefgh\r\n"] {
        let response = answer(&server, head("Transfer-Encoding: chunked") + chunks);
        assert_refused(&server, &response, 400, "broken_body");
    }
}

#[test]
fn a_slow_header_is_cut_off() {
    let server = Server::start(&["--header-timeout", "0.3"]);
    let start = Instant::now();
    // Never more than a part of a header, a byte at a time.
    let mut slow = server.connect();
    let mut silent = server.connect();
    for byte in head("Content-Type: image/png").bytes() {
        if start.elapsed() > Duration::from_secs(1) || !slow.send([byte]) {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    assert!(slow.try_response().is_none_or(|response| response.status == 408));
    assert!(silent.is_closed());
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    // Nor may a connection rest for longer between two requests.
    let mut resting = server.connect();
    resting.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(resting.response().status, 200);
    assert!(resting.is_closed());
    assert_works(&server);
}

#[test]
fn a_slow_body_is_cut_off() {
    let server = Server::start(&["--body-timeout", "0.3"]);
    let seven = fixture("seven.png");
    let start = Instant::now();
    let mut connection = server.connect();
    connection.send(head(&format!("Content-Length: {}", seven.len())));
    // It does come, but not in this time.
    for byte in &seven[..25] {
        connection.send([*byte]);
        thread::sleep(Duration::from_millis(20));
    }
    assert_refused(&server, &connection.response(), 408, "body_timeout");
    assert!(start.elapsed() < Duration::from_secs(3));
}

#[test]
fn a_client_that_does_not_take_its_answers_is_cut_off() {
    let server = Server::start(&["--body-timeout", "0.3"]);
    let mut connection = server.connect();
    let requests = "GET /style.css HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(100);
    // Until the buffers of both sides are full.
    let mut sent = 0;
    while sent < 20_000 && connection.send_at_once(&requests) {
        sent += 100;
    }
    thread::sleep(Duration::from_millis(800));
    let style = include_str!("../../examples/web/page/style.css");
    let (received, all) = (connection.rest(), sent * style.len());
    assert!(received < all, "{received} of {all} bytes");
    assert_works(&server);
}

#[test]
fn a_client_that_goes_away_leaves_nothing_behind() {
    let server = Server::start(&["--at-once", "8"]);
    let seven = fixture("seven.png");
    let whole = [head(&format!("Content-Length: {}", seven.len())).as_bytes(), &seven].concat();
    // At every hundredth byte, and with the answer on its way. A client has four places.
    for end in (0..=whole.len()).step_by(100).chain([whole.len(); 20]) {
        server.connect().send(&whole[..end]);
    }
    crate::limits::until(&server, 200);
    assert_works(&server);
    assert!(server.log().iter().all(|line| !line.contains("panicked")), "{:?}", server.log());
}

#[test]
fn malformed_forms_are_refused() {
    let server = Server::start(&[]);
    let seven = fixture("seven.png");
    let good = form("picture", "seven.png", &seven);
    let refused = |kind: &str, body: &[u8], status, error| {
        assert_refused(&server, &predict(&server, kind, body), status, error);
    };
    refused("multipart/form-data", &good, 400, "malformed_form");
    refused("multipart/form-data; boundary=", &good, 400, "malformed_form");
    refused("multipart/form-data; boundary=other", &good, 400, "malformed_form");
    refused(FORM, b"", 400, "malformed_form");
    refused(FORM, &seven, 400, "malformed_form");
    refused(FORM, b"--edge--\r\n", 400, "no_picture");
    refused(FORM, &form("photo", "seven.png", &seven), 400, "no_picture");
    refused(FORM, &form("picture", "seven.png", b""), 400, "empty");
    refused(
        FORM,
        b"--edge\r\nContent-Disposition: form-data; name=\"picture\"\r\n",
        400,
        "malformed_form",
    );
    refused(FORM, b"--edge\r\nno header at all\r\n\r\nx\r\n--edge--\r\n", 400, "malformed_form");
    refused(FORM, b"--edge\r\n\xff\xfe: \x00\r\n\r\nx\r\n--edge--\r\n", 400, "malformed_form");
    // Without its end, wherever it stops.
    for end in (0..good.len() - 8).step_by(61) {
        let response = predict(&server, FORM, &good[..end]);
        assert_eq!(response.status, 400, "{end} bytes: {}", response.json());
    }
    assert_works(&server);
    // Ten thousand fields before the picture.
    let field = "--edge\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\n1\r\n";
    let many = [field.repeat(10_000).as_bytes(), &good].concat();
    assert_eq!(predict(&server, FORM, &many).json()["digit"], 7);
    assert_works(&server);
}

#[test]
fn names_of_files_mean_nothing() {
    let folder = format!("{}/web-names-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    let server = Server::start(&["--keep", &folder]);
    let seven = fixture("seven.png");
    let names =
        ["../../../etc/passwd", "/etc/passwd", "..\\..\\x", "a\0b.png", "", "con", ".", "%2e%2e/x"];
    for name in names {
        let response = predict(&server, FORM, &form("picture", name, &seven));
        // A form whose header has a NUL may be refused as a whole.
        let refused = name.contains('\0') && response.status == 400;
        assert!(refused || response.json()["digit"] == 7, "{name:?}: {}", response.json());
        assert_works(&server);
    }
    for entry in std::fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let (time, rest) = name.split_at(24);
        assert!(time.ends_with('Z') && time.starts_with("20"), "{name}");
        let (number, extension) = rest[1..].split_once('.').unwrap();
        assert!(number.parse::<u32>().is_ok() && ["png", "csv"].contains(&extension), "{name}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn what_is_no_http_is_refused() {
    let server = Server::start(&[]);
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(100_000));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(1000));
    let large = format!("GET / HTTP/1.1\r\na: {}\r\n\r\n", "b".repeat(100_000));
    for bytes in [
        "\0\0\0\0\r\n\r\n",
        "hello\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET / HTTP/1.1\r\nna me: x\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}",
        &long,
        &many,
        &large,
    ] {
        let mut connection = server.connect();
        connection.send(bytes);
        connection.finish();
        let status = connection.try_response().map_or(0, |response| response.status);
        assert!(
            [0, 400, 414, 431].contains(&status),
            "{status}: {}",
            &bytes[..bytes.len().min(40)]
        );
        assert!(connection.is_closed());
        assert_works(&server);
    }
}

#[test]
fn requests_on_one_connection_are_answered_in_order() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    for name in ["seven.png", "three.jpg", "seven.png"] {
        connection.post(PREDICT, "image/png", &fixture(name));
    }
    let digits = [(); 3].map(|()| connection.response().json()["digit"].as_u64().unwrap());
    assert_eq!(digits, [7, 3, 7]);
    // After a refusal the connection goes on.
    let mut connection: Connection = server.connect();
    connection.post(PREDICT, "image/png", b"text");
    connection.post(PREDICT, "image/png", &png_of(LIMIT + 1));
    connection.post(PREDICT, "image/png", &fixture("seven.png"));
    let statuses = [(); 3].map(|()| connection.response().status);
    assert_eq!(statuses, [415, 413, 200]);
}
