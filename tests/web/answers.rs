//! What is answered to what.

use std::io::Cursor;

use digit_recognizer::{DigitImage, Network, Picture, Preprocess, Strokes};
use image::{GrayImage, ImageFormat, ImageReader, Luma, imageops};

use crate::served::Server;
use crate::{FORM, PREDICT, assert_refused, blank, encoded, fixture, form, predict};

#[test]
fn the_answer_is_the_librarys() {
    let server = Server::start(&[]);
    let network = Network::pretrained();
    for (name, digit) in [("seven.png", 7), ("three.jpg", 3), ("five.png", 5)] {
        let bytes = fixture(name);
        let picture = Picture::decode(&bytes).unwrap();
        let expected = network.recognize(&picture).unwrap();
        let response = predict(&server, "image/png", &bytes).json();
        let probabilities: Vec<f32> =
            serde_json::from_value(response["probabilities"].clone()).unwrap();
        assert_eq!(probabilities, expected.probabilities(), "{name}");
        assert_eq!(response["digit"], digit, "{name}");
        assert_eq!(response["sure"], true, "{name}");
        let confidence: f32 = serde_json::from_value(response["confidence"].clone()).unwrap();
        assert_eq!(confidence, expected.confidence(), "{name}");
        assert_eq!(predict(&server, FORM, &form("picture", name, &bytes)).json(), response);
    }
}

#[test]
fn inputs_and_stages_are_the_librarys() {
    let server = Server::start(&[]);
    let path = format!("{PREDICT}?inputs=true&stages=true");
    let bytes = fixture("three.jpg");
    let answer = server.post(&path, "image/jpeg", &bytes).json();
    let picture = Picture::decode(&bytes).unwrap();
    let (stages, image) = Preprocess::default().stages(&picture);
    let inputs: Vec<f32> = serde_json::from_value(answer["inputs"].clone()).unwrap();
    assert_eq!(DigitImage::from_pixels(&inputs).unwrap(), image.unwrap());

    let answered = answer["stages"].as_array().unwrap();
    assert_eq!(answered.len(), stages.len() - 1, "all but the picture itself");
    for (answered, stage) in answered.iter().zip(&stages[1..]) {
        assert_eq!(answered["name"], stage.name);
        let size = [stage.picture.width(), stage.picture.height()];
        assert_eq!([&answered["width"], &answered["height"]], size.map(|side| side as u64));
        let png = answered["png"].as_str().unwrap();
        assert!(png.starts_with("data:image/png;base64,"), "{png}");
    }
    // As the page shows the last one, its pixels.
    let strokes = br#"{"strokes": [[[10, 10], [60, 10], [30, 90]]]}"#;
    let answer = server.post(&path, "application/json", strokes).json();
    let inputs: Vec<f32> = serde_json::from_value(answer["inputs"].clone()).unwrap();
    let drawn = Strokes::new(vec![vec![(10.0, 10.0), (60.0, 10.0), (30.0, 90.0)]]).unwrap();
    assert_eq!(inputs, drawn.draw(Strokes::PEN_WIDTH).unwrap().pixels());
    assert_eq!(answer["stages"].as_array().unwrap().len(), 0);
}

#[test]
fn a_scribble_is_not_sure() {
    let server = Server::start(&[]);
    let line = |number: u32| {
        let x = 30 * number;
        format!("[[{x},0],[{},200]]", x + 90)
    };
    let hatching: Vec<String> = (0..9).map(line).collect();
    let body = format!("{{\"strokes\":[{}]}}", hatching.join(","));
    let answer = predict(&server, "application/json", body.as_bytes()).json();
    assert_eq!(answer["sure"], false, "{answer}");
    assert!(answer["confidence"].as_f64().unwrap() < 0.9);
}

#[test]
fn every_format_is_read_whatever_it_is_called() {
    let server = Server::start(&[]);
    let seven = ImageReader::new(Cursor::new(fixture("seven.png"))).with_guessed_format().unwrap();
    let seven = seven.decode().unwrap().into_rgb8();
    for format in [ImageFormat::Bmp, ImageFormat::Gif, ImageFormat::WebP, ImageFormat::Jpeg] {
        let bytes = encoded(seven.clone(), format);
        for kind in ["image/png", "application/octet-stream", "image/x-of-its-own"] {
            assert_eq!(predict(&server, kind, &bytes).json()["digit"], 7, "{format:?} as {kind}");
        }
    }
}

#[test]
fn pictures_of_nothing_have_no_digit() {
    let server = Server::start(&[]);
    let black = encoded(GrayImage::new(30, 40), ImageFormat::Png);
    let clear = encoded(image::RgbaImage::new(30, 30), ImageFormat::Png);
    for picture in [blank(280, 280), black, clear, blank(1, 1), blank(1, 65_535)] {
        assert_refused(&server, &predict(&server, "image/png", &picture), 422, "no_ink");
    }
}

#[test]
fn a_photo_is_read_by_the_side_of_others() {
    let server = Server::start(&[]);
    let seven = ImageReader::new(Cursor::new(fixture("seven.png"))).with_guessed_format().unwrap();
    let seven = seven.decode().unwrap().into_luma8();
    let large = imageops::resize(&seven, 1600, 1600, imageops::FilterType::Triangle);
    let answer = predict(&server, "image/png", &encoded(large, ImageFormat::Png)).json();
    assert_eq!(answer["digit"], 7);
}

