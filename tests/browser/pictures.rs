//! Pictures from files, dropped and pasted.

use std::fs;
use std::io::Cursor;

use image::imageops::{FilterType, resize};
use image::{ImageFormat, Rgb, RgbImage};

use crate::page::{File, Page};

fn fixture(name: &str) -> String {
    format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// JavaScript that makes a file.
fn file_in_page(name: &str, bytes: &[u8]) -> String {
    format!("new File([new Uint8Array({bytes:?})], '{name}', {{type: 'image/png'}})")
}

#[test]
#[ignore = "needs Chromium"]
fn files_are_read() {
    let mut page = Page::open();
    for (name, digit) in [("seven.png", "7"), ("three.jpg", "3"), ("five.png", "5")] {
        page.browser.type_into("#file", &fixture(name));
        page.wait_for_digit(digit);
        page.wait_for_state("digit");
        page.browser.wait_for("!document.getElementById('shown').hidden");
        page.browser.wait_for("document.querySelectorAll('#stages img').length > 5");
    }
    // Drawing begins a new sheet.
    page.draw_digit(2);
    page.wait_for_digit("2");
    page.browser.wait_for("document.getElementById('shown').hidden");
    assert_eq!(page.browser.run("return document.querySelectorAll('#pictures li').length"), 4);
}

#[test]
#[ignore = "needs Chromium"]
fn dropped_and_pasted_pictures_are_read() {
    let mut page = Page::open();
    let seven = file_in_page("seven.png", &fs::read(fixture("seven.png")).unwrap());
    let three = file_in_page("three.jpg", &fs::read(fixture("three.jpg")).unwrap());
    page.browser.run(&format!(
        "const dataTransfer = new DataTransfer();
        dataTransfer.items.add({seven});
        const sheet = document.getElementById('sheet');
        sheet.dispatchEvent(new DragEvent('dragover', {{dataTransfer, bubbles: true}}));
        sheet.dispatchEvent(new DragEvent('drop', {{dataTransfer, bubbles: true}}));"
    ));
    page.wait_for_digit("7");
    page.browser.run(&format!(
        "const clipboardData = new DataTransfer();
        clipboardData.items.add({three});
        document.dispatchEvent(new ClipboardEvent('paste', {{clipboardData, bubbles: true}}));"
    ));
    page.wait_for_digit("3");
}

#[test]
#[ignore = "needs Chromium"]
fn a_photo_that_is_larger_than_the_server_takes_is_made_smaller() {
    let mut page = Page::open();
    let seven = image::open(fixture("seven.png")).unwrap().into_rgb8();
    let seven = resize(&seven, 2000, 2000, FilterType::Triangle);
    let mut photo = RgbImage::from_pixel(2600, 2100, Rgb([255; 3]));
    image::imageops::overlay(&mut photo, &seven, 300, 50);
    let mut bytes = Cursor::new(Vec::new());
    photo.write_to(&mut bytes, ImageFormat::Bmp).unwrap();
    assert!(bytes.get_ref().len() > 8 << 20);
    let file = File::new("photo.bmp", bytes.get_ref());
    page.browser.type_into("#file", file.0.to_str().unwrap());
    page.wait_for_digit("7");
}

#[test]
#[ignore = "needs Chromium"]
fn what_is_no_picture_is_refused_in_a_sentence() {
    let mut page = Page::open();
    let text = "Not a picture.\n";
    page.browser.run(&format!(
        "const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([{text:?}], 'digit.txt', {{type: 'text/plain'}}));
        const sheet = document.getElementById('sheet');
        sheet.dispatchEvent(new DragEvent('drop', {{dataTransfer, bubbles: true}}));"
    ));
    page.wait_for_state("failed");
    assert!(page.sentence().contains("is not a picture"), "{}", page.sentence());
    page.expect_refusal(415);

    // A picture that breaks off, one with nothing in it, an empty file.
    let seven = fs::read(fixture("seven.png")).unwrap();
    let broken = File::new("broken.png", &seven[..seven.len() / 2]);
    page.browser.type_into("#file", broken.0.to_str().unwrap());
    page.browser
        .wait_for("document.getElementById('sentence').textContent.includes('cannot be read')");
    page.expect_refusal(422);
    let mut blank = Cursor::new(Vec::new());
    RgbImage::from_pixel(50, 50, Rgb([200; 3])).write_to(&mut blank, ImageFormat::Jpeg).unwrap();
    let blank = File::new("blank.jpg", blank.get_ref());
    page.browser.type_into("#file", blank.0.to_str().unwrap());
    page.wait_for_state("none");
    page.expect_refusal(422);
    let empty = File::new("empty.png", b"");
    page.browser.type_into("#file", empty.0.to_str().unwrap());
    page.wait_for_state("failed");
    page.expect_refusal(400);

    // What the server would refuse for its size is not sent.
    let large = File::new("large.bin", &vec![7; (8 << 20) + 1]);
    page.browser.type_into("#file", large.0.to_str().unwrap());
    page.browser.wait_for("document.getElementById('sentence').textContent.includes('too large')");
    // The next picture works.
    page.browser.type_into("#file", &fixture("seven.png"));
    page.wait_for_digit("7");
}
