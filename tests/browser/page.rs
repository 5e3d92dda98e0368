//! The page, open in a browser.

use std::fs;
use std::path::PathBuf;
use std::thread;

use serde_json::{Value, json};

use crate::base64;
use crate::digits::{Point, digits};
use crate::served::Server;
use crate::webdriver::Browser;

/// Notes when an answer to the whole drawing is on the page.
const OBSERVE: &str = "
    let up = 0, asked = false, answered = false;
    addEventListener('pointerdown', () => { up = 0; asked = answered = window.waited = false; }, true);
    addEventListener('pointerup', () => { up = performance.now(); }, true);
    const {fetch} = window;
    window.fetch = async (...request) => {
        const isWhole = up && !asked;
        asked ||= isWhole;
        const response = await fetch(...request);
        answered ||= isWhole;
        return response;
    };
    const note = () => { if (answered) window.waited ||= performance.now() - up; };
    new MutationObserver(note).observe(document.getElementById('digit'), {childList: true});";

/// The sheet's pixels, of a copy: one that is read often would be drawn more slowly.
const SHEET: &str = "
    window.sheet = () => {
        const {width, height} = document.getElementById('canvas');
        const context = new OffscreenCanvas(width, height).getContext('2d', {willReadFrequently: true});
        context.drawImage(document.getElementById('canvas'), 0, 0);
        return context.getImageData(0, 0, width, height).data;
    };";

pub(crate) struct Page {
    pub(crate) server: Server,
    pub(crate) browser: Browser,
}

impl Page {
    /// The page on a desktop, in light.
    pub(crate) fn open() -> Self {
        let (server, browser) = (Server::start(&[]), Browser::start());
        let mut page = Self { server, browser };
        page.desktop();
        page.browser.open(&format!("http://{}/", page.server.address));
        page.browser.wait_for("document.readyState == 'complete'");
        page.browser.run(OBSERVE);
        page.browser.run(SHEET);
        page
    }

    pub(crate) fn desktop(&mut self) {
        self.resize(json!({"width": 1180, "height": 900, "deviceScaleFactor": 1, "mobile": false}));
    }

    pub(crate) fn phone(&mut self) {
        self.resize(json!({"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true}));
        let touch = json!({"enabled": true, "maxTouchPoints": 5});
        self.browser.devtools("Emulation.setTouchEmulationEnabled", touch);
    }

    fn resize(&mut self, metrics: Value) {
        self.browser.devtools("Emulation.setDeviceMetricsOverride", metrics);
    }

    /// As somebody has it who prefers `light` or `dark`.
    pub(crate) fn prefer(&mut self, scheme: &str) {
        let feature = json!({"name": "prefers-color-scheme", "value": scheme});
        self.browser.devtools("Emulation.setEmulatedMedia", json!({"features": [feature]}));
    }

    /// Draws strokes, whose points are from -1 to 1, and waits for the answer. Returns
    /// how long after the last stroke that came, in milliseconds.
    pub(crate) fn draw(&mut self, pointer: &str, strokes: &[Vec<Point>]) -> f64 {
        let sheet = "document.getElementById('canvas').clientWidth";
        let scale = 0.42 * self.browser.run(&format!("return {sheet}")).as_f64().unwrap();
        let place = |&(x, y): &Point| (scale * x, scale * y);
        let strokes: Vec<Vec<Point>> =
            strokes.iter().map(|stroke| stroke.iter().map(place).collect()).collect();
        self.browser.draw("#canvas", pointer, &strokes);
        self.browser.wait_for("window.waited");
        self.browser.run("return window.waited").as_f64().unwrap()
    }

    pub(crate) fn draw_digit(&mut self, digit: usize) -> f64 {
        self.draw("mouse", &digits()[digit])
    }

    /// What the answer is: `idle`, `digit`, `unsure`, `none` or `failed`.
    pub(crate) fn state(&mut self) -> String {
        let state = self.browser.run("return document.getElementById('answer').dataset.state");
        state.as_str().unwrap().to_owned()
    }

    pub(crate) fn wait_for_state(&mut self, state: &str) {
        self.browser
            .wait_for(&format!("document.getElementById('answer').dataset.state == '{state}'"));
    }

    /// Waits until the large digit is this.
    pub(crate) fn wait_for_digit(&mut self, digit: &str) {
        self.browser
            .wait_for(&format!("document.getElementById('digit').textContent == '{digit}'"));
    }

    pub(crate) fn sentence(&mut self) -> String {
        self.browser.text("#sentence")
    }

    /// Takes the one message with which the browser notes a refusal from its console.
    pub(crate) fn expect_refusal(&mut self, status: u16) {
        let console = self.browser.console();
        let [message] = &console[..] else { panic!("{console:?}") };
        let expected = format!("the server responded with a status of {status}");
        assert!(message.contains("/api/predict") && message.contains(&expected), "{message}");
    }

    /// Writes what is seen to the folder that `SCREENSHOTS` names, if it does.
    pub(crate) fn screenshot(&mut self, name: &str, whole: bool) {
        if let Some(folder) = std::env::var_os("SCREENSHOTS") {
            let picture = base64::decode(&self.browser.screenshot(whole));
            fs::write(PathBuf::from(folder).join(name), picture).unwrap();
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        if !thread::panicking() {
            let console = self.browser.console();
            assert!(console.is_empty(), "{console:?}");
        }
    }
}

/// A file with this content, for the page to be given.
pub(crate) struct File(pub(crate) PathBuf);

impl File {
    pub(crate) fn new(name: &str, content: &[u8]) -> Self {
        let name = format!("{}-{name}", std::process::id());
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::write(&path, content).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
