//! The page of `web`, in Chromium: drawn on, given pictures, resized, and looked at.
//!
//! `cargo test --test browser -- --ignored` runs these. They need Debian's packages
//! `chromium` and `chromium-driver`, and axe-core, a checker of accessibility:
//! `.ci/page` gets all three. `SCREENSHOTS` names a folder for those of the README.
//!
//! A test fails on any warning or error in the browser's console that it did not
//! expect.
#![cfg(all(feature = "csv", feature = "image", feature = "pretrained"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "the figures are for whoever reads the log")]

mod accessibility;
mod base64;
#[path = "../command/mod.rs"]
mod command;
#[path = "../../examples/load/digits.rs"]
mod digits;
mod drawing;
mod page;
mod phone;
mod pictures;
mod pixels;
#[path = "../served/mod.rs"]
mod served;
mod webdriver;
