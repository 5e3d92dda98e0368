//! The commands in `examples/`, as `cargo test` and `cargo build --examples` build
//! them.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// A command of `examples/`, run in the repository's root.
pub(crate) fn command(name: &str) -> Command {
    // This test is target/<profile>/deps/<name>-<hash>; the commands are in
    // target/<profile>/examples.
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let path = profile.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let build = "plain `cargo test` builds it, and so does `cargo build --examples`";
    assert!(path.is_file(), "{} is missing: {build}", path.display());
    // Cargo lists a command's sources beside it.
    let sources = fs::read_to_string(path.with_extension("d")).unwrap_or_default();
    let modified = |path: &Path| fs::metadata(path).and_then(|found| found.modified()).ok();
    let newer =
        sources.split_whitespace().find(|source| modified(Path::new(source)) > modified(&path));
    assert_eq!(newer, None, "{} is older than its source: {build}", path.display());
    let mut command = Command::new(path);
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    command
}
