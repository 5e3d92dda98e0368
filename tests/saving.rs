//! Saving is whole or not at all: on a full disk, and when the process is killed.
//!
//! The tests start this file again as a process of its own, which saves until it is
//! killed or cannot.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use digit_recognizer::{
    Activation, Dataset, Error, Images, Network, Result, Storage, TrainConfig, Trainer,
};

/// Tells the process what to do, and in which folder.
const FOLDER: &str = "DIGITS_TEST_SAVES_IN";

/// A file that is saved in two versions.
struct Saved {
    name: &'static str,
    save: Box<SaveFn>,
}

type SaveFn = dyn Fn(&Path, usize) -> Result<()>;

fn network(version: usize) -> Network {
    Network::new(&[64, 100, 10], Activation::Relu, version as u64).unwrap()
}

fn dataset() -> Dataset {
    let images = Images::new(8, 8, (0..64 * 4).map(|i| (i % 251) as u8).collect()).unwrap();
    Dataset::new(images, vec![0, 1, 2, 3]).unwrap()
}

/// Saves the state of a training after so many epochs.
fn save_state(path: &Path, epochs: usize) -> Result<()> {
    let dataset = dataset();
    let config = TrainConfig { epochs: 3, batch_size: 2, threads: 1, ..Default::default() };
    let mut trainer = Trainer::new(network(0), &dataset, None, &config).unwrap();
    for _ in 0..epochs {
        trainer.next_epoch().unwrap();
    }
    trainer.save(path)
}

fn all() -> Vec<Saved> {
    let saved = |name, save: fn(&Path, usize) -> Result<()>| Saved { name, save: Box::new(save) };
    vec![
        saved("whole.digits", |path, version| network(version).save(path)),
        saved("small.digits", |path, version| network(version).save_as(path, Storage::I8)),
        saved("network.safetensors", |path, version| network(version).save_safetensors(path)),
        saved("network.onnx", |path, version| network(version).save_onnx(path)),
        saved("training.state", save_state),
        #[cfg(feature = "npz")]
        saved("network.npz", |path, version| network(version).save_npz(path)),
        #[cfg(feature = "csv")]
        saved("submission.csv", |path, version| {
            digit_recognizer::kaggle::save_submission(path, &vec![version as u8; 5_000])
        }),
        #[cfg(feature = "csv")]
        saved("digit.csv", |path, version| {
            let image = [(version as u8 + 1) * 77; 784];
            digit_recognizer::DigitImage::from_bytes(&image).save_csv(path)
        }),
    ]
}

/// What the other process does: saves both versions of everything over and over,
/// or once on a full disk.
#[test]
#[ignore = "the other tests start it as a process"]
fn the_process() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    if folder.join("once").exists() {
        for Saved { name, save } in all() {
            let error = save(&folder.join(name), 1).expect_err(name);
            let Error::File { path, source } = &error else { panic!("{name}: {error:?}") };
            assert!(path.ends_with(name), "{error}");
            let is_full = matches!(&**source, Error::Io(error) if error.kind() == io::ErrorKind::FileTooLarge);
            assert!(is_full, "{name}: {error:?}");
        }
        return;
    }
    for version in [1, 0].into_iter().cycle() {
        for Saved { name, save } in all() {
            // A state has the seconds that its epochs took: each process has its own.
            if name != "training.state" {
                save(&folder.join(name), version).unwrap();
            }
        }
    }
}

/// A file, and the bytes of version 1 and 0.
type Prepared = (PathBuf, [Vec<u8>; 2]);

/// A folder with version 0 of every file, and the bytes of both.
fn prepared(test: &str) -> (PathBuf, Vec<Prepared>) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("saving").join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let files = all().into_iter().map(|Saved { name, save }| {
        let path = folder.join(name);
        let versions = [1, 0].map(|version| {
            save(&path, version).unwrap();
            fs::read(&path).unwrap()
        });
        assert_ne!(versions[0], versions[1], "{name}");
        (path, versions)
    });
    let files = files.collect();
    (folder, files)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

fn start(folder: &Path, command: &mut Command) -> Child {
    command
        .args(["the_process", "--exact", "--ignored", "--test-threads", "1"])
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// A limit on the size of a file stands for a disk that is full in the middle: a
/// write is refused after half a kilobyte.
#[test]
fn on_a_full_disk_the_old_file_stays_and_nothing_beside_it() {
    let (folder, files) = prepared("full");
    fs::write(folder.join("once"), "").unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\""]);
    shell.arg(std::env::current_exe().unwrap());
    assert!(start(&folder, &mut shell).wait().unwrap().success());
    for (path, [_, old]) in &files {
        assert!(fs::read(path).unwrap() == *old, "{}", path.display());
    }
    assert_eq!(names(&folder).len(), files.len() + 1, "{:?}", names(&folder));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_device_is_named() {
    for Saved { name, save } in all() {
        let error = save(Path::new("/dev/full"), 0).expect_err(name);
        assert!(error.to_string().starts_with("/dev/full: "), "{error}");
        let Error::File { source, .. } = error else { panic!("{name}: {error:?}") };
        let is_full =
            matches!(*source, Error::Io(error) if error.kind() == io::ErrorKind::StorageFull);
        assert!(is_full, "{name}");
    }
}

/// Kills the process at random moments of its life.
#[allow(clippy::print_stdout, reason = "the figures of a thousand kills")]
fn assert_survives(test: &str, kills: u64) {
    let (folder, files) = prepared(test);
    let (mut replaced, mut left_behind) = (0, 0);
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for kill in 0..kills {
        let mut process = start(&folder, &mut Command::new(std::env::current_exe().unwrap()));
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        std::thread::sleep(Duration::from_micros(state % 60_000));
        process.kill().unwrap();
        process.wait().unwrap();
        for (path, versions) in &files {
            let bytes = fs::read(path).unwrap();
            let version = versions.iter().position(|version| *version == bytes);
            assert!(version.is_some(), "kill {kill}: {} is broken", path.display());
            replaced += usize::from(version == Some(0));
        }
        for name in names(&folder) {
            // What a killed process did not get to rename.
            if name.starts_with('.') && name.ends_with(".tmp") {
                fs::remove_file(folder.join(name)).unwrap();
                left_behind += 1;
            }
        }
        assert_eq!(names(&folder).len(), files.len(), "kill {kill}: {:?}", names(&folder));
    }
    println!("{kills} kills: {left_behind} in the middle of a file, {replaced} new files found");
    // It was killed while it saved, and not only before.
    assert!(left_behind > 0 && replaced > 0, "{left_behind}, {replaced}");
}

#[test]
fn a_killed_process_leaves_the_old_file_or_the_new_one() {
    assert_survives("killed", 60);
}

#[test]
#[ignore = "takes half a minute"]
fn a_thousand_kills_leave_the_old_file_or_the_new_one() {
    assert_survives("killed-often", 1_000);
}
