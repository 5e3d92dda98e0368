//! Drawing on the sheet.

use crate::digits::digits;
use crate::page::Page;

/// A tenth of a second, in milliseconds.
const AT_ONCE: f64 = 100.0;

#[test]
#[ignore = "needs Chromium"]
fn digits_are_read_while_they_are_drawn() {
    let mut page = Page::open();
    assert_eq!(page.state(), "idle");
    let mut waited = Vec::new();
    for digit in 0..10 {
        let pointer = ["mouse", "pen", "touch"][digit % 3];
        waited.push(page.draw(pointer, &digits()[digit]));
        assert_eq!(page.browser.text("#digit"), digit.to_string());
        assert_eq!(page.state(), "digit");
        let best = page.browser.text("#bars .best");
        assert!(best.starts_with(&digit.to_string()) && best.ends_with(" %"), "{best}");
        assert_eq!(page.browser.run("return document.querySelectorAll('#bars li').length"), 10);
        if digit == 9 {
            page.screenshot("page.png", true);
        }
        page.browser.click("#clear");
        page.wait_for_state("idle");
    }
    // Other programs may hold up many answers, and not all.
    waited.sort_by(f64::total_cmp);
    println!("answers after the last stroke, in milliseconds: {waited:.1?}");
    assert!(waited[2] < AT_ONCE);

    // All of them are still there, newest first, and can be looked at again.
    let captions = "[...document.querySelectorAll('#pictures li')].map((li) => li.textContent)";
    let captions = page.browser.run(&format!("return {captions}.join('')"));
    assert_eq!(captions, "9876543210");
    page.browser.click("#pictures li:nth-child(3) button");
    page.wait_for_digit("7");
    page.browser.wait_for("document.querySelectorAll('[aria-pressed=true]').length == 1");
}

#[test]
#[ignore = "needs Chromium"]
fn the_answer_follows_each_stroke_and_undo_takes_one_back() {
    let mut page = Page::open();
    // A 1; with two more strokes a 4.
    let one = vec![vec![(0.3, -0.9), (0.28, 0.0), (0.25, 0.9)]];
    page.draw("mouse", &one);
    page.wait_for_digit("1");
    let four = &digits()[4];
    page.draw("mouse", &four[..1]);
    page.wait_for_digit("4");
    page.browser.click("#undo");
    page.wait_for_digit("1");
    // As one drawing, it is one picture.
    assert_eq!(page.browser.run("return document.querySelectorAll('#pictures li').length"), 1);
    page.browser.click("#undo");
    page.wait_for_state("idle");
    page.browser.wait_for("document.getElementById('gallery').hidden");
    page.browser.wait_for("document.getElementById('undo').disabled");
}

#[test]
#[ignore = "needs Chromium"]
fn the_brush_has_a_width_and_its_strokes_are_smooth() {
    let mut page = Page::open();
    // Ink of the sheet, as a share of it.
    let ink = "const data = sheet();
        return data.filter((_, at) => at % 4 == 3 && data[at] > 127).length / data.length * 4;";
    let mut shares = Vec::new();
    for width in [6, 40] {
        page.browser.run(&format!("document.getElementById('brush').value = {width}"));
        page.draw_digit(7);
        page.wait_for_digit("7");
        shares.push(page.browser.run(ink).as_f64().unwrap());
        page.browser.click("#clear");
    }
    assert!(shares[0] > 0.01 && shares[1] > 4.0 * shares[0], "{shares:?}");
    // A tap is a dot.
    page.draw("touch", &[vec![(0.0, 0.0)]]);
    let dot = page.browser.run(ink).as_f64().unwrap();
    // The area of a circle of 40 in a square of 280.
    assert!((dot - 0.016).abs() < 0.002, "{dot}");
}

#[test]
#[ignore = "needs Chromium"]
fn what_is_no_digit_is_not_sure_and_a_blank_sheet_has_none() {
    let mut page = Page::open();
    page.browser.click("#read");
    page.wait_for_state("none");
    assert!(page.sentence().starts_with("No digit: "), "{}", page.sentence());
    page.expect_refusal(422);

    let line = |number: i32| {
        let x = f64::from(number) * 0.22 - 0.95;
        vec![(x, -0.9), (x + 0.12, 0.0), (x + 0.25, 0.9)]
    };
    let hatching: Vec<_> = (0..8).map(line).collect();
    page.draw("mouse", &hatching);
    page.wait_for_state("unsure");
    assert!(page.sentence().starts_with("Not sure: "), "{}", page.sentence());
    assert!(page.browser.text("#digit").ends_with('?'));
}

#[test]
#[ignore = "needs Chromium"]
fn a_server_that_has_gone_is_said_and_the_drawing_stays() {
    let mut page = Page::open();
    page.draw_digit(3);
    page.wait_for_digit("3");
    page.server.stop();
    page.server.ended(std::time::Duration::from_secs(20));
    page.browser.click("#read");
    page.wait_for_state("failed");
    assert!(page.sentence().contains("does not answer"), "{}", page.sentence());
    assert_eq!(page.browser.run("return document.getElementById('undo').disabled"), false);
    // On a busy machine the drawing may be asked about once more by itself.
    let console = page.browser.console();
    let is_expected = |line: &String| line.contains("ERR_CONNECTION_REFUSED");
    assert!(!console.is_empty() && console.iter().all(is_expected), "{console:?}");
}
