//! What the network saw.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use digit_recognizer::{DigitImage, Picture, preprocess};
use serde_json::json;

use crate::page::Page;

/// The file of this name, as soon as the browser has written it.
fn downloaded(path: &Path) -> Vec<u8> {
    let start = Instant::now();
    loop {
        match fs::read(path) {
            Ok(bytes) if !bytes.is_empty() => return bytes,
            _ => assert!(start.elapsed() < Duration::from_secs(10), "{}", path.display()),
        }
        sleep(Duration::from_millis(20));
    }
}

#[test]
#[ignore = "needs Chromium"]
fn the_inputs_are_shown_and_can_be_had_as_csv_and_png() {
    let mut page = Page::open();
    let name = format!("browser-downloads-{}", std::process::id());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    let allow = json!({"behavior": "allow", "downloadPath": folder});
    page.browser.devtools("Browser.setDownloadBehavior", allow);

    let seven = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/seven.png");
    page.browser.type_into("#file", seven);
    page.wait_for_digit("7");
    page.browser.click("#csv");
    page.browser.click("#png");
    let expected = preprocess(&Picture::open(seven).unwrap()).unwrap();
    let csv = downloaded(&folder.join("input.csv"));
    assert_eq!(DigitImage::read_csv(csv.as_slice()).unwrap(), expected);
    let png = Picture::decode(&downloaded(&folder.join("input.png"))).unwrap();
    assert_eq!((png.width(), png.height()), (28, 28));
    for (pixel, ink) in png.rgba8().chunks(4).zip(expected.pixels()) {
        let gray = (255.0 * (1.0 - f64::from(*ink))).round() as u8;
        assert_eq!(pixel, [gray, gray, gray, 255]);
    }
    // What is shown is that picture, in large pixels.
    let size = "const box = document.getElementById('input').getBoundingClientRect();
        return Math.min(box.width, box.height) >= 5 * 28";
    assert_eq!(page.browser.run(size), true);
    let names = "return [...document.querySelectorAll('#stages b')].map((b) => b.textContent)";
    let names = page.browser.run(names);
    let names = names.as_array().unwrap();
    assert!(names.first() == Some(&json!("reduced")) && names.last() == Some(&json!("centred")));
    // Each has a word about what it is.
    let captions = "return [...document.querySelectorAll('#stages figcaption')]
        .every((caption) => caption.lastChild.nodeType == Node.TEXT_NODE)";
    assert_eq!(page.browser.run(captions), true, "{names:?}");
    fs::remove_dir_all(&folder).unwrap();
}
