//! The page without eyes, without a mouse, and in the eyes of axe-core.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::page::Page;

const TAB: char = '\u{e004}';
const ENTER: char = '\u{e007}';

/// Asserts that axe-core finds nothing.
fn assert_accessible(page: &mut Page, what: &str) {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/target/axe/package/axe.min.js");
    let path = std::env::var_os("AXE").map_or_else(|| default.into(), PathBuf::from);
    let axe = fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}: `.ci/page` gets it", path.display()));
    // Bars move for a moment, and colours with the scheme.
    page.browser.wait_for("document.getAnimations().length == 0");
    page.browser.run(&axe);
    let found = page.browser.run(
        "return axe.run(document, {resultTypes: ['violations']}).then(({violations}) =>
            violations.map(({id, nodes}) => [id, nodes.map((node) => [node.html, node.failureSummary])]))",
    );
    assert_eq!(found, Value::Array(Vec::new()), "{what}: {found:#}");
}

#[test]
#[ignore = "needs Chromium"]
fn axe_finds_nothing() {
    let mut page = Page::open();
    for scheme in ["light", "dark"] {
        page.prefer(scheme);
        for phone in [false, true] {
            if phone {
                page.phone()
            } else {
                page.desktop()
            }
            let what = |state: &str| format!("{scheme}, phone: {phone}, {state}");
            page.browser.click("#read");
            page.wait_for_state("none");
            page.expect_refusal(422);
            assert_accessible(&mut page, &what("none"));
            page.draw_digit(8);
            page.wait_for_digit("8");
            assert_accessible(&mut page, &what("digit"));
            page.draw_digit(1);
            page.draw_digit(0);
            page.draw_digit(4);
            page.draw_digit(2);
            page.wait_for_state("unsure");
            assert_accessible(&mut page, &what("unsure"));
            page.browser.click("#clear");
            page.wait_for_state("idle");
            assert_accessible(&mut page, &what("idle"));
        }
    }
}

#[test]
#[ignore = "needs Chromium"]
fn the_keyboard_reaches_everything_in_order() {
    let mut page = Page::open();
    page.draw_digit(6);
    page.wait_for_digit("6");
    let focus = "const focus = document.activeElement;
        return focus.id || focus.closest('[id]')?.id || focus.tagName.toLowerCase();";
    page.browser.run("document.activeElement.blur()");
    let mut reached = Vec::new();
    for _ in 0..9 {
        page.browser.press(TAB);
        reached.push(page.browser.run(focus).as_str().unwrap().to_owned());
    }
    let expected = ["brush", "undo", "clear", "file", "read", "csv", "png", "pictures", "a"];
    assert_eq!(reached, expected);
    // What has the focus is seen to have it.
    page.browser.run("document.getElementById('brush').focus()");
    page.browser.press(TAB);
    let outline = "return parseFloat(getComputedStyle(document.activeElement).outlineWidth) >= 2";
    assert_eq!(page.browser.run(outline), true);
    page.browser.press(ENTER);
    page.wait_for_state("idle");
}

#[test]
#[ignore = "needs Chromium"]
fn the_answer_is_announced_when_it_has_settled() {
    let mut page = Page::open();
    page.draw_digit(9);
    page.wait_for_digit("9");
    let sentence = page.sentence();
    page.browser.wait_for("document.getElementById('live').textContent.startsWith('Read as 9')");
    assert_eq!(page.browser.text("#live"), sentence);
    let role = "return document.getElementById('live').getAttribute('role')";
    assert_eq!(page.browser.run(role), "status");
}
