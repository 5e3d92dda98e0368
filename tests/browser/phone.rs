//! The page on a phone, and in the dark.

use crate::digits::digits;
use crate::page::Page;

#[test]
#[ignore = "needs Chromium"]
fn a_phone_shows_sheet_and_answer_at_once() {
    let mut page = Page::open();
    page.phone();
    page.draw("touch", &digits()[3]);
    page.wait_for_digit("3");
    let fits = "return document.documentElement.scrollWidth <= innerWidth";
    assert_eq!(page.browser.run(fits), true);
    // Drawing has not moved the page, and the answer is in sight.
    assert_eq!(page.browser.run("return scrollY"), 0);
    let seen =
        "return document.getElementById('sentence').getBoundingClientRect().bottom < innerHeight";
    assert_eq!(page.browser.run(seen), true);
    // A camera is offered where there is a finger.
    let camera = "return document.querySelector('label.camera').getBoundingClientRect().height";
    assert!(page.browser.run(camera).as_f64().unwrap() >= 44.0);
    let targets = "return [...document.querySelectorAll('button, .button')]
        .map((each) => each.getBoundingClientRect().height).filter((height) => height > 0 && height < 44)";
    assert_eq!(page.browser.run(targets).as_array().unwrap().len(), 0);
    page.prefer("dark");
    page.screenshot("page-phone.png", false);
}

#[test]
#[ignore = "needs Chromium"]
fn a_drawing_survives_a_window_that_changes() {
    let mut page = Page::open();
    page.draw_digit(5);
    page.wait_for_digit("5");
    // The red of the first pixel with ink.
    let ink = "(() => {
        const data = sheet();
        return data[data.findIndex((value, at) => at % 4 == 3 && value > 250) - 3];
    })()";
    page.browser.wait_for(&format!("{ink} < 60"));
    page.phone();
    page.browser.wait_for("document.getElementById('canvas').clientWidth < 350");
    page.prefer("dark");
    page.browser.wait_for("matchMedia('(prefers-color-scheme: dark)').matches");
    page.browser.wait_for(&format!("{ink} > 200"));
    // The picture that is read is the same in any light.
    page.browser.click("#read");
    page.wait_for_digit("5");
    page.prefer("light");
    page.desktop();
    page.browser.wait_for("document.getElementById('canvas').clientWidth > 350");
    assert_eq!(page.browser.text("#digit"), "5");
}