#[test]
fn what_is_no_picture_is_refused_with_the_reason() {
    let server = Server::start(&[]);
    let seven = fixture("seven.png");
    let refused = |kind: &str, body: &[u8], status, error| {
        assert_refused(&server, &predict(&server, kind, body), status, error);
    };
    refused("image/png", b"This is text, renamed to .png.\n", 415, "not_a_picture");
    refused("image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "not_a_picture");
    refused("image/png", &seven[..seven.len() / 2], 422, "damaged_picture");
    refused("image/png", &seven[..20], 422, "damaged_picture");
    refused("text/plain", &seven, 415, "unsupported_type");
    refused("application/x-www-form-urlencoded", b"a=b", 415, "unsupported_type");
    refused("", &seven, 415, "unsupported_type");
    refused("image/png", b"", 400, "empty");
    // 65535 x 65535 pixels in 60 bytes: what a header claims is not believed.
    let mut claim = encoded(GrayImage::from_pixel(1, 1, Luma([0])), ImageFormat::Png);
    claim[16..24].copy_from_slice(&[0, 0, 255, 255, 0, 0, 255, 255]);
    let checksum = crc32(&claim[12..29]);
    claim[29..33].copy_from_slice(&checksum.to_be_bytes());
    refused("image/png", &claim, 413, "too_many_pixels");
    let mut claim = encoded(image::RgbImage::new(1, 1), ImageFormat::Bmp);
    claim[18..26].copy_from_slice(&[255, 255, 0, 0, 255, 255, 0, 0]);
    refused("image/bmp", &claim, 413, "too_many_pixels");
}

/// The checksum of a PNG's chunk, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 }
        })
    })
}

#[test]
fn what_are_no_strokes_is_refused_with_the_reason() {
    let server = Server::start(&[]);
    let refused = |body: &str, status, error| {
        let response = predict(&server, "application/json", body.as_bytes());
        assert_refused(&server, &response, status, error);
    };
    for malformed in [
        "{",
        "[]",
        "{}",
        "null",
        r#"{"strokes": 1}"#,
        r#"{"strokes": [[[1]]]}"#,
        r#"{"strokes": [[[1, 2, 3]]]}"#,
        r#"{"strokes": [[["1", "2"]]]}"#,
        r#"{"strokes": [[[1, 2]]], "more": 1}"#,
        r#"{"strokes": [[[1, 2]]]} and more"#,
        "{\"strokes\": [[[1, \u{0}]]]}",
    ] {
        refused(malformed, 400, "malformed_json");
    }
    refused(&"[".repeat(100_000), 400, "malformed_json");
    for bad in [r#"{"strokes": []}"#, r#"{"strokes": [[]]}"#, r#"{"strokes": [[[1e39, 0]]]}"#] {
        refused(bad, 422, "bad_strokes");
    }
    let many = vec!["[1,2]"; 65_537].join(",");
    refused(&format!("{{\"strokes\": [[{many}]]}}"), 422, "bad_strokes");
    refused(&" ".repeat((2 << 20) + 1), 413, "body_too_large");
}

#[test]
fn queries_and_addresses_that_mean_nothing_are_refused() {
    let server = Server::start(&[]);
    for query in ["inputs", "inputs=1", "input=true", "stages=true&x=y", "%00=../.."] {
        let response = server.post(&format!("{PREDICT}?{query}"), "image/png", &blank(9, 9));
        assert_refused(&server, &response, 400, "unknown_parameter");
    }
    for path in ["/api/predict/", "/../Cargo.toml", "/%2e%2e/Cargo.toml", "//", "/page/index.html"]
    {
        let response = server.get(path);
        assert_eq!((response.status, &response.json()["error"]), (404, &"not_found".into()));
    }
    let mut connection = server.connect();
    connection.send("DELETE /api/predict HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let response = connection.response();
    assert_eq!((response.status, response.header("allow")), (405, "POST"));
    assert_eq!(response.json()["error"], "method_not_allowed");
}

#[test]
fn every_answer_has_the_headers_that_protect_the_page() {
    let server = Server::start(&[]);
    let page = server.get("/");
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let answers = [page, server.get("/nowhere"), predict(&server, "image/png", b"x")];
    for answer in &answers {
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
    }
}

#[test]
fn the_page_asks_nobody_else_and_has_nothing_inline() {
    let server = Server::start(&[]);
    let page = String::from_utf8(server.get("/").body).unwrap();
    assert!(!page.contains("style=") && !page.contains("<style"));
    let handler = |rest: &str| rest.trim_start_matches(char::is_alphanumeric).starts_with('=');
    assert!(!page.split(" on").skip(1).any(handler));
    assert_eq!(
        page.matches("<script").count(),
        page.matches("<script type=\"module\" src=").count()
    );
    for path in [
        "/",
        "/style.css",
        "/main.js",
        "/drawing.js",
        "/pictures.js",
        "/answer.js",
        "/network.js",
        "/gallery.js",
        "/icon.svg",
    ] {
        let file = server.get(path);
        assert_eq!(file.status, 200, "{path}");
        let text = String::from_utf8(file.body).unwrap();
        // The name of SVG is no address that is asked for.
        let text = text.replace("http://www.w3.org/2000/svg", "");
        assert!(!text.contains("http:") && !text.contains("https:"), "{path}");
    }
}
