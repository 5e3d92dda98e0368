//! Once the buffers exist, training and prediction allocate nothing.

#![cfg(feature = "gzip")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use digit_recognizer::mnist::{self, Split};
use digit_recognizer::{
    Activation, Augmentation, Matrix, Network, Optimizer, Predictor, TrainConfig,
};

/// The system's allocator, and how often it was asked for memory.
struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

#[allow(unsafe_code, reason = "an allocator is unsafe by its interface")]
// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations() -> usize {
    ALLOCATIONS.load(Ordering::Relaxed)
}

/// One test, because another one's thread would be counted too.
#[test]
fn nothing_is_allocated_once_the_buffers_exist() {
    let dataset = mnist::load("fixtures/mnist", Split::Train).expect("the sample of MNIST");

    // Several layers and panels, a last batch that is not full, two threads.
    let mut network = Network::new(&[784, 72, 40, 10], Activation::Relu, 1).expect("sizes");
    for batch_size in [64, 1_500] {
        let config = TrainConfig {
            epochs: 9,
            batch_size,
            threads: 2,
            optimizer: Optimizer::ADAM,
            learning_rate: 0.001,
            dropout: 0.1,
            clip_norm: Some(1.0),
            augmentation: Some(Augmentation::default()),
            ..Default::default()
        };
        let mut counts = Vec::with_capacity(9);
        network
            .train(&dataset, None, &config, |_| {
                counts.push(allocations());
                ControlFlow::Continue(())
            })
            .expect("training");
        assert!(counts[0] > 0, "the first epoch makes the buffers");
        // A thread that the system starts late allocates while it starts.
        assert_eq!(counts[8], counts[4], "in the last epochs, batch size {batch_size}");
    }

    let mut predictor = Predictor::new(&network, 2);
    let mut probabilities = Matrix::default();
    let image = [0.5; 784];
    let mut predict = || {
        predictor.predict_images(dataset.images(), &mut probabilities).expect("784 pixels");
        predictor.predict(&image);
    };
    (0..20).for_each(|_| predict());
    let before = allocations();
    predict();
    assert_eq!(allocations(), before, "in a later prediction");
}
