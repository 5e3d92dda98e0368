//! The page of `web`, in Chromium.
#![cfg(all(feature = "csv", feature = "image", feature = "pretrained"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod base64;
#[path = "../command/mod.rs"]
mod command;
#[path = "../../examples/load/digits.rs"]
mod digits;
#[path = "../served/mod.rs"]
mod served;
mod webdriver;

use digits::digits;
use served::Server;
use webdriver::Browser;

#[test]
#[ignore = "tryout"]
fn tryout() {
    let server = Server::start(&[]);
    let mut b = Browser::start();
    let shot = |b: &mut Browser, name: &str, whole: bool| {
        std::fs::write(
            format!("/tmp/scratch-web/{name}.png"),
            base64::decode(&b.screenshot(whole)),
        )
        .unwrap();
    };
    b.devtools(
        "Emulation.setDeviceMetricsOverride",
        serde_json::json!({"width": 1180, "height": 800, "deviceScaleFactor": 1, "mobile": false}),
    );
    b.open(&format!("http://{}/", server.address));
    b.wait_for("document.readyState == 'complete'");
    shot(&mut b, "idle", false);
    for (d, strokes) in digits().iter().enumerate() {
        let strokes: Vec<Vec<_>> = strokes
            .iter()
            .map(|s| s.iter().map(|&(x, y)| (x * 130.0, y * 130.0)).collect())
            .collect();
        b.draw("#canvas", "pen", &strokes);
        std::thread::sleep(std::time::Duration::from_millis(150));
        println!("{d}: {} {}", b.text("#digit"), b.text("#sentence"));
        if d < 9 {
            b.click("#clear");
        }
    }
    shot(&mut b, "light", true);
    b.devtools(
        "Emulation.setEmulatedMedia",
        serde_json::json!({"features": [{"name": "prefers-color-scheme", "value": "dark"}]}),
    );
    std::thread::sleep(std::time::Duration::from_millis(300));
    shot(&mut b, "dark", true);
    b.devtools(
        "Emulation.setDeviceMetricsOverride",
        serde_json::json!({"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true}),
    );
    b.devtools("Emulation.setTouchEmulationEnabled", serde_json::json!({"enabled": true}));
    std::thread::sleep(std::time::Duration::from_millis(300));
    shot(&mut b, "phone-dark", false);
    shot(&mut b, "phone-dark-whole", true);
    b.devtools(
        "Emulation.setEmulatedMedia",
        serde_json::json!({"features": [{"name": "prefers-color-scheme", "value": "light"}]}),
    );
    b.run("document.getElementById('seen').scrollIntoView()");
    std::thread::sleep(std::time::Duration::from_millis(300));
    shot(&mut b, "phone-light", false);
    println!("{:?}", b.console());
    println!("{:#?}", server.log().last());
}
