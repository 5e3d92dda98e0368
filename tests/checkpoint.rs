//! A training that is interrupted goes on, and ends with the same bytes.

use std::ops::ControlFlow;

use digit_recognizer::{
    Activation, Augmentation, Dataset, Error, Images, Network, Optimizer, TrainConfig, Trainer,
};

/// `count` images of 6×6 pixels whose class is the brightest third.
fn thirds(count: usize, mut state: u64) -> Dataset {
    let mut random = |bound: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % bound
    };
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let class = random(3);
        pixels.extend((0..36).map(|i| (random(120) + if i / 12 == class { 60 } else { 0 }) as u8));
        labels.push(class as u8);
    }
    Dataset::new(Images::new(6, 6, pixels).expect("whole images"), labels).expect("labels")
}

fn start() -> Network {
    Network::new(&[36, 20, 15, 3], Activation::Relu, 3).expect("sizes")
}

/// Everything that a state could forget.
fn config() -> TrainConfig {
    TrainConfig {
        epochs: 8,
        batch_size: 16,
        optimizer: Optimizer::ADAM,
        learning_rate: 0.01,
        warm_up: 0.2,
        weight_decay: 0.1,
        clip_norm: Some(0.5),
        label_smoothing: 0.1,
        dropout: 0.2,
        augmentation: Some(Augmentation { shift: 1.0, ..Augmentation::default() }),
        averaged_epochs: 3,
        threads: 2,
        ..Default::default()
    }
}

fn configs() -> [TrainConfig; 3] {
    let optimizer = Optimizer::Sgd { momentum: 0.9 };
    // It stops before its last epoch: the pixels say all, so the accuracy does not rise for long.
    let stopped = TrainConfig { patience: Some(2), averaged_epochs: 0, epochs: 30, ..config() };
    [config(), TrainConfig { optimizer, ..config() }, stopped]
}

fn bytes(network: &Network) -> Vec<u8> {
    let mut file = Vec::new();
    network.write(&mut file).expect("a vector takes everything");
    file
}

fn state(trainer: &Trainer<'_>) -> Vec<u8> {
    let mut file = Vec::new();
    trainer.write(&mut file).expect("a vector takes everything");
    file
}

#[test]
fn a_training_that_goes_on_ends_with_the_same_bytes() {
    let (training, validation) = (thirds(100, 1), thirds(50, 2));
    for config in configs() {
        let mut whole = start();
        let history = whole
            .train(&training, Some(&validation), &config, |_| ControlFlow::Continue(()))
            .expect("training");

        // Killed after each epoch: all that is left is the file.
        let new =
            || Trainer::new(start(), &training, Some(&validation), &config).expect("settings");
        let mut file = state(&new());
        let mut epochs = Vec::new();
        loop {
            // The number of threads may change.
            let other = TrainConfig { threads: 1 + epochs.len() % 3, ..config };
            let mut trainer =
                Trainer::new(start(), &training, Some(&validation), &other).expect("settings");
            trainer.read(file.as_slice()).expect("our own state");
            assert_eq!(trainer.history().len(), epochs.len());
            let Some(epoch) = trainer.next_epoch().expect("an epoch") else {
                assert_eq!(bytes(trainer.network()), bytes(&whole));
                break;
            };
            epochs.push(epoch);
            file = state(&trainer);
        }
        for (found, expected) in epochs.iter().zip(&history) {
            assert_eq!(found.loss.to_bits(), expected.loss.to_bits());
            assert_eq!(found.validation_accuracy, expected.validation_accuracy);
        }
        assert_eq!(epochs.len(), history.len());
        assert_eq!(config.patience.is_some(), history.len() < config.epochs, "{}", history.len());
    }
}

