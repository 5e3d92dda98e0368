//! Training and predicting with numbers and sets at the end of their range: a
//! clear error or a sensible result, and never a hang.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::time::Duration;

use digit_recognizer::{
    Activation, Dataset, DigitImage, Error, Images, NO_CLASS, Network, Optimizer, Predictor,
    TrainConfig,
};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Images of 4×4 pixels with these labels; bright where the label says.
fn dataset(labels: &[u8]) -> Dataset {
    let pixels = labels.iter().enumerate().flat_map(|(index, &label)| {
        (0..16).map(
            move |i| if i / 4 == usize::from(label) { 250 } else { (index * 7 + i) as u8 % 60 },
        )
    });
    let images = Images::new(4, 4, pixels.collect()).expect("whole images");
    Dataset::new(images, labels.to_vec()).expect("as many labels")
}

fn start(hidden: Activation) -> Network {
    Network::new(&[16, 6, 4], hidden, 1).expect("sizes")
}

fn go_on(_: &digit_recognizer::Epoch) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn is_finite(network: &Network) -> bool {
    let values = network
        .layers()
        .iter()
        .flat_map(|layer| layer.weights().as_slice().iter().chain(layer.bias()));
    values.into_iter().all(|value| value.is_finite())
}

#[test]
fn labels_that_are_all_the_same_are_learnt() {
    let training = dataset(&[2; 40]);
    let mut network = start(Activation::Relu);
    let config = TrainConfig { epochs: 20, batch_size: 8, ..Default::default() };
    let history = network.train(&training, None, &config, go_on).expect("training");
    assert!(is_finite(&network));
    assert!(history[19].loss < 0.01 && history[19].accuracy == 1.0, "{:?}", history[19]);
    assert_eq!(network.predict(&[0.0; 16]).digit(), 2);
}

#[test]
fn one_image_is_learnt_in_a_batch_of_any_size() {
    let training = dataset(&[3]);
    for batch_size in [1, 2, 64, 100_000, usize::MAX] {
        let mut network = start(Activation::Tanh);
        let config = TrainConfig { epochs: 50, batch_size, ..Default::default() };
        let history = network.train(&training, Some(&training), &config, go_on).expect("training");
        assert_eq!(history[49].validation_accuracy, Some(1.0), "{batch_size}");
        assert!(is_finite(&network));
    }
}

#[test]
fn a_batch_larger_than_the_set_is_the_whole_set() {
    let training = dataset(&[0, 1, 2, 3, 0]);
    let trained = |batch_size| {
        let mut network = start(Activation::Relu);
        let config = TrainConfig { epochs: 5, batch_size, ..Default::default() };
        network.train(&training, None, &config, go_on).expect("training");
        network
    };
    assert_eq!(trained(6), trained(5));
    assert_eq!(trained(usize::MAX), trained(5));
}

#[test]
fn no_image_is_an_error_before_anything_changes() {
    let nothing = dataset(&[]);
    let mut network = start(Activation::Relu);
    let error = network.train(&nothing, None, &TrainConfig::default(), go_on);
    let error = error.expect_err("no images");
    assert!(matches!(error, Error::Mismatch { .. }), "{error:?}");
    assert_eq!(error.to_string(), "training images: expected at least one, found none");
    assert_eq!(network, start(Activation::Relu));
    // None to validate on are none.
    let some = dataset(&[1, 2]);
    let config = TrainConfig { epochs: 1, ..Default::default() };
    let history = network.train(&some, Some(&nothing), &config, go_on).expect("training");
    assert_eq!(history.len(), 1);
    let evaluated = network.evaluate(&nothing).expect("nothing to fit");
    assert!(!evaluated.accuracy().is_nan(), "{}", evaluated.accuracy());
}

#[test]
fn a_learning_rate_that_is_too_high_names_the_step_and_keeps_the_last_epoch() {
    let training = dataset(&[0, 1, 2, 3].repeat(10));
    // Without a rectifier that could die, each step is longer than the one before.
    for learning_rate in [1e30, 30.0, 5.0, 3.0] {
        let config = TrainConfig {
            epochs: 200,
            batch_size: 4,
            optimizer: Optimizer::Sgd { momentum: 0.0 },
            learning_rate,
            ..Default::default()
        };
        let mut network = start(Activation::Linear);
        let mut kept = network.clone();
        let mut epochs = 0;
        let error = network.train(&training, None, &config, |epoch| {
            epochs = epoch.number;
            ControlFlow::Continue(())
        });
        let Err(Error::Diverged { epoch, step }) = error else { panic!("no error") };
        assert_eq!(epoch, epochs + 1);
        assert_eq!(epochs > 0, learning_rate < 100.0);
        assert!((1..=10).contains(&step), "{step}");
        let text = Error::Diverged { epoch, step }.to_string();
        assert!(text.contains(&format!("in epoch {epoch} at step {step}")), "{text}");
        assert!(text.contains("expected finite numbers, found infinity or NaN"), "{text}");
        // The network is what the epochs before made of it.
        if epochs > 0 {
            let stopped = kept.train(&training, None, &config, |epoch| match epoch.number {
                number if number < epochs => ControlFlow::Continue(()),
                _ => ControlFlow::Break(()),
            });
            stopped.expect("the epochs before");
        }
        assert_eq!(network, kept);
        assert!(is_finite(&network));
    }
}

