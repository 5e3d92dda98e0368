//! A browser, driven by the W3C's WebDriver protocol: JSON over HTTP.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::served::Connection;

/// How the protocol names a reference to an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Chromium without a window; it ends when this goes out of scope.
pub(crate) struct Browser {
    driver: Child,
    connection: Connection,
    session: String,
}

impl Browser {
    pub(crate) fn start() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .spawn()
            .expect("chromedriver: Debian has it in the package chromium-driver");
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port: u16 = lines
            .find_map(|line| {
                line.strip_prefix("ChromeDriver was started successfully on port ")?
                    .trim_end_matches('.')
                    .parse()
                    .ok()
            })
            .expect("chromedriver's port");
        thread::spawn(move || lines.for_each(drop));
        let connection = Connection::to(([127, 0, 0, 1], port).into());
        let mut browser = Self { driver, connection, session: String::new() };
        // Who is root, as in a container, has no sandbox.
        let arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"];
        let session = browser.post(
            "/session",
            &json!({"capabilities": {"alwaysMatch": {
                "goog:chromeOptions": {"args": arguments},
                "goog:loggingPrefs": {"browser": "ALL"},
            }}}),
        );
        browser.session = format!("/session/{}", session["sessionId"].as_str().unwrap());
        browser
    }

    fn post(&mut self, path: &str, body: &Value) -> Value {
        self.connection.post(path, "application/json", body.to_string().as_bytes());
        let response = self.connection.response();
        let value = response.json()["value"].take();
        assert_eq!(response.status, 200, "{path} {body}: {value}");
        value
    }

    fn command(&mut self, path: &str, body: &Value) -> Value {
        self.post(&format!("{}/{path}", self.session), body)
    }

    pub(crate) fn open(&mut self, address: &str) {
        self.command("url", &json!({"url": address}));
    }

    /// Runs JavaScript, and gives what it returns; a promise's value.
    pub(crate) fn run(&mut self, script: &str) -> Value {
        self.command("execute/sync", &json!({"script": script, "args": []}))
    }

    /// Waits until an expression is true.
    pub(crate) fn wait_for(&mut self, expression: &str) {
        let start = Instant::now();
        while self.run(&format!("return Boolean({expression})")) != json!(true) {
            if start.elapsed() > Duration::from_secs(10) {
                let text = self.run("return document.body.innerText");
                panic!("{expression} did not become true: {}", text.as_str().unwrap_or_default());
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn text(&mut self, selector: &str) -> String {
        let text = self.run(&format!("return document.querySelector('{selector}').textContent"));
        text.as_str().unwrap().to_owned()
    }

    fn element(&mut self, selector: &str) -> Value {
        self.command("element", &json!({"using": "css selector", "value": selector}))
    }

    fn element_command(&mut self, selector: &str, name: &str, body: &Value) {
        let element = self.element(selector);
        self.command(&format!("element/{}/{name}", element[ELEMENT].as_str().unwrap()), body);
    }

    pub(crate) fn click(&mut self, selector: &str) {
        self.element_command(selector, "click", &json!({}));
    }

    /// Types, or names the file for a file input.
    pub(crate) fn type_into(&mut self, selector: &str, text: &str) {
        self.element_command(selector, "value", &json!({"text": text}));
    }

    /// Presses and releases a key, wherever the focus is.
    pub(crate) fn press(&mut self, key: char) {
        self.command(
            "actions",
            &json!({"actions": [{"type": "key", "id": "keys", "actions": [
                {"type": "keyDown", "value": key}, {"type": "keyUp", "value": key},
            ]}]}),
        );
    }

    /// Moves a pointer, which is down from the first point of each stroke to the last.
    /// Points are from the middle of the element, in the page's pixels.
    pub(crate) fn draw(&mut self, selector: &str, pointer: &str, strokes: &[Vec<(f64, f64)>]) {
        let element = self.element(selector);
        let mut actions = Vec::new();
        for stroke in strokes {
            for (index, &(x, y)) in stroke.iter().enumerate() {
                actions.push(json!({
                    "type": "pointerMove", "duration": 8, "origin": element,
                    "x": x.round(), "y": y.round(),
                }));
                if index == 0 {
                    actions.push(json!({"type": "pointerDown", "button": 0}));
                }
            }
            actions.push(json!({"type": "pointerUp", "button": 0}));
        }
        self.command(
            "actions",
            &json!({"actions": [{
                "type": "pointer", "id": pointer, "parameters": {"pointerType": pointer},
                "actions": actions,
            }]}),
        );
    }

    /// A command of the Chrome DevTools Protocol.
    pub(crate) fn devtools(&mut self, name: &str, parameters: Value) {
        self.command("goog/cdp/execute", &json!({"cmd": name, "params": parameters}));
    }

    /// The messages of warnings and errors in the console since this was last asked.
    pub(crate) fn console(&mut self) -> Vec<String> {
        let entries = self.command("se/log", &json!({"type": "browser"}));
        let entries = entries.as_array().unwrap().iter();
        let serious = entries.filter(|entry| entry["level"] != "INFO" && entry["level"] != "DEBUG");
        serious.map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }

    /// What is seen, or with `whole` the whole page, as the base 64 of a PNG.
    pub(crate) fn screenshot(&mut self, whole: bool) -> String {
        let parameters = json!({"format": "png", "captureBeyondViewport": whole});
        let body = json!({"cmd": "Page.captureScreenshot", "params": parameters});
        let picture = self.command("goog/cdp/execute", &body);
        picture["data"].as_str().unwrap().to_owned()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends the browser when it is told to quit, and not when it is killed.
        let path = self.session.clone();
        self.connection.send(format!("DELETE {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        let _ = self.connection.try_response();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
