//! Distorted images for training, through the public door.

use digit_recognizer::{Augmentation, Dataset, Error, Images};

/// Thirty images of a ring, three of each digit by their labels.
fn rings() -> Dataset {
    let ink = |at: usize| {
        let (x, y) = ((at % 28) as f32 - 13.5, (at / 28 % 28) as f32 - 13.5);
        (255.0 * (3.0 - ((x * x + y * y).sqrt() - 7.0).abs()).clamp(0.0, 1.0)) as u8
    };
    let images = Images::new(28, 28, (0..30 * 784).map(ink).collect()).expect("30 images");
    Dataset::new(images, (0..30).map(|i| i % 10).collect()).expect("30 labels")
}

fn everything() -> Augmentation {
    Augmentation { shift: 1.0, stroke: 0.5, ..Augmentation::default() }
}

fn ink(pixels: &[u8]) -> f64 {
    pixels.iter().map(|&pixel| f64::from(pixel)).sum()
}

/// FNV-1a, 64 bits: <http://www.isthe.com/chongo/tech/comp/fnv/>.
fn hash(bytes: &[u8]) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325;
    bytes.iter().fold(start, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn without_distortion_images_stay_as_they_are() {
    let dataset = rings();
    assert_eq!(Augmentation::NONE.apply(&dataset, 42, 1).expect("valid"), dataset);
}

#[test]
fn seed_and_epoch_decide_the_images() {
    let dataset = rings();
    let images = |seed, epoch| everything().apply(&dataset, seed, epoch).expect("valid");
    assert_eq!(images(1, 1), images(1, 1));
    assert_ne!(images(1, 1), images(2, 1));
    assert_ne!(images(1, 1), images(1, 2));
    assert_eq!(images(1, 1).labels(), dataset.labels());
    // Every image has its own draw, wherever it stands: the ring of each label.
    let one = images(1, 1);
    for i in 0..30 {
        for j in 0..i {
            assert_ne!(one.images().image(i), one.images().image(j), "{i} and {j}");
        }
    }
}

/// The hash of distorted images. It was computed on x86-64 with AVX-512; every
/// machine must find it again.
const REFERENCE: u64 = 0x6f9c_2cdb_2a5f_b2a2;

#[test]
fn every_machine_draws_the_same_images() {
    let images = everything().apply(&rings(), 42, 1).expect("valid");
    assert_eq!(hash(images.images().pixels()), REFERENCE, "{:#x}", hash(images.images().pixels()));
}

#[test]
fn each_setting_changes_the_images() {
    let dataset = rings();
    let none = Augmentation::NONE;
    for augmentation in [
        Augmentation { rotation: 15.0, ..none },
        Augmentation { shear: 15.0, ..none },
        Augmentation { scaling: 0.2, ..none },
        Augmentation { shift: 2.0, ..none },
        Augmentation { alpha: 34.0, sigma: 4.0, ..none },
        Augmentation { stroke: 0.5, ..none },
    ] {
        let changed = augmentation.apply(&dataset, 1, 1).expect("valid");
        assert_ne!(changed, dataset, "{augmentation:?}");
        // And leaves a ring of about as much ink.
        for index in 0..30 {
            let share = ink(changed.images().image(index)) / ink(dataset.images().image(index));
            assert!((0.5..1.5).contains(&share), "{augmentation:?}: {share}");
        }
    }
}

#[test]
fn blank_images_stay_blank_at_any_size() {
    for (rows, cols) in [(1, 1), (1, 40), (40, 1), (28, 28), (100, 65)] {
        let images = Images::new(rows, cols, vec![0; 2 * rows * cols]).expect("two images");
        let dataset = Dataset::new(images, vec![0, 1]).expect("two labels");
        assert_eq!(everything().apply(&dataset, 1, 1).expect("valid"), dataset);
    }
}

#[test]
fn no_images_are_no_images() {
    let dataset = rings().slice(0..0);
    assert_eq!(everything().apply(&dataset, 1, 1).expect("valid"), dataset);
}

#[test]
fn settings_out_of_their_range_are_refused() {
    type With = fn(f32) -> Augmentation;
    let settings: [(&str, With, [f32; 2]); 7] = [
        ("rotation", |x| Augmentation { rotation: x, ..everything() }, [0.0, 45.0]),
        ("shear", |x| Augmentation { shear: x, ..everything() }, [0.0, 45.0]),
        ("scaling", |x| Augmentation { scaling: x, ..everything() }, [0.0, 0.5]),
        ("shift", |x| Augmentation { shift: x, ..everything() }, [0.0, 1000.0]),
        ("alpha", |x| Augmentation { alpha: x, ..everything() }, [0.0, 1000.0]),
        ("sigma", |x| Augmentation { sigma: x, ..everything() }, [0.5, 50.0]),
        ("stroke", |x| Augmentation { stroke: x, ..everything() }, [0.0, 1.0]),
    ];
    for (name, with, [low, high]) in settings {
        let dataset = rings().slice(0..1);
        for value in [low, high] {
            assert!(with(value).check().is_ok(), "{name} {value}");
            assert!(with(value).apply(&dataset, 1, 1).is_ok(), "{name} {value}");
        }
        for value in [low - 0.01, high * 1.01, f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for result in [with(value).check(), with(value).apply(&dataset, 1, 1).map(|_| ())] {
                match result {
                    Err(Error::InvalidConfig { field, found, .. }) => {
                        assert_eq!((field, found), (name, value.to_string()));
                    }
                    other => panic!("{name} {value}: {other:?}"),
                }
            }
        }
    }
    assert!(Augmentation::default().check().is_ok() && Augmentation::NONE.check().is_ok());
}