#[test]
fn pixels_that_are_not_finite_do_not_come_into_training() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut pixels = [0.5; 784];
        pixels[300] = bad;
        let error = DigitImage::from_pixels(&pixels).expect_err("no ink");
        assert!(matches!(error, Error::Mismatch { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("values from 0 to 1") && text.contains("at index 300"), "{text}");
        // A caller that passes numbers by is answered with numbers of that kind.
        let network = Network::new(&[784, 5, 3], Activation::Relu, 1).expect("sizes");
        let prediction = network.predict(&pixels);
        assert_eq!((prediction.probabilities().len(), prediction.digit()), (3, prediction.digit()));
        assert!(!prediction.confidence().is_finite(), "{prediction:?}");
        let mut predictor = Predictor::new(&network, 2);
        assert!(predictor.predict(&pixels).iter().all(|p| !p.is_finite()));
        assert!(predictor.predict(&[0.5; 784]).iter().all(|p| p.is_finite()), "nothing stays");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    /// Whatever the settings, the network stays one, and an error names its step.
    #[test]
    fn any_settings_end_with_finite_weights(
        labels in prop::collection::vec(prop_oneof![0..4_u8, Just(NO_CLASS)], 1..12),
        hidden in prop_oneof![Just(Activation::Relu), Just(Activation::Tanh), Just(Activation::Sigmoid)],
        exponent in -30..38_i32,
        batch_size in 1..20_usize,
        adam: bool,
        decay in 0.0..2.0_f32,
        clip in prop::option::of(1e-30..1e30_f32),
        dropout in 0.0..0.99_f32,
        label_smoothing in 0.0..0.99_f32,
        warm_up in 0.0..0.99_f32,
        averaged_epochs in 0..5_usize,
    ) {
        let config = TrainConfig {
            epochs: 3,
            batch_size,
            optimizer: if adam { Optimizer::ADAM } else { Optimizer::Sgd { momentum: 0.99 } },
            learning_rate: 10_f32.powi(exponent),
            weight_decay: decay,
            clip_norm: clip,
            dropout,
            label_smoothing,
            warm_up,
            averaged_epochs,
            threads: 1,
            ..Default::default()
        };
        let mut network = start(hidden);
        match network.train(&dataset(&labels), None, &config, go_on) {
            Ok(history) => prop_assert!(history.iter().all(|epoch| epoch.loss.is_finite())),
            Err(Error::Diverged { epoch, step }) => {
                prop_assert!((1..=3).contains(&epoch) && (1..=12).contains(&step));
            }
            Err(error) => prop_assert!(matches!(error, Error::InvalidConfig { .. }), "{error:?}"),
        }
        prop_assert!(is_finite(&network));
    }
}

/// Runs something that must end within a minute.
fn within_a_minute<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    let thread = std::thread::spawn(move || sender.send(run()));
    let result = receiver.recv_timeout(Duration::from_secs(60)).expect("an end, and no hang");
    assert!(thread.join().is_ok());
    result
}

#[test]
fn a_panic_of_the_callback_comes_out_of_the_training() {
    for threads in [1, 2, 5] {
        within_a_minute(move || {
            let training = dataset(&[0, 1, 2, 3].repeat(20));
            let config = TrainConfig { threads, batch_size: 8, ..Default::default() };
            let mut network = start(Activation::Relu);
            let training = catch_unwind(AssertUnwindSafe(|| {
                network.train(&training, None, &config, |epoch| match epoch.number {
                    1 => ControlFlow::Continue(()),
                    _ => panic!("the caller's own"),
                })
            }));
            let panic = training.expect_err("a panic");
            assert_eq!(panic.downcast_ref(), Some(&"the caller's own"));
            // The training is gone with its threads; the network is as it was before.
            assert_eq!(network, start(Activation::Relu));
        });
    }
}

#[test]
fn a_panic_between_epochs_leaves_no_thread_behind() {
    within_a_minute(|| {
        let training = dataset(&[0, 1, 2, 3]);
        let config = TrainConfig { threads: 4, ..Default::default() };
        let result = catch_unwind(AssertUnwindSafe(|| {
            let mut trainer =
                digit_recognizer::Trainer::new(start(Activation::Relu), &training, None, &config)
                    .expect("settings");
            trainer.next_epoch().expect("an epoch");
            panic!("between");
        }));
        assert_eq!(result.expect_err("a panic").downcast_ref(), Some(&"between"));
    });
}