#[test]
fn early_stopping_gives_the_best_network() {
    let (training, validation) = (thirds(100, 1), thirds(50, 2));
    let config = configs()[2];
    let mut trainer =
        Trainer::new(start(), &training, Some(&validation), &config).expect("settings");
    let mut best = (0.0, Vec::new());
    while let Some(epoch) = trainer.next_epoch().expect("an epoch") {
        let accuracy = epoch.validation_accuracy.expect("validation images");
        if accuracy > best.0 {
            best = (accuracy, bytes(trainer.network()));
        }
        assert_eq!(bytes(trainer.network()), best.1);
    }
    let history = trainer.history();
    let rises = history.windows(2).filter(|pair| pair[0].loss < pair[1].loss).count();
    assert!(rises < history.len(), "{history:?}");
    let accuracies = history.iter().map(|epoch| epoch.validation_accuracy.expect("some"));
    let last_two: Vec<f64> = accuracies.skip(history.len() - 2).collect();
    assert!(last_two.iter().all(|&accuracy| accuracy <= best.0), "{last_two:?}");
    assert_eq!(trainer.network().evaluate(&validation).expect("it fits").accuracy(), best.0);

    let error = Trainer::new(start(), &training, None, &config).expect_err("no validation");
    assert!(matches!(error, Error::InvalidConfig { field: "patience", .. }), "{error}");
}

#[test]
fn a_state_of_another_training_is_refused() {
    let training = thirds(100, 1);
    let config = config();
    let mut trainer = Trainer::new(start(), &training, None, &config).expect("settings");
    trainer.next_epoch().expect("an epoch");
    let file = state(&trainer);

    let other = TrainConfig { learning_rate: 0.02, ..config };
    let mut trainer = Trainer::new(start(), &training, None, &other).expect("settings");
    let text = trainer.read(file.as_slice()).expect_err("other settings").to_string();
    assert!(text.contains("learning_rate: 0.02") && text.contains("learning_rate: 0.01"), "{text}");
    assert!(trainer.history().is_empty());

    let others = thirds(100, 5);
    let mut trainer = Trainer::new(start(), &others, None, &config).expect("settings");
    let text = trainer.read(file.as_slice()).expect_err("other images").to_string();
    assert!(text.contains("training: 100 images, CRC-32"), "{text}");

    let network = Network::new(&[36, 20, 15, 3], Activation::Tanh, 3).expect("sizes");
    let mut trainer = Trainer::new(network, &training, None, &config).expect("settings");
    let text = trainer.read(file.as_slice()).expect_err("another network").to_string();
    assert!(text.contains("Tanh") && text.contains("Relu"), "{text}");
}

#[test]
fn a_damaged_state_is_refused_wherever_it_is_damaged() {
    let training = thirds(20, 1);
    let config = TrainConfig { batch_size: 20, patience: None, ..config() };
    let small = || Network::new(&[36, 2, 3], Activation::Relu, 3).expect("sizes");
    let mut trainer = Trainer::new(small(), &training, None, &config).expect("settings");
    trainer.next_epoch().expect("an epoch");
    let file = state(&trainer);

    let mut reader = Trainer::new(small(), &training, None, &config).expect("settings");
    for length in 0..file.len() {
        let error = reader.read(&file[..length]).expect_err("a part of a file");
        assert!(matches!(error, Error::Malformed { .. }), "{length}: {error}");
    }
    for bit in 0..8 * file.len() {
        let mut damaged = file.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(reader.read(damaged.as_slice()).is_err(), "bit {bit}");
    }
    let mut longer = file.clone();
    longer.push(0);
    let text = reader.read(longer.as_slice()).expect_err("a byte too many").to_string();
    assert!(text.contains("nothing after"), "{text}");
    assert!(reader.history().is_empty(), "a refused state changes nothing");
    reader.read(file.as_slice()).expect("the good file");
    assert_eq!(reader.history().len(), 1);
}

#[test]
fn a_header_that_lies_does_not_exhaust_the_memory() {
    let training = thirds(20, 1);
    let mut trainer = Trainer::new(start(), &training, None, &config()).expect("settings");
    let mut file = state(&trainer);
    // Four thousand million epochs.
    let text = u32::from_le_bytes(*file[10..].first_chunk().expect("a length")) as usize;
    file[14 + text..][..4].fill(0xff);
    let error = trainer.read(file.as_slice()).expect_err("too few bytes");
    assert!(matches!(error, Error::Malformed { .. }), "{error}");
}

#[test]
fn a_file_that_is_not_there_or_a_folder_is_named() {
    let training = thirds(20, 1);
    let mut trainer = Trainer::new(start(), &training, None, &config()).expect("settings");
    for path in ["fixtures/nowhere", "fixtures"] {
        let error = trainer.resume(path).expect_err("no state");
        let is_io =
            matches!(&error, Error::File { source, .. } if matches!(**source, Error::Io(_)));
        assert!(is_io && error.to_string().starts_with(path), "{error:?}");
    }
    assert!(trainer.history().is_empty());
}
