//! The commands in `examples/`, as a user runs them: what they print, what they
//! write, and how they end.
//!
//! Run these with plain `cargo test`: it builds the commands, which
//! `cargo test --test examples` alone does not.
#![cfg(all(
    feature = "csv",
    feature = "gzip",
    feature = "image",
    feature = "npz",
    feature = "pretrained"
))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../command/mod.rs"]
mod command;
mod convert;
mod evaluate;
mod recognize;
mod submit;
mod train;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use command::command;

/// How a command ended.
struct Run {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let status = output.status.code();
        let run = Self { status, stdout: text(output.stdout), stderr: text(output.stderr) };
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
        run
    }
}

/// Runs a command to its end.
fn run(command: &mut Command) -> Run {
    command.output().unwrap().into()
}

/// What a command that does all it was asked to writes to stdout.
fn stdout(command: &mut Command) -> String {
    let run = run(command);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    run.stdout
}

/// The one sentence with which a command refuses; it has these parts.
///
/// The exit status is 1 of the command itself, or 2 where the arguments' parser
/// refuses, which adds how to call the command.
fn assert_refused(command: &mut Command, status: i32, parts: &[&str]) {
    let run = run(command);
    assert_eq!(run.status, Some(status), "{command:?}: {}", run.stderr);
    assert_eq!(run.stdout, "", "{command:?}");
    let errors: Vec<_> = run.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{command:?}: {}", run.stderr);
    for part in parts {
        assert!(errors[0].contains(part), "{command:?}: {part:?} not in {}", errors[0]);
    }
}

/// A folder of its own for a test; gone when it goes out of scope.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("examples-{name}-{}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The names in it, sorted.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn help_says_what_each_command_does() {
    for (name, purpose) in [
        ("convert", "Converts between file formats"),
        ("evaluate", "Measures how many digits a network gets right"),
        ("recognize", "Says which digit each picture shows"),
        ("submit", "Answers the test.csv of Kaggle's Digit Recognizer"),
        ("load", "Measures the server of the example `web`"),
        ("web", "Serves a page on which digits are drawn"),
        ("train", "Trains a network and writes it to a file"),
    ] {
        let help = stdout(command(name).arg("--help"));
        assert!(help.starts_with(purpose), "{help}");
        assert!(help.contains(&format!("cargo run --release --example {name} -- ")), "{help}");
    }
}
